"""Commands on invoices: draft, finalize, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from billing.core import figures, invoicing, lifecycle, postings
from billing.core.errors import ConflictError, InvalidError
from billing.core.invoicing import Bill, Line
from billing.core.money import exponent, total
from billing.models import Invoice, InvoiceLine, InvoiceSeries, Seller, bulk
from billing.services import journal, locks
from customers.models import Customer

PAYMENT_TERM: Final = timedelta(days=14)
LARGEST_MINOR: Final = 2**53


@dataclass(frozen=True, slots=True)
class Draft:
    """What an invoice shall say.

    :param waiting: the rows of the bill's first lines, which have waited for it.
    :param periods: the billing period of each line after those; what is carried over has none.
    """

    customer: Customer
    bill: Bill
    subscription_id: UUID | None = None
    waiting: Sequence[InvoiceLine] = ()
    periods: Sequence[UUID | None] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line that is kept for the customer's next invoice."""

    customer_id: UUID
    line: Line
    period_id: UUID | None


@transaction.atomic
def draft(
    customer_id: UUID,
    *,
    currency: str,
    items: Sequence[tuple[str, Decimal, Decimal]],
    by: str,
    now: datetime,
    due_at: datetime | None = None,
) -> Invoice:
    """Write an invoice by hand: items are (description, quantity, unit amount).

    :param due_at: None for the usual term, counted from its finalizing.
    :raises NotFoundError: if there is no such customer.
    :raises InvalidError: if the currency does not exist or the total is negative or too large.
    """
    exponent(currency)
    customer = locks.customer(customer_id)
    lines = [
        invoicing.item_line(
            description, quantity=quantity, unit_amount=unit_amount, currency=currency
        )
        for description, quantity, unit_amount in items
    ]
    asked = total((line.amount for line in lines), currency)
    if not 0 <= asked.minor <= LARGEST_MINOR:
        raise InvalidError(
            "The total must be between nothing and 2^53 minor units.", code="invalid_total"
        )
    sheet = Draft(customer, Bill(tuple(lines), asked), due_at=due_at)
    return write([sheet], by=by, now=customer.lives_at(now))[0]


def write(drafts: Sequence[Draft], *, by: str, now: datetime) -> list[Invoice]:
    """Store drafts with their lines, in a transaction of the caller's.

    :raises InvalidError: if a total is too large.
    """
    invoices = [_invoice_row(draft, by, now) for draft in drafts]
    bulk.insert(invoices)
    taken_up: list[InvoiceLine] = []
    new: list[InvoiceLine] = []
    for invoice, draft in zip(invoices, drafts, strict=True):
        known = len(draft.waiting)
        for position, line in enumerate(draft.bill.lines, start=1):
            if position <= known:
                row = draft.waiting[position - 1]
                taken_up.append(row)
            else:
                row = _line_row(invoice.customer_id, line, now)
                index = position - known - 1
                is_known = index < len(draft.periods)
                row.billing_period_id = draft.periods[index] if is_known else None
                new.append(row)
            row.invoice, row.position = invoice, position
            row.discount_minor = line.discount.minor
            row.discount_rate = line.discount_rate
    bulk.update(taken_up, "invoice", "position", "discount_minor", "discount_rate")
    bulk.insert(new)
    return invoices


def keep(lines: Iterable[Waiting], *, now: datetime) -> None:
    """Store lines that wait for their customers' next invoices."""
    rows = []
    for waiting in lines:
        row = _line_row(waiting.customer_id, waiting.line, now)
        row.billing_period_id = waiting.period_id
        rows.append(row)
    bulk.insert(rows)


def finalize(invoices: Sequence[Invoice], *, now: datetime) -> None:
    """Freeze drafts, give them their numbers and enter them in the books.

    In a transaction of the caller's, who holds the locks; as late in it as can be, because the
    series' row is held to its end. Numbers are taken as a block: what is rolled back gives its
    numbers back, and nobody else can have taken later ones meanwhile. An invoice over nothing
    is paid at once.

    :raises ConflictError: if one was finalized or canceled before.
    """
    if not invoices:
        return
    for invoice in invoices:
        invoice.status = lifecycle.INVOICE.after(invoice.status, "finalize")
    series = _take_numbers(len(invoices))
    seller = _seller_of(series.seller)
    first = series.next_number - len(invoices)
    for sequence, invoice in enumerate(invoices, start=first):
        invoice.series = series
        invoice.sequence = sequence
        invoice.number = f"{series.prefix}{sequence:06d}"
        invoice.seller = seller
        invoice.buyer = _buyer_of(invoice.customer)
        invoice.issued_at = now
        invoice.due_at = invoice.due_at or now + PAYMENT_TERM
        if not invoice.total:
            invoice.status = lifecycle.INVOICE.after(invoice.status, "pay")
            invoice.paid_at = now
    bulk.update(
        invoices,
        "status",
        "series",
        "sequence",
        "number",
        "seller",
        "buyer",
        "issued_at",
        "due_at",
        "paid_at",
    )
    journal.post(*(_finalized(invoice, now) for invoice in invoices))


