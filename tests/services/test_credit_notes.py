from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError

from billing.core.crediting import Request, Wish
from billing.core.errors import ConflictError, InvalidError
from billing.core.returning import Destination
from billing.models import CreditNote, Deferral, JournalEntry, Refund, Seller
from billing.services import credit_notes, invoices, payments
from billing.services.credit_notes import Order
from customers import services as customer_services
from tests.services import paying
from tests.services.paying import account, facts, left, state
from tests.services.returning import (
    amount,
    bills,
    credit,
    fresh,
    line,
    pays,
    taxes,
    went,
)
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db


def test_what_is_owed_is_lessened_first(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")

    note = credit(world, invoice, amount("30.00"))

    assert went(note) == ("30.00", "30.00", "0.00", "0.00")
    assert state(invoice) == ("PENDING", "70.00")
    assert account("receivables", alice) == 7000
    assert account("revenue:items", alice) == -7000


@pytest.mark.django_db(transaction=True)
def test_the_document_is_frozen_as_the_invoice_was(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    taxes(world)
    invoice = bills(world, alice, "100.00", "50.00")
    customer_services.update(alice.pk, fields={"name": "Queen Alice"}, by="test", now=world.now)
    Seller.objects.update(name="Renamed")

    note = credit(world, invoice, Request(wishes=(line(invoice, 2),)))

    assert (note.number, note.sequence) == ("CN-000001", 1)
    assert note.buyer["name"] == "Alice Liddell"
    assert note.seller["name"] == "Ours"
    assert [
        (row.position, row.description, row.net_minor, row.tax_minor) for row in note.lines.all()
    ] == [(1, "Item 1", 5000, 950)]
    assert (note.total.minor, note.tax.minor) == (5950, 950)
    [tax] = note.tax_totals
    assert (tax["base_minor"], tax["amount_minor"], tax["percent"]) == (5000, 950, "19")
    assert state(invoice) == ("PENDING", "119.00")
    assert account("tax:GB:19", alice) == -1900
    for change in (
        lambda: CreditNote.objects.update(note="x"),
        lambda: note.lines.update(net_minor=1),
        lambda: note.lines.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="refused"):
            change()


def test_an_invoice_nobody_paid_is_canceled_once_all_is_credited(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")
    credit(world, invoice, amount("99.99"))
    assert state(invoice) == ("PENDING", "0.01")

    credit(world, invoice)

    assert state(invoice) == ("CANCELED", "0.00")
    assert account("receivables", alice) == 0
    with pytest.raises(ConflictError, match="canceled"):
        credit(world, invoice)


def test_an_invoice_paid_in_part_is_paid_once_the_rest_is_credited(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")
    paying.pay(world, alice, "60.00")

    note = credit(world, invoice, amount("40.00"))

    assert went(note) == ("40.00", "40.00", "0.00", "0.00")
    assert state(invoice) == ("PAID", "0.00")
    assert left(alice) == []


def test_canceling_is_a_credit_note_over_all_and_what_was_paid_is_credit(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")
    paying.pay(world, alice, "60.00")

    invoices.cancel(invoice.pk, by="olga", now=world.now)

    note = CreditNote.objects.get()
    assert (note.reason, went(note)) == ("CANCELLATION", ("100.00", "40.00", "60.00", "0.00"))
    assert state(invoice) == ("CANCELED", "0.00")
    assert left(alice) == [("PAID", "60.00")]
    assert fresh(invoice).number == "INV-000001"


def test_what_was_paid_becomes_credit_and_pays_the_next_invoice(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")

    note = credit(world, invoice, amount("30.00"), to="BALANCE")
    following = bills(world, alice, "50.00")

    assert went(note) == ("30.00", "0.00", "30.00", "0.00")
    assert state(invoice) == ("PAID", "0.00")
    assert state(following) == ("PENDING", "20.00")


def test_what_was_paid_goes_back_by_the_newest_payment_first(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, "100.00")
    first = paying.pay(world, alice, "70.00")
    second = paying.pay(world.at("2026-04-02"), alice, "30.00")

    note = credit(world, invoice, amount("50.00"), to="REFUND")

    assert went(note) == ("50.00", "0.00", "0.00", "50.00")
    rows = Refund.objects.order_by("amount_minor").values_list("payment", "amount_minor", "status")
    assert list(rows) == [(first.pk, 2000, "CREATED"), (second.pk, 3000, "CREATED")]
    assert account("refunds", alice) == -5000


def test_by_itself_nobody_has_to_pay_out_by_hand(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    by_hand = bills(world, alice, "100.00")
    paying.pay(world, alice, "100.00")

    assert went(credit(world, by_hand)) == ("100.00", "0.00", "100.00", "0.00")
    assert state(by_hand) == ("PAID", "0.00")


def test_what_credit_paid_is_credit_again(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    paying.give(world, alice, "30.00")
    invoice = pays(world, alice, "100.00")

    note = credit(world, invoice, to="REFUND")

    assert went(note) == ("100.00", "0.00", "30.00", "70.00")
    world.at("2026-04-01 00:01")
    assert state(invoice) == ("REFUNDED", "0.00")
    assert left(alice) == [("PAID", "30.00")]


def test_what_was_let_go_was_not_paid(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    Seller.objects.update_or_create(
        is_default=True, defaults={"name": "Ours", "tolerance_minor": 5}
    )
    invoice = bills(world, alice, "100.00")
    paying.pay(world, alice, "99.97", (invoice, "99.97"))
    assert state(invoice) == ("PAID", "0.00")

    note = credit(world, invoice, to="BALANCE")

    assert went(note) == ("100.00", "0.03", "99.97", "0.00")
    assert account("rounding", alice) == 0
    assert left(alice) == [("PAID", "99.97")]


def test_lines_are_credited_by_amount_and_quantity_up_to_what_they_are(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    taxes(world)
    invoice = bills(world, alice, "10.00", "20.00")
    wishes = (line(invoice, 1, "2.50"), line(invoice, 2, quantity=1))

    note = credit(world, invoice, Request(wishes=wishes))

    assert [(row.quantity, row.net_minor) for row in note.lines.order_by("position")] == [
        (None, 250),
        (Decimal(1), 500),
    ]
    assert note.total.minor == 893
    with pytest.raises(ConflictError, match=r"Only 7.50 USD is left of the line"):
        credit(world, invoice, Request(wishes=(line(invoice, 1, "7.51"),)))
    with pytest.raises(InvalidError, match="has no line"):
        credit(world, invoice, Request(wishes=(Wish("nothing"),)))
    rest = credit(world, invoice)
    assert note.total.minor + rest.total.minor == invoice.total_minor
    assert note.tax.minor + rest.tax.minor == invoice.tax_minor


@pytest.mark.parametrize(("currency", "total"), [("JPY", "1000"), ("KWD", "10.001")])
def test_currencies_of_every_sort_are_credited(world: World, currency: str, total: str) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = bills(world, alice, total, currency=currency)
    part = credit(world, invoice, amount("3", currency))
    rest = credit(world, invoice)
    assert part.total + rest.total == invoice.total


def test_drafts_and_what_is_at_an_end_are_not_credited(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(ConflictError, match="Edit it instead"):
        credit(world, world.drafts(alice, "5.00"))


def test_nothing_is_credited_while_a_charge_is_under_way(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    invoice = bills(world, alice, "5.00")
    payments.charge(invoice.pk, by="test", now=world.now)
    with pytest.raises(ConflictError, match="under way"):
        credit(world, invoice)
    assert not CreditNote.objects.exists()


def test_a_credit_takes_back_what_is_still_to_be_earned(world: World) -> None:
    world.sells("Advance", "30.00")
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Advance")
    invoice = world.newest_invoice(alice)
    world.at("2026-04-16")
    assert (account("deferred_revenue", alice), state(invoice)[0]) == (-3000, "PAID")

    note = credit(world, invoice, amount("20.00"))

    rows = Deferral.objects.filter(credit_line__credit_note=note)
    assert [(row.amount_minor, row.starts_on, row.ends_on) for row in rows] == [
        (-1500, date(2026, 4, 16), date(2026, 5, 1))
    ]
    entry = JournalEntry.objects.get(idempotency_key=f"credit_note:{note.pk}:issued")
    lines = entry.lines.order_by("pk").values_list("account", "side", "amount_minor")
    plan = f"revenue:{invoice.lines.get().plan_id}"
    assert list(lines) == [
        (plan, "DEBIT", 500),
        ("deferred_revenue", "DEBIT", 1500),
        ("refunds", "CREDIT", 2000),
    ]
    world.at("2026-06-01")


@pytest.mark.django_db(transaction=True)
def test_of_one_line_nothing_is_credited_twice_however_many_ask(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = pays(world, alice, "100.00")
    order, now = Order(amount("30.00"), Destination.BALANCE), world.now
    found = at_once(
        *(lambda: credit_notes.issue(invoice.pk, order, by="olga", now=now) for _ in range(20))
    )

    assert sum(isinstance(note, CreditNote) for note in found) == 3
    assert {type(note) for note in found} == {CreditNote, ConflictError}
    numbers = CreditNote.objects.order_by("sequence").values_list("number", flat=True)
    assert list(numbers) == ["CN-000001", "CN-000002", "CN-000003"]


def test_a_subscription_recovers_when_what_it_owes_is_credited(world: World) -> None:
    world.sells("Advance", "30.00")
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice, "tok_declined")
    world.subscribes(alice, "Advance")
    invoice = world.newest_invoice(alice)
    assert world.subscription(alice).status == "PAST_DUE"

    credit(world, invoice)

    assert state(invoice) == ("CANCELED", "0.00")
    assert world.subscription(alice).status == "ACTIVE"
    assert "DUNNING_ENDED" in facts(alice)
