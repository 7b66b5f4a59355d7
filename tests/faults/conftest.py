"""The stand-ins, shared and emptied between tests, and a shop that is offered their gateways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from celery import current_app
from django.test import override_settings
from pytest_django import Settings
from stripe._http_client import HTTPClient

from billing import clock
from billing.gateways.paypal.gateway import PayPalGateway
from billing.gateways.paypal.signatures import Certificates
from billing.gateways.stripe.gateway import StripeGateway
from paypal_sandbox import server as paypal_server
from stripe_sandbox import server as stripe_server
from tests.faults.shop import Shop
from tests.faults.tills import PayPalTill, StripeTill, assert_books_agree, assert_charged_once
from tests.gateways.cases import PayPalStandIn, StandIn, paypal_account, paypal_seal

WEBHOOK_ID = "1JE4291016473214C"
_EAGER = {"task_always_eager": True, "task_eager_propagates": True}


@dataclass
class Stripe:
    """Stripe's stand-in, the gateway that speaks to it, and its money."""

    stand_in: StandIn
    gateway: StripeGateway
    till: StripeTill


@dataclass
class PayPal:
    """PayPal's, likewise."""

    stand_in: PayPalStandIn
    gateway: PayPalGateway
    till: PayPalTill


def keys(there: Stripe, path: str = "/v1/payment_intents") -> list[str]:
    """The idempotency keys of what was posted there, oldest first."""
    return [
        {name.lower(): value for name, value in asked["headers"].items()}["idempotency-key"]
        for asked in there.stand_in.requests()
        if (asked["method"], asked["path"]) == ("POST", path)
    ]


def gone() -> StripeGateway:
    """A gateway at Stripe's address while nobody listens there."""
    with override_settings(STRIPE_API_BASE="http://127.0.0.1:9"):
        return StripeGateway()


@pytest.fixture(scope="session")
def _stripe_url() -> Iterator[str]:
    with stripe_server.running() as url:
        yield url


@pytest.fixture(scope="session")
def _paypal_url() -> Iterator[str]:
    with paypal_server.running() as url:
        yield url


@pytest.fixture
def stripe(
    shop: Shop, _stripe_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    """Stripe, that knows nobody yet; afterwards its money is in our books."""
    settings.STRIPE_API_BASE = _stripe_url
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0)  # how long the SDK waits to try again
    monkeypatch.setattr(HTTPClient, "MAX_DELAY", 0)
    stand_in = StandIn(_stripe_url)
    stand_in.control("reset")
    there = Stripe(stand_in, StripeGateway(), StripeTill(stand_in))
    yield there
    assert_books_agree(there.till)


@pytest.fixture
def paypal(shop: Shop, _paypal_url: str, settings: Settings) -> Iterator[PayPal]:
    """PayPal, that knows nobody yet; afterwards its money is in our books."""
    settings.PAYPAL_WEBHOOK_ID = WEBHOOK_ID
    stand_in = PayPalStandIn(_paypal_url)
    stand_in.control("reset")
    certificates = Certificates(_paypal_url, fetch=lambda _: paypal_seal().certificate.encode())
    gateway = PayPalGateway(paypal_account(_paypal_url), certificates)
    there = PayPal(stand_in, gateway, PayPalTill(stand_in))
    yield there
    assert_books_agree(there.till, "paypal")


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop that lives by its own clock, and whose tasks run as soon as they are sent."""
    there = Shop(monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: there.now)
    usual = {name: current_app.conf[name] for name in _EAGER}
    current_app.conf.update(_EAGER)
    yield there
    current_app.conf.update(usual)
    if not there.pays_twice:
        assert_charged_once()
