"""Two gateways: when the other one is tried, when it never is, and what is said of why."""

from __future__ import annotations

import pytest

from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.models import Invoice, JournalEntry, Payment, PaymentAttempt
from billing.services import payments, routes
from customers.models import Customer
from tests.faults.conftest import Stripe, gone
from tests.faults.moody import Mood, MoodyGateway
from tests.faults.shop import Shop, fresh, states

pytestmark = pytest.mark.django_db(transaction=True)

ABANDONED, SUCCEEDED, FAILED = (
    AttemptStatus.ABANDONED,
    AttemptStatus.SUCCEEDED,
    AttemptStatus.FAILED,
)


@pytest.fixture
def alpha(shop: Shop, beta: MoodyGateway) -> MoodyGateway:
    """The first."""
    there = MoodyGateway("alpha", priority=10)
    shop.offers(there, beta)
    return there


@pytest.fixture
def beta() -> MoodyGateway:
    """The other one."""
    return MoodyGateway("beta", priority=20)


@pytest.fixture
def alice(shop: Shop, alpha: MoodyGateway) -> Customer:
    """Somebody with a method at each, that at the first by default."""
    alice = shop.customer()
    shop.card(alice, "tok_ok", gateway="alpha")
    shop.card(alice, "tok_ok", gateway="beta")
    return alice


@pytest.fixture(params=[Mood.SILENT, Mood.GREEDY])
def silent(request: pytest.FixtureRequest, alpha: MoodyGateway) -> MoodyGateway:
    """The first, which gives no answer, and may or may not take the money."""
    alpha.mood = request.param
    return alpha


def fails_over(shop: Shop, *names: str) -> None:
    for name in names:
        routes.update(name, {"has_failover": True}, by="olga", now=shop.now)


def reasons() -> list[str]:
    rows = PaymentAttempt.objects.order_by("created_at", "pk")
    return [row.route_reason for row in rows]


def test_unheard_it_goes_to_the_other_gateway_once(
    shop: Shop, alice: Customer, alpha: MoodyGateway, beta: MoodyGateway
) -> None:
    fails_over(shop, "alpha")
    alpha.mood = Mood.DEAF

    paid = shop.charges(alice)

    assert (paid.gateway, paid.status) == ("beta", SUCCEEDED)
    assert states() == [ABANDONED, SUCCEEDED]
    assert (len(alpha.asked), len(beta.taken)) == (1, 1)
    assert reasons() == [
        "the default payment method",
        "alpha does not answer; the next payment method",
    ]
    first = PaymentAttempt.objects.get(status=ABANDONED)
    assert (first.decline_code, first.is_hard_decline) == ("gateway_unavailable", False)
    assert Payment.objects.get().gateway == "beta"
    assert Invoice.objects.get().status == InvoiceStatus.PAID
    assert not JournalEntry.objects.filter(kind="PAYMENT_DECLINED").exists()
    alpha.mood = Mood.GOOD
    shop.later(days=2)
    shop.works()
    assert alpha.taken == []


def test_a_decline_is_the_payers_own_and_goes_nowhere_else(
    shop: Shop, alice: Customer, alpha: MoodyGateway, beta: MoodyGateway
) -> None:
    fails_over(shop, "alpha")
    alpha.mood = Mood.POOR

    shop.charges(alice)

    assert states() == [FAILED]
    assert beta.asked == []


def test_what_may_have_been_heard_goes_nowhere_else(
    shop: Shop, alice: Customer, silent: MoodyGateway, beta: MoodyGateway
) -> None:
    fails_over(shop, "alpha", "beta")
    attempt = shop.charges(alice)
    assert attempt.status == AttemptStatus.UNKNOWN

    silent.mood = Mood.DEAF  # by now it is not even there
    for _ in range(6):
        shop.later(minutes=10)
        shop.sweeps()
    assert states() == [AttemptStatus.UNKNOWN]
    assert beta.asked == []

    silent.mood = Mood.GOOD
    shop.works()
    assert set(silent.asked) == {str(attempt.pk)}
    assert (silent.taken, beta.asked) == ([str(attempt.pk)], [])
    assert states() == [SUCCEEDED]


def test_without_a_policy_it_waits_for_its_own_gateway(
    shop: Shop, alice: Customer, alpha: MoodyGateway, beta: MoodyGateway
) -> None:
    alpha.mood = Mood.DEAF
    attempt = shop.charges(alice)
    assert (attempt.status, attempt.sent_at) == (AttemptStatus.CREATED, None)

    alpha.mood = Mood.GOOD
    shop.works()

    assert (states(), beta.asked) == ([SUCCEEDED], [])
    assert alpha.taken == [str(attempt.pk)]


