"""Each check of credit notes, refunds and disputes finds what it is for (see test_verification)."""

from __future__ import annotations

import pytest
from django.db import connection

from billing.core.lifecycle import DisputeStatus
from billing.core.money import Money
from billing.gateways.base import Dispute
from billing.queries import verification, verification_returns
from billing.services import disputes
from tests.services.returning import amount, bills, credit, payment_of, pays, refund
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.crooked_books]

BREAKS = {
    "credit notes take back no more of a line than it is": "UPDATE billing_creditnoteline"
    " SET net_minor = net_minor + 100000",
    "credit notes take back no more of an invoice than it is, and all of one that is void": "UPDATE"
    " billing_invoice SET status = 'REFUNDED' WHERE status = 'PAID'",
    "a credit note is its lines, its taxes, and where it went": "UPDATE billing_creditnote"
    " SET tax_totals = '[]'",
    "a credit note is in the journal, and no other": "UPDATE billing_journalentry"
    " SET idempotency_key = 'x' WHERE kind = 'CREDIT_NOTE_ISSUED' AND source_id = ("
    " SELECT max(id::text)::uuid FROM billing_creditnote)",
    "a series of credit notes has every number once": "UPDATE billing_invoiceseries"
    " SET next_number = 99 WHERE kind = 'CREDIT_NOTE'",
    "no more of a payment goes back than came": "UPDATE billing_refund SET amount_minor = 1000000",
    "the refunds account is what is on its way": "UPDATE billing_refund SET status = 'PROCESSING'",
    "a refund that was paid or failed is in the journal, and no other": "UPDATE billing_refund"
    " SET status = 'FAILED'",
    "the disputes account is what gateways hold back": "UPDATE billing_dispute"
    " SET amount_minor = 1",
    "what is in protest is contested": "UPDATE billing_dispute"
    " SET status = 'WON', closed_at = now()",
}


@pytest.fixture(scope="module")
def told_once(lasting: None) -> World:
    """An invoice credited in part, one refunded in part, one a bank contests."""
    world = World()
    alice = world.at("2026-04-01").customer("alice")
    credit(world, bills(world, alice, "100.00"), amount("10.00"))
    refund(world, pays(world, alice, "100.00"), "30.00")
    contested = payment_of(pays(world, alice, "50.00"))
    case = Dispute("dp_1", "ch_1", Money(5000, "USD"), DisputeStatus.OPEN)
    disputes.opened(contested.pk, case, now=world.now)
    return world


def test_sound_books_find_nothing(world: World) -> None:
    assert list(verification.discrepancies()) == []


def test_every_check_is_broken_here() -> None:
    assert set(BREAKS) == set(verification_returns.CHECKS)


@pytest.mark.parametrize("check", BREAKS)
def test_a_broken_book_is_found(world: World, check: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(BREAKS[check])
        cursor.execute("SET session_replication_role = DEFAULT")

    assert check in {found.check for found in verification.discrepancies()}
