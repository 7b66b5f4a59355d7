"""A charge whose answer never came: asked about under its own key, in nobody's way, and decided by
a person in the end.
"""

from __future__ import annotations

import pytest

from billing import tasks
from billing.core import asking
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.models import CreditGrant, Invoice, JournalEntry, Payment, PaymentAttempt, Refund
from billing.services import (
    following,
    payer_actions,
    payment_methods,
    payments,
    refunds,
    sweep,
)
from customers.models import Customer
from tests.api.calling import caller
from tests.faults.conftest import Stripe, gone, keys
from tests.faults.shop import Shop, fresh, states
from tests.faults.telling import hear, told

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN, SUCCEEDED, FAILED = AttemptStatus.UNKNOWN, AttemptStatus.SUCCEEDED, AttemptStatus.FAILED


@pytest.fixture
def alice(shop: Shop, stripe: Stripe) -> Customer:
    shop.offers(stripe.gateway)
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    return alice


def lost(shop: Shop, stripe: Stripe, alice: Customer, moment: str) -> PaymentAttempt:
    stripe.stand_in.fail("POST /v1/payment_intents", action="cut", moment=moment, times=3)
    attempt = shop.charges(alice)
    assert attempt.status == UNKNOWN
    return attempt


def undecided(shop: Shop, stripe: Stripe, alice: Customer, moment: str) -> PaymentAttempt:
    """Lost, and then the gateway is away for longer than it is asked; by now it is back."""
    attempt = lost(shop, stripe, alice, moment)
    shop.offers(gone())
    shop.works()
    shop.later(minutes=11)  # it is left alone for a while
    shop.offers(stripe.gateway)
    attempt = fresh(attempt)
    assert (attempt.status, attempt.is_undecided) == (UNKNOWN, True)
    return attempt


def test_it_is_never_sent_under_another_key(shop: Shop, stripe: Stripe, alice: Customer) -> None:
    attempt = lost(shop, stripe, alice, "before")
    stripe.stand_in.fail("POST /v1/payment_intents", action="cut", moment="before", times=6)

    shop.works()

    assert fresh(attempt).status == SUCCEEDED
    assert keys(stripe) == [f"attempt:{attempt.pk}"] * 10
    assert PaymentAttempt.objects.count() == 1


