"""Commands on invoices: draft, finalize, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import prefetch_related_objects

from billing.core import invoicing, lifecycle
from billing.core.errors import ConflictError, InvalidError
from billing.core.invoicing import Bill, Item
from billing.core.money import exponent
from billing.core.tax_policies import Taxation
from billing.models import Invoice, InvoiceLine, Seller, bulk
from billing.models.seller import SeriesKind
from billing.queries import agreements, sellers, taxes
from billing.services import (
    announcing,
    credit,
    credit_notes,
    drafting,
    earning,
    journal,
    locks,
    numbering,
)
from billing.services.drafting import LARGEST_MINOR, TAX_NUMBER, Draft, Sheet
from customers.models import Customer


@transaction.atomic
def draft(
    customer_id: UUID,
    *,
    currency: str,
    items: Sequence[Item],
    by: str,
    now: datetime,
    due_at: datetime | None = None,
) -> Invoice:
    """Write an invoice by hand.

    :param due_at: None for the seller's usual term, counted from its finalizing.
    :raises NotFoundError: if there is no such customer.
    :raises InvalidError: if the currency does not exist or the total is negative or too large.
    """
    exponent(currency)
    customer = locks.client(customer_id)
    present = customer.lives_at(now)
    issuer = sellers.of_customers([customer.pk]).get(customer.pk)
    bill = bill_by_hand(customer, issuer, items, currency=currency, now=present)
    sheet = Draft(customer, bill, due_at=due_at, issuer=issuer)
    return drafting.write([sheet], by=by, now=present)[0].invoice


@transaction.atomic
def issue(invoice_id: UUID, *, now: datetime, expected_version: int | None = None) -> Invoice:
    """Finalize a draft without charging it: it is paid from credit, or another way.

    :raises ConflictError: if it is no draft, or waits for an answer about a tax number; with code
        `version_mismatch` if it has changed since it was seen.
    """
    invoice = locks.invoice(invoice_id)
    require_version(invoice, expected_version)
    finalize([invoice], now=invoice.customer.lives_at(now))
    return invoice


def finalize(invoices: Sequence[Invoice], *, now: datetime) -> None:
    """Finalize drafts that were stored before, taxed by what is known now.

    In a transaction of the caller's, who holds the locks.

    :raises ConflictError: if one was finalized or canceled before, or has to wait for an answer
        about the customer's tax number.
    """
    rows = InvoiceLine.objects.filter(invoice__in=invoices).order_by("invoice", "position")
    lines = {pk: list(found) for pk, found in groupby(rows, key=lambda row: row.invoice_id)}
    sheets = [drafting.sheet(invoice, lines.get(invoice.pk, [])) for invoice in invoices]
    for sheet in sheets:
        lifecycle.INVOICE.after(sheet.invoice.status, "finalize")
        _tax_anew(sheet, now=now)
    credit.draw_for(sheets, now=now)
    finalize_sheets(sheets, now=now)


def finalize_sheets(sheets: Sequence[Sheet], *, now: datetime) -> None:
    """Freeze drafts, give them their numbers and enter them in the books.

    In a transaction of the caller's, who holds the locks; as late in it as can be, because the
    series' row is held to its end. What credit settles whole is paid at once.

    :raises ConflictError: if one was finalized or canceled before.
    """
    if not sheets:
        return
    for sheet in sheets:
        invoice = sheet.invoice
        invoice.status = lifecycle.INVOICE.after(invoice.status, "finalize")
        invoice.hold_reason = ""
        if invoice.issuer is None:
            invoice.issuer = numbering.default_seller()
    _number(sheets, now=now)
    for sheet in sheets:
        if not sheet.due:
            sheet.invoice.status = lifecycle.INVOICE.after(sheet.invoice.status, "pay")
            sheet.invoice.paid_at = now
    bulk.update([sheet.invoice for sheet in sheets], *_FROZEN)
    earned = earning.of_invoices(sheets, at=now)
    journal.post(*(fact for sheet in sheets for fact in (earned[sheet.invoice.pk], *sheet.facts)))
    announcing.stepped("pay", *(sheet.invoice for sheet in sheets if not sheet.due), at=now)


def _number(sheets: Sequence[Sheet], *, now: datetime) -> None:
    """Numbers, a block for each seller, and what is frozen beside them."""
    by_seller: dict[UUID, list[Invoice]] = {}
    buyers = [sheet.invoice.customer for sheet in sheets]
    prefetch_related_objects(buyers, "details", "tax_ids")
    for sheet in sheets:
        by_seller.setdefault(_issuer(sheet.invoice).pk, []).append(sheet.invoice)
    for seller_id in sorted(by_seller):
        invoices = by_seller[seller_id]
        block = numbering.take(seller_id, SeriesKind.INVOICE, count=len(invoices))
        seller = block.series.seller
        frozen = seller_of(seller)
        for sequence, invoice in enumerate(invoices, start=block.first):
            invoice.series, invoice.sequence = block.series, sequence
            invoice.number = block.number(sequence)
            invoice.seller, invoice.buyer = frozen, buyer_of(invoice.customer)
            invoice.issued_at = now
            invoice.due_at = invoice.due_at or now + timedelta(days=seller.payment_days)


@transaction.atomic
def cancel(
    invoice_id: UUID, *, by: str, now: datetime, expected_version: int | None = None
) -> Invoice:
    """Take back an invoice that is not paid; a finalized one by a credit note over all of it.

    :param expected_version: what the caller last saw; None if they do not mind.
    :raises ConflictError: if it is paid, or a charge for it is under way; with code
        `version_mismatch` if it has changed since it was seen.
    """
    invoice = locks.invoice(invoice_id)
    require_version(invoice, expected_version)
    lifecycle.INVOICE.after(invoice.status, "cancel")
    if invoice.attempts.filter(status__in=lifecycle.OPEN_ATTEMPTS).exists():
        raise ConflictError("A charge for this invoice is under way.", code="charge_under_way")
    if invoice.is_finalized:
        credit_notes.cancel(invoice, by=by, now=invoice.customer.lives_at(now))
        return invoice
    invoice.status = lifecycle.INVOICE.after(invoice.status, "cancel")
    invoice.hold_reason, invoice.next_charge_at = "", None
    invoice.version += 1
    invoice.save(update_fields=["status", "hold_reason", "next_charge_at", "version"])
    announcing.stepped("cancel", invoice, at=invoice.customer.lives_at(now))
    return invoice


def seller_of(seller: Seller) -> dict[str, Any]:
    """What stands on a document about who writes it."""
    return {name: getattr(seller, name) for name in _SELLER}


def buyer_of(customer: Customer) -> dict[str, Any]:
    """What stands on a document about to whom it is."""
    details = customer.details
    numbers = [{"type": row.kind, "value": row.value} for row in customer.tax_ids.all()]
    return {
        "customer": str(customer.pk),
        "organization_id": customer.organization_id,
        **{name: getattr(details, name) for name in _BUYER},
        "country": details.country_code or details.country,
        "timezone": customer.timezone,
        "tax_ids": numbers,
    }


def bill_by_hand(
    customer: Customer,
    issuer: Seller | None,
    items: Sequence[Item],
    *,
    currency: str,
    now: datetime,
) -> Bill:
    """What items come to, with the tax of that day.

    :raises InvalidError: if the total is negative or too large.
    """
    lines = invoicing.discounted(
        [invoicing.item_line(item, currency=currency) for item in items],
        coupons=(),
        part=Fraction(1),
    )
    taxation = _taxation(customer, issuer)
    bill = invoicing.taxed(lines, currency=currency, at=now, taxation=taxation)
    if not 0 <= bill.total.minor <= LARGEST_MINOR:
        raise InvalidError(
            "The total must be between nothing and 2^53 minor units.", code="invalid_total"
        )
    return bill


def _tax_anew(sheet: Sheet, *, now: datetime) -> None:
    """Rates and answers of today, where a draft was written before."""
    invoice = sheet.invoice
    taxation = _taxation(invoice.customer, invoice.issuer)
    if taxation.must_wait:
        raise ConflictError(
            "The customer's tax number is not confirmed yet, and the seller waits for that.",
            code=f"{TAX_NUMBER}_unconfirmed",
        )
    lines = [agreements.line_of(row) for row in sheet.lines]
    bill = invoicing.taxed(lines, currency=invoice.currency, at=now, taxation=taxation)
    for row, line in zip(sheet.lines, bill.lines, strict=True):
        drafting.put_reckoned(row, line)
    bulk.update(sheet.lines, *drafting.RECKONED)
    drafting.put_sums(invoice, bill)


def _taxation(customer: Customer, issuer: Seller | None) -> Taxation:
    sold_by = {} if issuer is None else {customer.pk: issuer}
    return taxes.taxations([customer], sold_by)[customer.pk]


def _issuer(invoice: Invoice) -> Seller:
    if invoice.issuer is None:
        raise ValueError("A document is written by somebody.")
    return invoice.issuer


def require_version(invoice: Invoice, expected: int | None) -> None:
    """Refuse to change what is not as it was seen.

    :raises ConflictError: with code `version_mismatch`.
    """
    if expected is not None and invoice.version != expected:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")


_FROZEN = (
    "status",
    "hold_reason",
    "issuer",
    "series",
    "sequence",
    "number",
    "seller",
    "buyer",
    "issued_at",
    "due_at",
    "paid_at",
    *drafting.SUMS,
)
_SELLER = (
    "name",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "email",
    "phone",
    "tax_number",
    "vat_id",
    "registration",
    "bank_name",
    "account_holder",
    "iban",
    "bic",
    "terms",
    "footer",
)
_BUYER = ("name", "line1", "line2", "city", "state", "postal_code")
