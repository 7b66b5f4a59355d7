"""Credit notes as they are written: the document, its lines, what is deferred, and the fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.core import crediting, postings
from billing.core.crediting import Credited
from billing.core.deferring import Portion
from billing.core.invoicing import LineKind
from billing.core.money import Money, total
from billing.core.postings import Account
from billing.core.taxes import TaxTotal
from billing.models import (
    CreditNote,
    CreditNoteLine,
    Deferral,
    Invoice,
    InvoiceLine,
    Refund,
    bulk,
)
from billing.models.seller import SeriesKind
from billing.queries.refundable import Foreseen
from billing.services import drafting, earning, numbering
from billing.services.journal import Fact


def write(document: CreditNote, found: Foreseen, *, is_sold_credit_there: bool) -> Fact:
    """Number and store a credit note, in a transaction of the caller's and as late as can be.

    :param document: of which all is said but what `found` says.
    :param is_sold_credit_there: whether the credit that the invoice sold was given already.
    :returns: the fact that it was issued, to be posted.
    """
    invoice, credited = document.invoice, found.credited
    document.tax_minor, document.total_minor = credited.tax.minor, credited.total.minor
    document.to_due_minor = found.split.to_due.minor
    document.to_credit_minor = found.split.to_credit.minor
    document.to_refund_minor = found.split.to_refund.minor
    document.tax_totals = [_tax_total(row, invoice) for row in credited.tax_totals]
    said = [row["note"] for row in document.tax_totals if row["note"]]
    document.notes = list(dict.fromkeys(said))
    document.seller, document.buyer = invoice.seller, invoice.buyer
    _number(document)
    document.save(force_insert=True)
    rows = {str(row.pk): row for row in invoice.lines.all()}
    lines = _lines(document, credited, rows)
    bulk.insert(lines)
    deferrals = _deferrals(lines, at=document.issued_at)
    bulk.insert(deferrals)
    return _fact(document, lines, deferrals, is_sold_credit_there=is_sold_credit_there)


def put_refunds(document: CreditNote, found: Foreseen) -> list[Refund]:
    """Store what shall go back because of a credit note."""
    refunds = [
        Refund(
            customer_id=document.customer_id,
            payment_id=UUID(payment_id),
            credit_note=document,
            amount_minor=amount.minor,
            currency=amount.currency,
            reason=(document.note or document.reason.lower())[:255],
            created_by=document.created_by,
            created_at=document.issued_at,
        )
        for payment_id, amount in found.split.refunds
    ]
    bulk.insert(refunds)
    return refunds


def _number(document: CreditNote) -> None:
    series = document.invoice.series
    if series is None:
        raise ValueError("What is finalized has a series.")
    block = numbering.take(series.seller_id, SeriesKind.CREDIT_NOTE, count=1)
    document.series, document.sequence = block.series, block.first
    document.number = block.number(block.first)


def _tax_total(row: TaxTotal, invoice: Invoice) -> dict[str, Any]:
    """With the sentence that the invoice has of that tax."""
    said = drafting.tax_total(row)
    same = ("category", "percent", "country", "region")
    notes = [
        other["note"]
        for other in invoice.tax_totals
        if all(other[name] == said[name] for name in same)
    ]
    return {**said, "note": notes[0] if notes else ""}


def _lines(
    document: CreditNote, credited: Credited, rows: Mapping[str, InvoiceLine]
) -> list[CreditNoteLine]:
    return [
        CreditNoteLine(
            credit_note=document,
            invoice_line=rows[part.key],
            position=position,
            description=rows[part.key].description,
            quantity=part.quantity,
            net_minor=part.net.minor,
            tax_minor=part.tax.minor,
        )
        for position, part in enumerate(credited.parts, start=1)
    ]


def _deferrals(lines: Sequence[CreditNoteLine], *, at: datetime) -> list[Deferral]:
    """What credits take back of what is still to be earned, as rows of the opposite sign."""
    by_line: defaultdict[UUID, list[Deferral]] = defaultdict(list)
    for row in Deferral.objects.filter(line__in=[line.invoice_line_id for line in lines]):
        by_line[row.line_id].append(row)
    found = []
    for line in lines:
        before = by_line[line.invoice_line_id]
        day = max([at.date(), *(row.recognized_until_on for row in before)])
        portions = [Portion(row.amount, row.starts_on, row.ends_on) for row in before]
        net = Money(line.net_minor, line.invoice_line.currency)
        taken = crediting.taken_back(net, portions, day=day)
        if taken is not None:
            found.append(_deferral(line, taken, account=before[0].account))
    return found


def _deferral(line: CreditNoteLine, taken: Portion, *, account: str) -> Deferral:
    return Deferral(
        customer_id=line.invoice_line.customer_id,
        line=line.invoice_line,
        credit_line=line,
        account=account,
        currency=taken.amount.currency,
        amount_minor=taken.amount.minor,
        starts_on=taken.starts_on,
        ends_on=taken.ends_on,
        recognized_until_on=taken.starts_on,
    )


def _fact(
    document: CreditNote,
    lines: Sequence[CreditNoteLine],
    deferrals: Sequence[Deferral],
    *,
    is_sold_credit_there: bool,
) -> Fact:
    currency = document.currency
    later = {row.credit_line_id: -row.amount for row in deferrals}
    earned: defaultdict[Account, Money] = defaultdict(lambda: Money.zero(currency))
    taxes: defaultdict[Account, Money] = defaultdict(lambda: Money.zero(currency))
    for line in lines:
        net = Money(line.net_minor, currency)
        account = _account(line.invoice_line, is_sold_credit_there=is_sold_credit_there)
        earned[account] += net - later.get(line.pk, Money.zero(currency))
        if line.tax_minor:
            taxes[earning.tax_account(line.invoice_line)] += Money(line.tax_minor, currency)
    return Fact(
        kind="CREDIT_NOTE_ISSUED",
        key=f"credit_note:{document.pk}:issued",
        customer_id=document.customer_id,
        occurred_at=document.issued_at,
        context={
            "number": document.number,
            "invoice": document.invoice.number,
            "reason": document.reason,
            "note": document.note,
            "tax": str(document.tax),
            "total": str(document.total),
            "to_due": str(Money(document.to_due_minor, currency)),
            "to_credit": str(Money(document.to_credit_minor, currency)),
            "to_refund": str(Money(document.to_refund_minor, currency)),
            "lines": [
                {"description": line.description, "amount": str(Money(line.net_minor, currency))}
                for line in lines
            ],
            "by": document.created_by,
        },
        postings=postings.credit_note_issued(
            earned=earned,
            deferred=total(later.values(), currency),
            taxes=taxes,
            to_due=Money(document.to_due_minor, currency),
            to_credit=Money(document.to_credit_minor, currency),
            to_refund=Money(document.to_refund_minor, currency),
        ),
        source_kind="credit_note",
        source_id=document.pk,
        invoice_id=document.invoice_id,
    )


def _account(line: InvoiceLine, *, is_sold_credit_there: bool) -> Account:
    """What the line earned for; credit that was sold and is there is the customer's."""
    if line.kind == LineKind.CREDIT and is_sold_credit_there:
        return postings.CUSTOMER_CREDIT
    return earning.account_of(line, {})
