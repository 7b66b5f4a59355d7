"""The proof: whatever is asked of a gateway, nothing of the person is ever told to it, nor is it
said in the log or put down with the call.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Final
from urllib.parse import unquote_plus

import pytest
from django.conf import settings
from django.urls import reverse
from pytest_django import Settings

from billing import tasks
from billing.core.lifecycle import AttemptStatus
from billing.models import CheckoutSession, GatewayCall
from billing.services import payer_actions, payment_methods, payments, settlements
from billing.services.choosing import Wanted
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from tests.faults.conftest import PayPal, Stripe, gone
from tests.faults.shop import Shop
from tests.faults.telling import hear, told
from tests.faults.verbs import PAYPAL, STRIPE, Place
from tests.gateways.cases import StandIn

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL: Final = "mad.hatter@wonderland.example"
PERSON: Final = {
    "name": "Theophilus Carter",
    "email": EMAIL,
    "line1": "17 Teapot Terrace",
    "line2": "Behind the Dormouse",
    "city": "Kirkwall",
    "postal_code": "KW15 1QQ",
    "region": "Orkney",
    "phone": "+44 1856 555 017",
}
ORGANIZATION: Final = "org-cheshire-8812"
# Each part that would tell, however it is written; long enough to be in no id by chance.
TELLING: Final = (
    "theophilus", "carter", "hatter", "wonderland", "teapot", "dormouse", "kirkwall", "kw15 1qq",
    "orkney", "1856 555", "1856555", "cheshire", "secret of theirs",
)  # fmt: skip
ANY: Final = "01a1f9a8-0000-7000-8000-000000000000"


@pytest.fixture
def hatter(shop: Shop) -> Customer:
    """Somebody with all the details that there are."""
    return shop.customer(ORGANIZATION, **PERSON)


def urls() -> ReturnUrls:
    """As our own pages give them."""
    back = reverse("payment_method_confirming", kwargs={"session_id": ANY})
    return ReturnUrls(
        f"{settings.PUBLIC_URL}{back.replace(ANY, '{session}')}",
        f"{settings.PUBLIC_URL}{reverse('payment_methods')}",
    )


def visits(shop: Shop, customer: Customer, gateway: str, kind: str) -> str:
    """Off to the gateway's page."""
    started = payment_methods.start_checkout(
        customer, urls=urls(), now=shop.now, wanted=Wanted(gateway, kind)
    )
    return started.session.url


def lives(shop: Shop, stand_in: StandIn, customer: Customer, place: Place) -> None:
    """A charge, one that has to be repeated, one that is not heard at first, and a refund."""
    shop.charges(customer)
    stand_in.fail(place.paths["charge"], action="cut", moment="after", times=place.tries)
    paid = shop.charges(customer)
    shop.works()
    stand_in.fail(place.paths["charge"], action="429")
    shop.charges(customer)
    shop.works()
    shop.gives_back(paid.invoice)
    shop.works()


def asks_the_payer(shop: Shop, stand_in: StandIn, customer: Customer) -> None:
    """3-D Secure, gone through once and given up once."""
    page = visits(shop, customer, "stripe", "card")
    stand_in.authenticate(stand_in.fill_in(page, "4000 0027 6000 3184"))
    shop.later(minutes=5)
    shop.sweeps()
    first, second = shop.charges(customer), shop.charges(customer)
    assert first.status == second.status == AttemptStatus.ACTION_REQUIRED
    back = f"{settings.PUBLIC_URL}{reverse('invoice_back', kwargs={'invoice_id': ANY})}"
    shown = payer_actions.resume(first.pk, return_url=back, now=shop.now)
    stand_in.authenticate(shown.action["url"])
    payer_actions.withdraw(second.pk, now=shop.now)


def lives_at_stripe(shop: Shop, stripe: Stripe, hatter: Customer) -> None:
    """Every verb, by the services of production."""
    shop.offers(stripe.gateway)
    shop.card(hatter, "pm_card_visa")
    stripe.stand_in.fill_in(visits(shop, hatter, "stripe", "card"), "5555 5555 5555 4444")
    visits(shop, hatter, "stripe", "sepa_debit")
    tasks.ask_setup(session_id=str(CheckoutSession.objects.latest("created_at").pk))
    visits(shop, hatter, "stripe", "pix")
    shop.later(minutes=5)
    shop.sweeps()
    lives(shop, stripe.stand_in, hatter, STRIPE)
    asks_the_payer(shop, stripe.stand_in, hatter)
    hear(shop, told(stripe))
    tasks.reconcile()
    settlements.take_over("stripe", since=shop.began, now=shop.now)
    attempt = shop.wants(shop.bills(hatter))
    shop.offers(gone())
    payments.collect(attempt.pk, now=shop.now)
    shop.offers(stripe.gateway)
    shop.works()


