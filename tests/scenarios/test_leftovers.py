"""A subscription ends with credit on its tab: it is given back, for no invoice will take it up."""

from __future__ import annotations

from typing import Any

import pytest

from billing.core.money import Money
from billing.models import CreditGrant, CreditNote, Invoice, InvoiceLine, Seller
from customers.models import Customer
from plans.terms import Billed
from tests.world import World

pytestmark = pytest.mark.django_db


def _notes() -> list[tuple[str, str, str, str]]:
    """Net, tax, and how much went to what is due and to credit."""
    return [
        (
            _major(row.total_minor - row.tax_minor),
            _major(row.tax_minor),
            _major(row.to_due_minor),
            _major(row.to_credit_minor),
        )
        for row in CreditNote.objects.order_by("sequence")
    ]


def _major(minor: int) -> str:
    return str(Money(minor, "EUR").major)


def _on(world: World, amount: str, *, card: str = "tok_ok", **terms: Any) -> Customer:
    world.sells("Ahead", amount, currency="EUR", **terms)
    alice = world.at("2025-09-18").customer("alice", country="DE", currency="EUR")
    world.adds_card(alice, card)
    world.subscribes(alice, "Ahead")
    return alice


def _taxed(country: str = "DE") -> None:
    Seller.objects.create(name="Ours", country=country, tax_policy="EU_VAT", is_default=True)


def test_what_is_not_used_is_credited_with_its_tax(world: World) -> None:
    _taxed()
    alice = _on(world, "300.00")
    world.at("2025-10-03").cancels(alice, "now")

    # Half of September and October's month is left: 15 of 30 days.
    assert _notes() == [("150.00", "28.50", "0.00", "178.50")]
    assert CreditGrant.objects.get().amount.minor == 178_50
    assert not InvoiceLine.objects.waiting().exists()
    assert Invoice.objects.get().status == "PAID"


def test_peers_day_of_the_cancellation_is_used(world: World) -> None:
    # Lago: 160.00 at 25 %, canceled on the first day, of which 29/30 are left.
    _taxed("DK")
    world.sells("Ahead", "160.00", currency="EUR", first_day_counts=False)
    alice = world.at("2025-09-18").customer("alice", country="DK", currency="EUR")
    world.adds_card(alice)
    world.subscribes(alice, "Ahead")
    world.at("2025-09-18 12:00").cancels(alice, "now")

    [(net, tax, _, _)] = _notes()
    assert (net, tax) == ("154.67", "38.67")


def test_what_was_not_paid_is_owed_no_more(world: World) -> None:
    _taxed()
    alice = _on(world, "300.00", card="tok_declined")
    world.at("2025-10-03").cancels(alice, "now")

    assert _notes() == [("150.00", "28.50", "178.50", "0.00")]
    assert not CreditGrant.objects.exists()


def test_prices_with_tax_are_given_back_with_tax(world: World) -> None:
    _taxed()
    alice = _on(world, "119.00", is_tax_included=True)
    world.at("2025-10-03").cancels(alice, "now")

    assert _notes() == [("50.00", "9.50", "0.00", "59.50")]


def test_credit_carried_over_from_a_downgrade_is_given_back_too(world: World) -> None:
    alice = _on(world, "300.00")
    world.sells("Less", "30.00", currency="EUR")
    world.at("2025-10-03").changes(alice, plan="Less", when="now", charge=None)
    world.at("2025-10-04").cancels(alice, "now")

    assert not InvoiceLine.objects.waiting().exists()
    given = sum(row.amount.minor for row in CreditGrant.objects.all())
    paid = sum(row.total.minor for row in Invoice.objects.filter(status="PAID"))
    # 15 of 30 days on the dearer plan, one on the other.
    assert paid - given == 150_00 + 1_00


def test_in_arrears_nothing_is_left(world: World) -> None:
    alice = _on(world, "300.00", billed=Billed.IN_ARREARS)
    world.at("2025-10-03").cancels(alice, "now")

    assert _notes() == []
