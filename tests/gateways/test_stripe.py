"""What only Stripe does, at its stand-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from pytest_django import Settings

from billing import clock
from billing.core.money import Money
from billing.gateways.base import (
    BadSignatureError,
    ChargeRequest,
    ChargeStatus,
    GatewayUnavailableError,
    MethodChange,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.stripe.gateway import StripeGateway
from tests.gateways.cases import StandIn, stripe_signature

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(stand_in: StandIn) -> StripeGateway:
    return StripeGateway()


@pytest.fixture
def client(gateway: StripeGateway) -> stripe.StripeClient:
    """To do to Stripe's objects what Bursar never does."""
    return gateway._client


def set_up(gateway: StripeGateway, token: str = "pm_card_visa", reference: str = "s1") -> Setup:
    return gateway.start_setup(SetupRequest(reference, "anon_1", token=token))


def request_for(setup: Setup, reference: str = "a1") -> ChargeRequest:
    assert setup.method is not None
    return ChargeRequest(
        reference, Money(1000, "EUR"), setup.customer_external_id, setup.method.external_id
    )


def test_every_request_that_changes_something_has_its_own_key(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    gateway.charge(request_for(set_up(gateway)))

    posts = [request for request in stand_in.requests() if request["method"] == "POST"]
    keys = [request["headers"]["idempotency-key"] for request in posts]
    assert keys == ["customer:anon_1", "setup:s1", "attempt:a1"]
    assert {request["headers"]["stripe-version"] for request in posts} == {"2026-08-26.dahlia"}


def test_an_expired_card_is_declined_for_good(gateway: StripeGateway) -> None:
    setup = set_up(gateway, "pm_card_chargeDeclinedExpiredCard")

    assert setup.status is SetupStatus.DECLINED
    assert setup.decline is not None
    assert (setup.decline.code, setup.decline.is_hard) == ("expired_card", True)
    assert setup.external_id.startswith("seti_")


def test_a_token_that_asks_its_owner_is_declined_softly(gateway: StripeGateway) -> None:
    setup = set_up(gateway, "pm_card_authenticationRequired")

    assert setup.status is SetupStatus.DECLINED
    assert setup.decline is not None
    assert (setup.decline.code, setup.decline.is_hard) == ("authentication_required", False)


def test_stripes_own_trouble_repeated_under_the_key_does_not_hide_the_money(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    request = request_for(set_up(gateway))
    stand_in.fail("POST /v1/payment_intents", action="500", moment="after", times=3)

    charge = gateway.charge(request)

    assert charge.status is ChargeStatus.SUCCEEDED
    assert gateway.charge(request) == charge


def test_stripes_own_trouble_before_it_began_is_no_answer(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    request = request_for(set_up(gateway))
    stand_in.fail("POST /v1/payment_intents", action="503", times=3)

    with pytest.raises(GatewayUnavailableError):
        gateway.charge(request)


def test_a_charge_whose_key_is_forgotten_is_found_and_not_made_again(
    gateway: StripeGateway, client: stripe.StripeClient, stand_in: StandIn
) -> None:
    """As a day later: the intent is there, and no key of ours stands for it."""
    request = request_for(set_up(gateway))
    made = client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "eur",
            "customer": request.customer_external_id,
            "payment_method": request.method_external_id,
            "confirm": True,
            "off_session": True,
            "payment_method_types": ["card"],
            "metadata": {"reference": request.reference},
        }
    )

    charge = gateway.charge(replace(request, is_repeated=True))

    assert (charge.external_id, charge.status) == (made.id, ChargeStatus.SUCCEEDED)
    posts = [asked for asked in stand_in.requests() if asked["path"] == "/v1/payment_intents"]
    assert [asked["method"] for asked in posts] == ["POST", "GET"]


def test_a_key_used_for_another_amount_tells_of_the_charge_there_was(
    gateway: StripeGateway,
) -> None:
    request = request_for(set_up(gateway))
    charge = gateway.charge(request)
    other = ChargeRequest(
        request.reference,
        Money(2000, "EUR"),
        request.customer_external_id,
        request.method_external_id,
    )

    assert gateway.charge(other) == charge


def test_a_charge_means_its_payment_intent(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    charge = gateway.charge(request_for(set_up(gateway)))
    (of_stripe,) = client.v1.charges.list().data

    assert gateway.fetch("charge", of_stripe.id) == charge
    assert gateway.fetch("charge", charge.external_id) == charge
    assert gateway.fetch("payment_intent", charge.external_id) == charge


def test_a_detached_method_is_gone(gateway: StripeGateway, client: stripe.StripeClient) -> None:
    setup = set_up(gateway)
    assert setup.method is not None
    client.v1.payment_methods.detach(setup.method.external_id)

    change = gateway.fetch("payment_method", setup.method.external_id)

    assert change == MethodChange(setup.method.external_id, None)


def test_a_visit_is_open_until_it_expires(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    started = gateway.start_setup(
        SetupRequest("s1", "anon_1", success_url="http://localhost/", cancel_url="http://l/")
    )
    assert gateway.fetch("checkout.session", started.external_id) == started

    client.v1.checkout.sessions.expire(started.external_id)

    expired = gateway.fetch("checkout.session", started.external_id)
    assert isinstance(expired, Setup)
    assert (expired.status, expired.url) == (SetupStatus.EXPIRED, "")


def test_a_card_declined_on_the_page_leaves_the_visit_open(
    gateway: StripeGateway, stand_in: StandIn, client: stripe.StripeClient
) -> None:
    started = gateway.start_setup(
        SetupRequest("s1", "anon_1", success_url="http://localhost/", cancel_url="http://l/")
    )
    stand_in.fill_in(started.url, "4000 0000 0000 0002")

    assert gateway.fetch("checkout.session", started.external_id) == started
    for intent in client.v1.setup_intents.list().data:
        assert gateway.fetch("setup_intent", intent.id) is None


def test_a_visit_to_pay_means_nothing_to_us(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    price: Any = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "A thing"}}
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://localhost/",
            "line_items": [{"price_data": price, "quantity": 1}],
        }
    )

    assert gateway.fetch("checkout.session", session.id) is None