def lives_at_paypal(shop: Shop, paypal: PayPal, hatter: Customer) -> None:
    """Likewise."""
    shop.offers(paypal.gateway)
    shop.card(hatter, "vault_good", gateway="paypal")
    paypal.stand_in.agree(visits(shop, hatter, "paypal", "paypal"))
    shop.later(minutes=5)
    shop.sweeps()
    lives(shop, paypal.stand_in, hatter, PAYPAL)
    tasks.reconcile()


def asked(stand_in: StandIn) -> list[dict[str, Any]]:
    """Everything that the gateway's API was asked, whole."""
    return [one for one in stand_in.requests() if not one["path"].startswith("/_control")]


def words(value: Any) -> str:
    """Path, parameters and headers as one text, also as it reads without its escapes."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{text} {unquote_plus(text)}".casefold()


def leaks(value: Any) -> list[str]:
    """What would tell who it is."""
    text = words(value)
    return [word for word in (*TELLING, EMAIL) if word.casefold() in text]


def test_the_search_would_find_what_it_looks_for(hatter: Customer) -> None:
    assert set(TELLING) - set(leaks(PERSON)) == {"1856555", "cheshire", "secret of theirs"}
    assert leaks(ORGANIZATION) == ["cheshire"]
    assert leaks({"path": "/v1/x?email=mad.hatter%40wonderland.example"})


def test_stripe_is_told_nothing_of_the_person(
    shop: Shop, stripe: Stripe, hatter: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    lives_at_stripe(shop, stripe, hatter)

    requests = asked(stripe.stand_in)
    paths = {f"{one['method']} {one['path']}" for one in requests}
    assert {
        "POST /v1/customers",
        "POST /v1/setup_intents",
        "POST /v1/checkout/sessions",
        "POST /v1/payment_intents",
        "GET /v1/payment_intents",
        "POST /v1/refunds",
        "GET /v1/refunds",
        "GET /v1/balance_transactions",
        "GET /v1/payouts",
        "GET /v1/disputes",
    } <= paths
    assert any(path.endswith("/confirm") for path in paths)
    assert any(path.endswith("/cancel") for path in paths)
    assert leaks(requests) == []
    assert_kept_to_itself(caplog)


def test_paypal_is_told_nothing_of_the_person(
    shop: Shop, paypal: PayPal, hatter: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    lives_at_paypal(shop, paypal, hatter)

    requests = asked(paypal.stand_in)
    paths = {f"{one['method']} {one['path']}" for one in requests}
    assert {
        "POST /v3/vault/setup-tokens",
        "POST /v3/vault/payment-tokens",
        "POST /v2/checkout/orders",
        "GET /v1/reporting/transactions",
    } <= paths
    assert any(path.endswith("/refund") for path in paths)
    assert leaks(requests) == []
    assert_kept_to_itself(caplog)


def assert_kept_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    """What is put down of calls, and what is logged, names nobody either."""
    calls = list(GatewayCall.objects.values())
    assert {"NO_ANSWER", "UNREACHED"} <= {call["outcome"] for call in calls}
    assert leaks(calls) == []
    assert len(caplog.records) > 3
    assert leaks([record.getMessage() for record in caplog.records] + [caplog.text]) == []


def test_where_receipts_are_allowed_the_address_goes_with_the_charge_and_nowhere_else(
    shop: Shop, stripe: Stripe, hatter: Customer, settings: Settings
) -> None:
    settings.GATEWAY_RECEIPTS = True

    lives_at_stripe(shop, stripe, hatter)

    charges: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for one in asked(stripe.stand_in):
        is_charge = (one["method"], one["path"]) == ("POST", "/v1/payment_intents")
        (charges if is_charge else others).append(one)
    assert charges
    assert {one["params"].pop("receipt_email") for one in charges} == {EMAIL}
    assert leaks(charges + others) == []
    assert leaks(list(GatewayCall.objects.values())) == []
