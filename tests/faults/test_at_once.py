"""Fifty at once: they pay the same invoice, send the same charge, tell the same notification."""

from __future__ import annotations

from uuid import UUID

import pytest

from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus
from billing.models import GatewayEvent, JournalEntry, Payment, PaymentAttempt
from billing.services import gateway_events, payments, refunds
from tests.faults.conftest import Stripe, keys
from tests.faults.shop import Shop
from tests.faults.telling import told
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = 50


@pytest.fixture(autouse=True)
def _stripe_is_offered(shop: Shop, stripe: Stripe) -> None:
    shop.offers(stripe.gateway)


def test_fifty_who_pay_the_same_invoice_pay_it_once(shop: Shop, stripe: Stripe) -> None:
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    invoice = shop.bills(alice)

    def pay() -> AttemptStatus | None:
        attempt = shop.sends(shop.wants(invoice))
        return AttemptStatus(attempt.status) if attempt else None

    outcomes = at_once(*(pay for _ in range(FIFTY)))

    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert {type(one) for one in refused} == {ConflictError}
    assert [one for one in outcomes if one not in refused] == [AttemptStatus.SUCCEEDED]
    assert PaymentAttempt.objects.count() == Payment.objects.count() == len(keys(stripe)) == 1


def test_fifty_workers_on_one_charge_send_it_once(shop: Shop, stripe: Stripe) -> None:
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    attempt = shop.wants(shop.bills(alice))

    outcomes = at_once(*(lambda: payments.collect(attempt.pk, now=shop.now) for _ in range(FIFTY)))

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert keys(stripe) == [f"attempt:{attempt.pk}"]
    assert Payment.objects.count() == 1


def test_fifty_workers_on_one_refund_send_it_once(shop: Shop, stripe: Stripe) -> None:
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    row = shop.gives_back(shop.charges(alice).invoice)

    outcomes = at_once(*(lambda: refunds.collect(row.pk, now=shop.now) for _ in range(FIFTY)))

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert keys(stripe, "/v1/refunds") == [f"refund:{row.pk}"]
    assert JournalEntry.objects.filter(kind="REFUND_PAID").count() == 1


def test_fifty_who_tell_the_same_are_heard_once(shop: Shop, stripe: Stripe) -> None:
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    stripe.stand_in.fail("POST /v1/payment_intents", action="cut", moment="after", times=3)
    shop.charges(alice)
    [known] = [one for one in told(stripe) if one.kind == "payment_intent.succeeded"]

    def hear() -> UUID | None:
        event_id = gateway_events.receive(known, gateway="stripe", now=shop.now)
        event = GatewayEvent.objects.get(event_id=known.event_id)
        gateway_events.handle(event.pk, now=shop.now)
        return event_id

    outcomes = at_once(*(hear for _ in range(FIFTY)))

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert len([one for one in outcomes if one is not None]) == 1
    event = GatewayEvent.objects.get()
    assert (event.tries, event.outcome) == (1, "attempt succeeded")
    assert Payment.objects.count() == 1
