from __future__ import annotations

import re
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from billing.core import lifecycle
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.core.invoicing import Item
from billing.core.lifecycle import InvoiceStatus
from billing.models import Invoice, InvoiceLine, JournalEntry, JournalLine, PaymentAttempt
from billing.queries import balances
from billing.services import invoices, payments
from customers import services as customer_services
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db(transaction=True)


@transaction.atomic
def finalize(*drafts: Invoice, now: str = "2026-04-01") -> None:
    """Finalize drafts in one transaction."""
    invoices.finalize(list(drafts), now=instant(now))


def test_items_become_lines_with_their_arithmetic(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = invoices.draft(
        alice.pk,
        currency="KWD",
        items=[
            Item("Setting up", Decimal(1), Decimal("12.345")),
            Item("Hours", Decimal("2.5"), Decimal("0.3335")),
        ],
        by="test",
        now=world.now,
    )

    assert invoice.status == InvoiceStatus.DRAFT
    assert invoice.number is None
    assert invoice.total.minor == 12_345 + 834  # 0.83375 is 0.834
    assert [line.explanation for line in invoice.lines.order_by("position")] == [
        "1 × 12.345 = 12.345 KWD",
        "2.5 × 0.3335 = 0.834 KWD",
    ]
    assert not JournalEntry.objects.exists()


def test_a_total_must_not_be_negative_or_absurd(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    for price in ("-5", "1e17"):
        with pytest.raises(InvalidError):
            world.drafts(alice, price)
    assert not Invoice.objects.exists()


def test_unknown_customers_and_currencies_are_refused(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(NotFoundError):
        invoices.draft(uuid4(), currency="USD", items=[], by="test", now=world.now)
    with pytest.raises(InvalidError):
        invoices.draft(alice.pk, currency="ABC", items=[], by="test", now=world.now)


def test_finalizing_numbers_freezes_and_enters_in_the_books(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = world.drafts(alice, "12.50")

    finalize(invoice)

    stored = Invoice.objects.get()
    assert (stored.status, stored.number) == (InvoiceStatus.PENDING, "INV-000001")
    assert stored.buyer["name"] == "Alice Liddell"
    assert stored.due_at == instant("2026-04-15")
    lines = JournalLine.objects.order_by("pk").values_list("account", "side", "amount_minor")
    assert list(lines) == [("receivables", "DEBIT", 1250), ("revenue:items", "CREDIT", 1250)]


def test_what_the_buyer_is_called_later_changes_no_invoice(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    finalize(world.drafts(alice, "12.50"))
    customer_services.update(alice.pk, fields={"name": "Queen Alice"}, by="test", now=world.now)
    assert Invoice.objects.get().buyer["name"] == "Alice Liddell"


def test_a_finalized_invoice_is_frozen_by_the_database(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = world.drafts(alice, "12.50")
    finalize(invoice)
    line = InvoiceLine.objects.get()
    item = {"customer": alice, "kind": "ITEM", "description": "", "quantity": 0, "currency": "USD"}
    item |= {"amount_minor": 0, "explanation": "", "created_at": world.now}
    waiting = InvoiceLine.objects.create(**item)

    for change in (
        lambda: Invoice.objects.update(total_minor=1),
        lambda: Invoice.objects.update(number="INV-000099"),
        lambda: Invoice.objects.update(buyer={}),
        lambda: Invoice.objects.all()._raw_delete(using="default"),
        lambda: InvoiceLine.objects.update(amount_minor=1),
        lambda: InvoiceLine.objects.all()._raw_delete(using="default"),
        lambda: InvoiceLine.objects.create(**item, invoice=invoice, position=2, discount_minor=0),
        lambda: InvoiceLine.objects.filter(pk=waiting.pk).update(
            invoice=invoice, position=2, discount_minor=0
        ),
        lambda: JournalLine.objects.update(amount_minor=1),
        lambda: JournalEntry.objects.all()._raw_delete(using="default"),
    ):
        with pytest.raises(DatabaseError, match="refused"):
            change()
    assert InvoiceLine.objects.get(invoice=invoice) == line


def test_an_unbalanced_entry_cannot_commit(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    finalize(world.drafts(alice, "12.50"))
    entry = JournalEntry.objects.get()
    with pytest.raises(DatabaseError, match="does not balance"):
        JournalLine.objects.create(
            entry=entry, account_id="revenue", side="CREDIT", amount_minor=1, currency="USD"
        )


def test_numbers_have_no_gaps_however_many_finalize_and_fail(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    drafts = [world.drafts(alice, "1.00") for _ in range(30)]

    def work(number: int, draft: Invoice) -> None:
        with transaction.atomic():
            invoices.finalize([draft], now=instant("2026-04-01"))
            if number % 3 == 0:
                raise RuntimeError("killed before the commit")

    at_once(*(lambda n=n, draft=draft: work(n, draft) for n, draft in enumerate(drafts)))

    numbers = Invoice.objects.exclude(number=None).order_by("sequence")
    assert list(numbers.values_list("sequence", flat=True)) == list(range(1, 21))


def test_a_draft_is_canceled_without_a_trace_in_the_books(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = invoices.cancel(world.drafts(alice, "5.00").pk, by="test", now=world.now)
    assert (invoice.status, invoice.number) == (InvoiceStatus.CANCELED, None)
    assert not JournalEntry.objects.exists()


def test_a_pending_invoice_is_canceled_by_a_reversal(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    draft = world.drafts(alice, "5.00")
    finalize(draft)

    invoice = invoices.cancel(draft.pk, by="test", now=world.now)

    assert (invoice.status, invoice.number) == (InvoiceStatus.CANCELED, "INV-000001")
    assert balances.owed_by(alice) == {}
    assert JournalEntry.objects.count() == 2


def test_what_is_being_charged_or_paid_cannot_be_canceled(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    attempt = world.charges(world.drafts(alice, "5.00"))
    with pytest.raises(ConflictError, match="under way"):
        invoices.cancel(attempt.invoice_id, by="test", now=world.now)

    payments.collect(attempt.pk, now=world.now)
    with pytest.raises(ConflictError, match="paid"):
        invoices.cancel(attempt.invoice_id, by="test", now=world.now)
    assert PaymentAttempt.objects.get().status == "SUCCEEDED"


def test_the_database_knows_the_steps_of_the_core(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'bursar_guard_invoice_status'")
        (source,) = cursor.fetchone()
    held = set(re.findall(r"\('(\w+)', '(\w+)'\)", source))

    steps = {
        (before, after)
        for sources, after in lifecycle.INVOICE.steps.values()
        for before in sources
        if before != after
    }
    assert held == steps | {("DRAFT", "PAID")}  # over nothing, or settled by credit


@pytest.mark.parametrize(
    ("before", "after"), [("PAID", "CANCELED"), ("CANCELED", "PENDING"), ("PENDING", "REFUNDED")]
)
def test_the_database_refuses_other_steps(world: World, before: str, after: str) -> None:
    alice = world.at("2026-04-01").customer("alice")
    invoice = world.drafts(alice, "10.00")
    finalize(invoice)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Invoice.objects.update(status=before, paid_at=world.now)
        cursor.execute("SET session_replication_role = DEFAULT")

    with pytest.raises(DatabaseError, match="does not become"):
        Invoice.objects.update(status=after)

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Invoice.objects.update(status="PENDING", paid_at=None)
        cursor.execute("SET session_replication_role = DEFAULT")
