"""The gateways, one after the other, and the stand-in for Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from stripe_sandbox import server
from tests.gateways.cases import Case, SandboxCase, StandIn, StripeCase


@pytest.fixture
def stand_in(settings: Settings) -> Iterator[StandIn]:
    """A stand-in for Stripe, empty, that the settings point at."""
    with server.running() as url:
        settings.STRIPE_API_BASE = url
        yield StandIn(url)


@pytest.fixture(params=["sandbox", "stripe"])
def case(request: pytest.FixtureRequest, settings: Settings) -> Case:
    """One gateway after the other."""
    if request.param == "sandbox":
        return SandboxCase()
    return StripeCase(request.getfixturevalue("stand_in"), settings.STRIPE_WEBHOOK_SECRET)
