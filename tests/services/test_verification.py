"""Each check finds what it is for: the books are broken on purpose, past every guard."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.queries import verification
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crooked_books]

BREAKS = {
    "every journal entry balances": "UPDATE billing_journalline SET amount_minor = amount_minor + 1"
    " WHERE account_id = 'revenue'",
    "a series has every number once": "UPDATE billing_invoiceseries SET next_number = 99",
    "an invoice's lines, less their discounts, sum to its total": "UPDATE"
    " billing_invoiceline SET amount_minor = 1",
    "a finalized invoice is in the journal, and no other": "UPDATE billing_journalentry"
    " SET idempotency_key = 'x' WHERE kind = 'INVOICE_FINALIZED'",
    "what is owed is total less allocations, and nothing where it is settled": "UPDATE"
    " billing_allocation SET amount_minor = amount_minor - 1",
    "every success is a payment, and every payment of an attempt a success": "UPDATE"
    " billing_paymentattempt SET status = 'FAILED'",
    "a payment is allocated whole and booked as cash": "UPDATE billing_payment SET gateway = 'x'",
    "usage totals equal their events": "UPDATE billing_usagetotal SET quantity = quantity + 1",
    "unique values equal their events": "INSERT INTO billing_usagevalue"
    " (period_id, meter_id, component, value, events, day)"
    " SELECT period_id, meter_id, component, 'x', 1, '2026-04-20' FROM billing_usagetotal LIMIT 1",
    "usage days equal their events": "UPDATE billing_usageday SET quantity = quantity + 1",
    "no event waits where a period counts it": "UPDATE billing_usageevent SET period_id = NULL",
    "periods follow each other": "UPDATE billing_billingperiod"
    " SET ends_at = ends_at + '1 day'::interval",
    "a closed period is charged whole, its usage once for each price": "UPDATE"
    " billing_billingperiod SET charged_until = starts_at",
    "recurring charges are what the periods say": "UPDATE billing_billingperiod"
    " SET recurring_minor = recurring_minor + 1",
    "a coupon was redeemed as often as it counts": "INSERT INTO plans_coupon (id, code,"
    " percent_off, currency, duration, redemptions, plan_ids, created_by, created_at)"
    " VALUES (uuidv7(), 'X', 5, '', 'ONCE', 1, '{}', '', now())",
    "what is due next is the end of the period or the next change": "UPDATE billing_subscription"
    " SET due_at = due_at + '1 day'::interval",
    "no invoice is charged twice": "INSERT INTO billing_paymentattempt SELECT uuidv7(), gateway,"
    " amount_minor, currency, status, external_id || '2', decline_code, decline_message,"
    " is_hard_decline, created_by, created_at, settled_at, invoice_id, payment_method_id"
    " FROM billing_paymentattempt",
}


@pytest.fixture
def lived(world: World) -> World:
    """A paid month with usage."""
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-04-20").uses(alice, 300)
    return world.at("2026-05-01")


def test_sound_books_find_nothing(lived: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_books")
    assert "The books agree" in capsys.readouterr().out


def test_every_check_is_broken_here() -> None:
    assert set(BREAKS) == set(verification.CHECKS)


@pytest.mark.parametrize("check", BREAKS)
def test_a_broken_book_is_found(lived: World, check: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(BREAKS[check])
        cursor.execute("SET session_replication_role = DEFAULT")

    assert check in {found.check for found in verification.discrepancies()}
    with pytest.raises(CommandError, match="discrepancies"):
        call_command("verify_books")