def test_an_event_about_something_without_an_id_is_read(
    gateway: StripeGateway, settings: Settings
) -> None:
    about = '{"object": {"object": "balance"}}'
    body = f'{{"id":"evt_1","type":"balance.available","created":1700000000,"data":{about}}}'
    headers = stripe_signature(body, settings.STRIPE_WEBHOOK_SECRET, clock.now())

    notification = gateway.parse_event(body.encode(), headers)

    assert (notification.object_type, notification.object_id) == ("balance", "")
    assert notification.occurred_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        "{}",
        '{"id":"","type":"x","created":1,"data":{"object":{}}}',
        '{"id":"evt_1","type":"x","created":1,"data":{"object":null}}',
        '{"id":"evt_1","type":"x","created":1e99,"data":{"object":{}}}',
        '{"id":"evt_1","type":7,"created":1,"data":{"object":{}}}',
        "not json",
    ],
)
def test_a_signed_event_that_makes_no_sense_is_unreadable(
    gateway: StripeGateway, settings: Settings, body: str
) -> None:
    headers = stripe_signature(body, settings.STRIPE_WEBHOOK_SECRET, clock.now())

    with pytest.raises(BadSignatureError, match="cannot be read"):
        gateway.parse_event(body.encode(), headers)


def test_a_refusal_says_what_is_wrong(gateway: StripeGateway, settings: Settings) -> None:
    secret = settings.STRIPE_WEBHOOK_SECRET
    old = stripe_signature("{}", secret, clock.now() - timedelta(seconds=301))
    foreign = stripe_signature("{}", "whsec_other", clock.now())

    with pytest.raises(BadSignatureError, match="too old"):
        gateway.parse_event(b"{}", old)
    with pytest.raises(BadSignatureError, match="does not match"):
        gateway.parse_event(b"{}", foreign)
