"""Money by hand in stories: invoices that are owed, payments recorded, what became of both."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from billing.core.invoicing import Item
from billing.core.money import Money
from billing.models import CreditGrant, Invoice, JournalEntry, JournalLine, Payment
from billing.models.credit import GrantKind
from billing.queries import balances
from billing.services import grants, incoming, invoices
from billing.services.credit import Gift
from billing.services.incoming import Incoming
from customers.models import Customer
from tests.world import World


def money(text: str, currency: str = "USD") -> Money:
    return Money.parse(text, currency)


def bill(world: World, customer: Customer, amount: str, currency: str = "USD") -> Invoice:
    """An invoice by hand that is finalized and owed."""
    draft = invoices.draft(
        customer.pk,
        currency=currency,
        items=[Item("An item", Decimal(1), Decimal(amount))],
        by="test",
        now=world.now,
    )
    invoices.issue(draft.pk, now=world.now)
    return Invoice.objects.get(pk=draft.pk)


def pay(
    world: World,
    customer: Customer,
    amount: str,
    *named: tuple[Invoice, str],
    reference: str = "",
    currency: str = "USD",
) -> Payment:
    """A bank transfer; without invoices, the oldest first."""
    parts = [(invoice.pk, money(part, currency)) for invoice, part in named]
    return incoming.record(
        customer.pk,
        money(amount, currency),
        Incoming("bank_transfer", reference, invoices=parts or None),
        by="olga",
        now=world.now,
    )


def give(
    world: World,
    customer: Customer,
    amount: str,
    *,
    kind: GrantKind = GrantKind.PROMOTIONAL,
    expires: str | None = None,
    **options: object,
) -> CreditGrant:
    """Credit from an operator; paid credit by bank transfer."""
    from tests.world import instant

    gift = Gift(
        kind,
        expires_at=None if expires is None else instant(expires),
        priority=int(str(options.pop("priority", 50))),
        by="olga",
    )
    paid_by = Incoming("bank_transfer") if kind == GrantKind.PAID else None
    return grants.grant(
        customer.pk,
        money(amount),
        gift,
        now=world.now,
        paid_by=paid_by,
        settles_open=bool(options.pop("settles_open", False)),
    )


def state(invoice: Invoice) -> tuple[str, str]:
    """Its status, and what is owed on it."""
    row = Invoice.objects.get(pk=invoice.pk)
    owed = balances.due_on([row])[row.pk]
    return row.status, f"{Money(owed, row.currency).major}"


def left(customer: Customer) -> list[tuple[str, str]]:
    """Each grant with something left: its kind and how much."""
    rows = CreditGrant.objects.filter(customer=customer, remaining_minor__gt=0)
    return [(row.kind, f"{row.remaining.major}") for row in rows.order_by("created_at", "pk")]


def account(code: str, customer: Customer) -> int:
    """Debits less credits of an account, in minor units."""
    lines = JournalLine.objects.filter(account=code, entry__customer=customer)
    return sum(line.amount_minor if line.side == "DEBIT" else -line.amount_minor for line in lines)


def facts(customer: Customer, *kinds: str) -> list[str]:
    """The kinds of facts about them, oldest first; of some kinds only."""
    rows = JournalEntry.objects.filter(customer=customer).order_by("pk")
    found = rows.values_list("kind", flat=True)
    return [kind for kind in found if not kinds or kind in kinds]


def fresh(pk: UUID) -> Invoice:
    return Invoice.objects.get(pk=pk)
