"""The gateways, one after the other, and the stand-ins for Stripe and PayPal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from paypal_sandbox import server as paypal_server
from stripe_sandbox import server
from tests.gateways.cases import (
    GATEWAYS,
    Case,
    PayPalCase,
    PayPalStandIn,
    SandboxCase,
    StandIn,
    StripeCase,
)

WEBHOOK_ID = "1JE4291016473214C"


@pytest.fixture
def stand_in(settings: Settings) -> Iterator[StandIn]:
    """A stand-in for Stripe, empty, that the settings point at."""
    with server.running() as url:
        settings.STRIPE_API_BASE = url
        yield StandIn(url)


@pytest.fixture
def paypal(settings: Settings) -> Iterator[PayPalStandIn]:
    """A stand-in for PayPal, empty, that the settings point at."""
    with paypal_server.running() as url:
        settings.PAYPAL_API_BASE = url
        settings.PAYPAL_CLIENT_ID = "client"
        settings.PAYPAL_CLIENT_SECRET = "a-secret-of-ours"
        settings.PAYPAL_WEBHOOK_ID = WEBHOOK_ID
        yield PayPalStandIn(url)


@pytest.fixture(params=list(GATEWAYS))
def case(request: pytest.FixtureRequest, settings: Settings) -> Case:
    """One gateway after the other, or those that a test names."""
    if request.param == "sandbox":
        return SandboxCase()
    if request.param == "paypal":
        return PayPalCase(request.getfixturevalue("paypal"), WEBHOOK_ID)
    return StripeCase(request.getfixturevalue("stand_in"), settings.STRIPE_WEBHOOK_SECRET)