def test_where_neither_hears_it_waits_and_is_charged_once(
    shop: Shop, alice: Customer, alpha: MoodyGateway, beta: MoodyGateway
) -> None:
    fails_over(shop, "alpha", "beta")
    alpha.mood = beta.mood = Mood.DEAF
    shop.charges(alice)
    assert states() == [ABANDONED, AttemptStatus.CREATED]

    for _ in range(5):
        shop.later(hours=1)
        shop.sweeps()
    alpha.mood = beta.mood = Mood.GOOD
    shop.works()

    assert Payment.objects.count() == 1
    assert len(alpha.taken) + len(beta.taken) == 1


def test_a_gateway_switched_off_gives_way_at_once(
    shop: Shop, alice: Customer, alpha: MoodyGateway, beta: MoodyGateway
) -> None:
    shop.charges(alice)
    routes.update("alpha", {"is_enabled": False}, by="olga", now=shop.now)

    shop.charges(alice)

    assert (len(alpha.taken), len(beta.taken)) == (1, 1)
    assert reasons()[1] == "alpha is switched off; the next payment method"
    routes.update("alpha", {"is_enabled": True}, by="olga", now=shop.now)
    shop.charges(alice)
    assert (len(alpha.taken), len(beta.taken)) == (2, 1)


def test_with_all_switched_off_the_schedule_looks_again_in_an_hour(
    shop: Shop, alice: Customer, alpha: MoodyGateway, beta: MoodyGateway
) -> None:
    alpha.mood = Mood.POOR
    invoice = shop.charges(alice).invoice
    alpha.mood = Mood.GOOD
    for name in ("alpha", "beta"):
        routes.update(name, {"is_enabled": False}, by="olga", now=shop.now)
    with pytest.raises(ConflictError) as refused:
        payments.charge(invoice.pk, by="test", now=shop.now)
    assert refused.value.code == "no_gateway"

    shop.later(days=1, minutes=1)
    shop.sweeps()

    invoice.refresh_from_db()
    assert invoice.next_charge_at is not None
    assert 3500 < (invoice.next_charge_at - shop.now).total_seconds() <= 3600
    [fact] = JournalEntry.objects.filter(kind="CHARGE_DEFERRED")
    assert fact.context["reason"] == "alpha is switched off; beta is switched off"
    assert states() == [FAILED]

    routes.update("beta", {"is_enabled": True}, by="olga", now=shop.now)
    shop.later(hours=1)
    shop.sweeps()
    assert states() == [FAILED, SUCCEEDED]
    assert (alpha.taken, len(beta.taken)) == ([], 1)


def test_what_stripe_turned_away_another_takes_and_stripe_never(
    shop: Shop, stripe: Stripe, beta: MoodyGateway
) -> None:
    shop.offers(stripe.gateway, beta)
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    shop.card(alice, "tok_ok", gateway="beta")
    fails_over(shop, "stripe")
    stripe.stand_in.fail("POST /v1/payment_intents", action="429")

    paid = shop.charges(alice)

    assert (paid.gateway, states()) == ("beta", [ABANDONED, SUCCEEDED])
    shop.later(days=1)
    shop.works()
    assert stripe.till.taken() == []


def test_where_nobody_listens_at_stripes_address_another_is_asked(
    shop: Shop, stripe: Stripe, beta: MoodyGateway
) -> None:
    shop.offers(stripe.gateway, beta)
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    shop.card(alice, "tok_ok", gateway="beta")
    fails_over(shop, "stripe")
    shop.offers(gone(), beta)

    paid = shop.charges(alice)

    assert (paid.gateway, states()) == ("beta", [ABANDONED, SUCCEEDED])


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_stripe_may_have_heard_no_other_is_asked(
    shop: Shop, stripe: Stripe, beta: MoodyGateway, moment: str
) -> None:
    shop.offers(stripe.gateway, beta)
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    shop.card(alice, "tok_ok", gateway="beta")
    fails_over(shop, "stripe", "beta")
    stripe.stand_in.fail("POST /v1/payment_intents", action="cut", moment=moment, times=3)
    attempt = shop.charges(alice)
    assert attempt.status == AttemptStatus.UNKNOWN
    stripe.stand_in.fail("POST /v1/payment_intents", action="429")

    shop.works()

    assert fresh(attempt).status == SUCCEEDED
    assert (states(), beta.asked) == ([SUCCEEDED], [])
