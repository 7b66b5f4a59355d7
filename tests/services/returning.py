"""Credit notes, refunds and disputes in stories: taxed invoices, paid ones, what went where."""

from __future__ import annotations

from decimal import Decimal

from billing.core.crediting import WHOLE, Request, Wish
from billing.core.invoicing import Item
from billing.core.money import Money
from billing.core.returning import Destination
from billing.core.tax_policies import TaxPolicyKind
from billing.models import CreditNote, Invoice, Payment, Refund, Seller, TaxRate
from billing.models.credit_note import CreditReason
from billing.services import credit_notes, invoices, payments, refunds
from billing.services.credit_notes import Order
from billing.services.refunds import Ask
from customers.models import Customer
from tests.world import World


def taxes(world: World, percent: str = "19", country: str = "GB") -> None:
    """From here on the default seller levies a fixed rate on everything."""
    Seller.objects.update_or_create(
        is_default=True,
        defaults={"name": "Ours", "country": country, "tax_policy": TaxPolicyKind.FIXED_RATE},
    )
    TaxRate.objects.filter(country=country).delete()
    TaxRate.objects.create(
        country=country,
        tax_class="standard",
        percent=Decimal(percent),
        starts_on="2020-01-01",
    )


def bills(world: World, customer: Customer, *amounts: str, currency: str = "USD") -> Invoice:
    """A finalized invoice of a line for each amount."""
    items = [Item(f"Item {n}", Decimal(4), Decimal(text) / 4) for n, text in enumerate(amounts)]
    draft = invoices.draft(customer.pk, currency=currency, items=items, by="test", now=world.now)
    invoices.issue(draft.pk, now=world.now)
    return fresh(draft)


def pays(world: World, customer: Customer, *amounts: str, token: str = "tok_ok") -> Invoice:
    """The same, paid with a card of theirs."""
    world.adds_card(customer, token)
    invoice = bills(world, customer, *amounts)
    attempt = payments.charge(invoice.pk, by="test", now=world.now)
    assert attempt is not None
    payments.collect(attempt.pk, now=world.now)
    return fresh(invoice)


def credit(
    world: World,
    invoice: Invoice,
    request: Request = WHOLE,
    *,
    to: str = "AUTO",
    reason: CreditReason = CreditReason.CORRECTION,
) -> CreditNote:
    """Issue a credit note."""
    order = Order(request, Destination(to), reason)
    return credit_notes.issue(invoice.pk, order, by="olga", now=world.now)


def amount(text: str, currency: str = "USD") -> Request:
    return Request(amount=Money.parse(text, currency))


def line(invoice: Invoice, position: int, net: str | None = None, **wish: object) -> Wish:
    """All, or a part, of a line."""
    row = invoice.lines.get(position=position)
    part = None if net is None else Money.parse(net, invoice.currency)
    quantity = wish.get("quantity")
    return Wish(
        str(row.pk), net=part, quantity=None if quantity is None else Decimal(str(quantity))
    )


def refund(world: World, invoice: Invoice, text: str | None = None) -> list[Refund]:
    """Ask, by an operator, and let the workers send it."""
    part = None if text is None else Money.parse(text, invoice.currency)
    found = refunds.of_invoice(invoice.pk, part, Ask("olga", "asked for it"), now=world.now)
    for row in found:
        refunds.collect(row.pk, now=world.now)
    return list(Refund.objects.filter(pk__in=[row.pk for row in found]).order_by("pk"))


def went(note: CreditNote) -> tuple[str, str, str, str]:
    """Total; off what is owed, to credit, back."""
    minors = (note.total_minor, note.to_due_minor, note.to_credit_minor, note.to_refund_minor)
    total, due, credit, back = (f"{Money(minor, note.currency).major}" for minor in minors)
    return total, due, credit, back


def payment_of(invoice: Invoice) -> Payment:
    return Payment.objects.get(allocations__invoice=invoice)


def fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)