@transaction.atomic
def cancel(
    invoice_id: UUID, *, by: str, now: datetime, expected_version: int | None = None
) -> Invoice:
    """Take back an invoice that nobody has paid; a finalized one keeps its number.

    :param expected_version: what the caller last saw; None if they do not mind.
    :raises ConflictError: if it is paid, or a charge for it is under way; with code
        `version_mismatch` if it has changed since it was seen.
    """
    invoice = locks.invoice(invoice_id)
    if expected_version is not None and invoice.version != expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    status = lifecycle.INVOICE.after(invoice.status, "cancel")
    if invoice.attempts.filter(status__in=lifecycle.OPEN_ATTEMPTS).exists():
        raise ConflictError("A charge for this invoice is under way.", code="charge_under_way")
    if invoice.is_finalized:
        journal.post(
            journal.Fact(
                kind="INVOICE_CANCELED",
                key=f"invoice:{invoice.pk}:canceled",
                customer_id=invoice.customer_id,
                occurred_at=invoice.customer.lives_at(now),
                context={"number": invoice.number, "total": str(invoice.total), "by": by},
                postings=postings.invoice_canceled(invoice.total),
                invoice_id=invoice.pk,
            )
        )
    invoice.status, invoice.next_charge_at = status, None
    invoice.version += 1
    invoice.save(update_fields=["status", "next_charge_at", "version"])
    return invoice


def _finalized(invoice: Invoice, now: datetime) -> journal.Fact:
    return journal.Fact(
        kind="INVOICE_FINALIZED",
        key=f"invoice:{invoice.pk}:finalized",
        customer_id=invoice.customer_id,
        occurred_at=now,
        context={"number": invoice.number, "total": str(invoice.total)},
        postings=postings.invoice_finalized(invoice.total),
        invoice_id=invoice.pk,
    )


def _take_numbers(count: int) -> InvoiceSeries:
    """Take a block of numbers; `next_number` of what comes back is the one after it."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_NUMBERS, {"count": count})
        row = cursor.fetchone()
    if row is None:
        seller = _default_seller()
        InvoiceSeries.objects.get_or_create(seller=seller)
        return _take_numbers(count)
    return InvoiceSeries.objects.select_related("seller").get(pk=row[0])


_TAKE_NUMBERS: Final = """
UPDATE billing_invoiceseries SET next_number = next_number + %(count)s
 WHERE id = (SELECT series.id FROM billing_invoiceseries series
               JOIN billing_seller seller ON seller.id = series.seller_id
              WHERE seller.is_default ORDER BY series.id LIMIT 1)
RETURNING id
"""


def _default_seller() -> Seller:
    """The default seller, made nameless where nobody has written one yet."""
    seller, _ = Seller.objects.get_or_create(is_default=True, defaults={"name": "Unnamed seller"})
    return seller


def _seller_of(seller: Seller) -> dict[str, Any]:
    return {
        "name": seller.name,
        "address": seller.address,
        "country": seller.country,
        "tax_number": seller.tax_number,
    }


def _buyer_of(customer: Customer) -> dict[str, Any]:
    details = customer.details
    return {
        "customer": str(customer.pk),
        "organization_id": customer.organization_id,
        "name": details.name,
        "line1": details.line1,
        "line2": details.line2,
        "city": details.city,
        "state": details.state,
        "postal_code": details.postal_code,
        "country": details.country,
    }


def _invoice_row(draft: Draft, by: str, now: datetime) -> Invoice:
    bill, period = draft.bill, draft.bill.period
    if bill.total.minor > LARGEST_MINOR:
        raise InvalidError("The total is above 2^53 minor units.", code="invalid_total")
    return Invoice(
        customer=draft.customer,
        subscription_id=draft.subscription_id,
        currency=bill.total.currency,
        discount_minor=bill.discount.minor,
        total_minor=bill.total.minor,
        period_start=period.start if period else None,
        period_end=period.end if period else None,
        due_at=draft.due_at,
        created_by=by,
        created_at=now,
    )


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
