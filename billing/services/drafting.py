"""Invoices on their way: rows of drafts and their lines, written in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from billing.core import figures
from billing.core.errors import InvalidError
from billing.core.invoicing import Bill, Line
from billing.core.money import Money
from billing.core.taxes import TaxTotal
from billing.models import Invoice, InvoiceLine, Seller, bulk
from billing.models.invoice import InvoicePurpose
from billing.services import announcing
from billing.services.journal import Fact
from customers.models import Customer

LARGEST_MINOR: Final = 2**53
# What a draft waits for.
TAX_NUMBER: Final = "tax_number"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an invoice shall say.

    :param waiting: the rows of the bill's first lines, which have waited for it.
    :param periods: the billing period of each line after those; what is carried over has none.
    :param issuer: who writes it; None for the default seller.
    :param hold_reason: what it waits for before it is finalized; empty for nothing.
    """

    customer: Customer
    bill: Bill
    subscription_id: UUID | None = None
    waiting: Sequence[InvoiceLine] = ()
    periods: Sequence[UUID | None] = ()
    due_at: datetime | None = None
    issuer: Seller | None = None
    purpose: InvoicePurpose = InvoicePurpose.SALE
    hold_reason: str = ""


@dataclass(slots=True)
class Sheet:
    """A draft that is stored and about to be finalized.

    :param settled: what is paid of it already, from credit; `facts` say how.
    """

    invoice: Invoice
    lines: list[InvoiceLine]
    settled: Money
    facts: list[Fact] = field(default_factory=list)

    @property
    def due(self) -> Money:
        """What is left to be paid."""
        return self.invoice.total - self.settled


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line that is kept for the customer's next invoice."""

    customer_id: UUID
    line: Line
    period_id: UUID | None


def write(drafts: Sequence[Draft], *, by: str, now: datetime) -> list[Sheet]:
    """Store drafts with their lines, in a transaction of the caller's.

    :raises InvalidError: if a total is too large.
    """
    sheets = [sheet(_invoice_row(draft, by, now), []) for draft in drafts]
    bulk.insert([sheet.invoice for sheet in sheets])
    taken_up: list[InvoiceLine] = []
    new: list[InvoiceLine] = []
    for found, draft in zip(sheets, drafts, strict=True):
        known = len(draft.waiting)
        for index, line in enumerate(draft.bill.lines):
            if index < known:
                row = draft.waiting[index]
                taken_up.append(row)
            else:
                row = _line_row(draft.customer.pk, line, now)
                of_period = draft.periods[index - known : index - known + 1]
                row.billing_period_id = of_period[0] if of_period else None
                new.append(row)
            row.invoice, row.position = found.invoice, index + 1
            put_reckoned(row, line)
            found.lines.append(row)
    bulk.update(taken_up, "invoice", "position", *RECKONED)
    bulk.insert(new)
    announcing.of_invoices("created", [found.invoice for found in sheets], at=now)
    return sheets


def put_lines(invoice: Invoice, bill: Bill, *, keys: Sequence[UUID], now: datetime) -> None:
    """Store a bill's lines on an invoice that has none, each under its key."""
    rows = []
    for position, (key, line) in enumerate(zip(keys, bill.lines, strict=True), start=1):
        row = _line_row(invoice.customer_id, line, now)
        row.pk, row.invoice, row.position = key, invoice, position
        put_reckoned(row, line)
        rows.append(row)
    bulk.insert(rows)


def sheet(invoice: Invoice, lines: list[InvoiceLine]) -> Sheet:
    """A draft of which nothing is paid."""
    return Sheet(invoice, lines, settled=Money.zero(invoice.currency))


def keep(lines: Iterable[Waiting], *, now: datetime) -> None:
    """Store lines that wait for their customers' next invoices."""
    rows = []
    for waiting in lines:
        row = _line_row(waiting.customer_id, waiting.line, now)
        row.billing_period_id = waiting.period_id
        rows.append(row)
    bulk.insert(rows)


# What is known of a line once it is on an invoice.
RECKONED: Final = (
    "discount_minor",
    "discount_rate",
    "tax_minor",
    "tax_category",
    "tax_rate",
    "tax_country",
    "tax_region",
)
SUMS: Final = (
    "subtotal_minor",
    "discount_minor",
    "tax_minor",
    "total_minor",
    "tax_totals",
    "notes",
)


def put_reckoned(row: InvoiceLine, line: Line) -> None:
    """What discounts and taxes make of a line, for one who saves it."""
    row.discount_minor, row.discount_rate = line.discount.minor, line.discount_rate
    row.tax_minor, tax = line.tax_minor or 0, line.tax
    if tax is not None:
        row.tax_category, row.tax_rate = tax.category, tax.percent
        row.tax_country, row.tax_region = tax.country, tax.region


def put_sums(row: Invoice, bill: Bill) -> None:
    """What a bill's lines sum to, for one who saves it.

    :raises InvalidError: if that is more than any reader of JSON holds exactly.
    """
    if bill.total.minor > LARGEST_MINOR:
        raise InvalidError("The total is above 2^53 minor units.", code="invalid_total")
    row.subtotal_minor, row.discount_minor = bill.subtotal.minor, bill.discount.minor
    row.tax_minor, row.total_minor = bill.tax.minor, bill.total.minor
    row.tax_totals = [tax_total(found) for found in bill.tax_totals]
    row.notes = list(bill.notes)


def tax_total(found: TaxTotal) -> dict[str, Any]:
    """What a document says of one tax, as it is frozen; amounts in minor units."""
    return {
        "category": found.tax.category.value,
        "percent": figures.plain(found.tax.percent),
        "country": found.tax.country,
        "region": found.tax.region,
        "note": found.tax.note,
        "base_minor": found.base.minor,
        "amount_minor": found.amount.minor,
    }


def _invoice_row(draft: Draft, by: str, now: datetime) -> Invoice:
    period = draft.bill.period
    row = Invoice(
        customer=draft.customer,
        subscription_id=draft.subscription_id,
        issuer=draft.issuer,
        purpose=draft.purpose,
        hold_reason=draft.hold_reason,
        currency=draft.bill.currency,
        period_start=period.start if period else None,
        period_end=period.end if period else None,
        due_at=draft.due_at,
        created_by=by,
        created_at=now,
    )
    put_sums(row, draft.bill)
    return row


def _line_row(customer_id: UUID, line: Line, now: datetime) -> InvoiceLine:
    return InvoiceLine(
        customer_id=customer_id,
        kind=line.kind,
        description=line.description,
        quantity=figures.stored(line.quantity),
        unit_amount=line.unit_amount,
        currency=line.amount.currency,
        amount_minor=line.amount.minor,
        discount_minor=line.discount_minor,
        discount_rate=line.discount_rate,
        tax_class=line.tax_class,
        is_tax_included=line.is_tax_included,
        explanation=line.explanation,
        period_start=line.period.start if line.period else None,
        period_end=line.period.end if line.period else None,
        meter=line.meter,
        component=line.component,
        plan_id=UUID(line.plan) if line.plan else None,
        share_used=line.share.used if line.share else None,
        share_whole=line.share.whole if line.share else None,
        share_unit=line.share.unit if line.share else "",
        tiers=[share.to_json() for share in line.tiers],
        created_at=now,
    )