def test_a_refund_is_never_sent_under_another_key(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    row = shop.gives_back(shop.charges(alice).invoice)
    stripe.stand_in.fail("POST /v1/refunds", action="cut", moment="before", times=6)

    shop.works()

    assert Refund.objects.get().status == SUCCEEDED
    assert keys(stripe, "/v1/refunds") == [f"refund:{row.pk}"] * 7


def test_nobody_can_charge_for_it_again(shop: Shop, stripe: Stripe, alice: Customer) -> None:
    attempt = lost(shop, stripe, alice, "after")
    invoice, method = attempt.invoice, attempt.payment_method

    with pytest.raises(ConflictError, match="under way"):
        payments.charge(invoice.pk, by="test", now=shop.now)
    refused = caller().post("/charges", {"invoice_id": str(invoice.pk)}, idempotency_key="another")
    assert (refused.status, refused.code) == (409, "charge_under_way")
    with pytest.raises(ConflictError, match="under way"):
        payer_actions.withdraw(attempt.pk, now=shop.now)
    with pytest.raises(ConflictError, match="under way"):
        payment_methods.remove(method.pk, by="alice", now=shop.now)
    with pytest.raises(ConflictError, match="still being asked"):
        following.decide(attempt.pk, was_taken=False, by="olga", now=shop.now)
    shop.card(alice, "pm_card_mastercard", is_default=True)
    Invoice.objects.filter(pk=invoice.pk).update(next_charge_at=shop.now)
    assert payments.retry_due(now=shop.now) == []

    assert states() == [UNKNOWN]
    shop.works()
    assert states() == [SUCCEEDED]
    assert len(stripe.till.taken()) == 1


def test_after_a_day_a_person_decides_and_the_sweeper_leaves_it(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    attempt = undecided(shop, stripe, alice, "after")
    assert attempt.sent_at is not None
    assert shop.now - attempt.sent_at >= asking.LIMIT

    shop.later(days=1)
    found = sweep.sweep(now=shop.now)

    assert (found.attempts, found.asked) == ([], [])
    with pytest.raises(ConflictError, match="under way"):
        payments.charge(attempt.invoice_id, by="test", now=shop.now)
    following.ask_again(attempt.pk, now=shop.now)
    shop.sweeps()
    assert fresh(attempt).status == SUCCEEDED


def test_decided_as_taken_it_is_booked_under_the_gateways_id(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    attempt = undecided(shop, stripe, alice, "after")
    [intent] = stripe.till.client.v1.payment_intents.list().data
    with pytest.raises(ConflictError) as refused:
        following.decide(attempt.pk, was_taken=True, by="olga", now=shop.now)
    assert refused.value.code == "external_id_needed"

    following.decide(attempt.pk, was_taken=True, external_id=intent.id, by="olga", now=shop.now)

    assert Invoice.objects.get().status == InvoiceStatus.PAID
    hear(shop, told(stripe))
    assert Payment.objects.count() == 1
    assert JournalEntry.objects.get(kind="ATTEMPT_DECIDED").context["was_taken"] is True


def test_decided_as_not_taken_it_may_be_charged_anew(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    attempt = undecided(shop, stripe, alice, "before")

    following.decide(attempt.pk, was_taken=False, by="olga", now=shop.now)

    assert (states(), stripe.till.taken()) == ([FAILED], [])
    shop.sends(shop.wants(attempt.invoice))
    assert states() == [FAILED, SUCCEEDED]
    assert len(set(keys(stripe))) == 2


@pytest.mark.parametrize(
    "decided",
    [(False, "notification"), (False, "comparing"), (True, "notification"), (True, "comparing")],
)
def test_wrongly_decided_as_not_taken_the_money_is_booked_all_the_same(
    shop: Shop,
    stripe: Stripe,
    alice: Customer,
    decided: tuple[bool, str],
) -> None:
    is_paid, told_by = decided
    attempt = undecided(shop, stripe, alice, "after")
    following.decide(attempt.pk, was_taken=False, by="olga", now=shop.now)
    if is_paid:
        shop.pays_twice = True
        shop.sends(shop.wants(attempt.invoice))

    if told_by == "notification":
        hear(shop, told(stripe))
    else:
        tasks.reconcile()

    assert fresh(attempt).status == SUCCEEDED
    assert Invoice.objects.get().status == InvoiceStatus.PAID
    assert len(stripe.till.taken()) == Payment.objects.count() == 1 + is_paid
    credit = sum(CreditGrant.objects.values_list("remaining_minor", flat=True))
    assert credit == (25_00 if is_paid else 0)


def test_a_refund_that_nobody_decides_is_settled_by_the_gateways_word(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    row = shop.gives_back(shop.charges(alice).invoice)
    stripe.stand_in.fail("POST /v1/refunds", action="cut", moment="after", times=3)
    refunds.collect(row.pk, now=shop.now)
    shop.offers(gone())
    shop.works()
    row.refresh_from_db()
    assert (row.status, row.is_undecided) == (UNKNOWN, True)
    assert sweep.sweep(now=shop.now).refunds == []
    shop.offers(stripe.gateway)
    shop.later(minutes=11)

    hear(shop, told(stripe))

    row.refresh_from_db()
    assert (row.status, row.is_undecided) == (SUCCEEDED, False)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_refund_that_is_left_to_a_person_can_be_sent_again(
    shop: Shop, stripe: Stripe, alice: Customer, moment: str
) -> None:
    row = shop.gives_back(shop.charges(alice).invoice)
    stripe.stand_in.fail("POST /v1/refunds", action="cut", moment=moment, times=3)
    refunds.collect(row.pk, now=shop.now)
    shop.offers(gone())
    shop.works()
    shop.offers(stripe.gateway)
    shop.later(minutes=11)
    assert Refund.objects.get().is_undecided

    tasks.refund(refund_id=str(row.pk))

    row.refresh_from_db()
    assert (row.status, row.is_undecided) == (SUCCEEDED, False)
    assert set(keys(stripe, "/v1/refunds")) == {f"refund:{row.pk}"}


def test_a_message_that_was_stuck_in_the_queue_may_ask_about_what_is_undecided(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    attempt = undecided(shop, stripe, alice, "after")
    shop.offers(gone())

    tasks.collect(attempt_id=str(attempt.pk))

    left = fresh(attempt)
    assert (left.status, left.is_undecided) == (UNKNOWN, True)
    shop.offers(stripe.gateway)
    shop.later(minutes=11)
    tasks.collect(attempt_id=str(attempt.pk))
    assert fresh(attempt).status == SUCCEEDED
