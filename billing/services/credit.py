"""Credit that customers have with us: given, drawn for invoices, taken off them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from billing.core import postings
from billing.core.money import Money
from billing.models import CreditDraw, CreditGrant, Invoice
from billing.models.credit import DrawKind, GrantKind
from billing.models.invoice import InvoicePurpose
from billing.services import drawing, prepaid_usage
from billing.services.drafting import Sheet
from billing.services.drawing import Purpose
from billing.services.journal import Fact

USUAL_PRIORITY: Final = 50


@dataclass(frozen=True, slots=True)
class Source:
    """What credit came of: a payment, a credit note, or a paid invoice over credit."""

    payment_id: UUID | None = None
    credit_note_id: UUID | None = None
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Gift:
    """Credit as it is given.

    :param expires_at: None for never.
    :param priority: of grants that expire together, the lowest is drawn first.
    """

    kind: GrantKind = GrantKind.PAID
    reason: str = ""
    expires_at: datetime | None = None
    priority: int = USUAL_PRIORITY
    by: str = ""


def give(
    customer_id: UUID,
    amount: Money,
    *,
    source: Source,
    reason: str,
    now: datetime,
    by: str = "",
) -> CreditGrant:
    """Store paid credit that does not expire. Its posting is part of the fact it came of."""
    return store(customer_id, amount, Gift(reason=reason, by=by), source=source, now=now)


def store(
    customer_id: UUID, amount: Money, gift: Gift, *, source: Source, now: datetime
) -> CreditGrant:
    """Store credit of any kind. Its posting is part of the fact it came of."""
    return CreditGrant.objects.create(
        customer_id=customer_id,
        kind=gift.kind,
        currency=amount.currency,
        amount_minor=amount.minor,
        remaining_minor=amount.minor,
        priority=gift.priority,
        reason=gift.reason[:255],
        effective_at=now,
        expires_at=gift.expires_at,
        payment_id=source.payment_id,
        credit_note_id=source.credit_note_id,
        invoice_id=source.invoice_id,
        created_by=gift.by,
        created_at=now,
    )


def draw_for(sheets: Sequence[Sheet], *, now: datetime) -> None:
    """Settle invoices that are about to be finalized from their customers' credit.

    In a transaction of the caller's, who holds the locks on the customers. What was drawn for
    prepaid usage comes first. Credit does not buy credit.
    """
    selling = [sheet for sheet in sheets if sheet.invoice.purpose == InvoicePurpose.SALE]
    prepaid_usage.settle(selling, now=now)
    asking = [sheet for sheet in selling if sheet.due]
    grants = drawing.usable([sheet.invoice.customer_id for sheet in asking], now=now)
    if not grants:
        return
    draws: list[CreditDraw] = []
    for sheet in asking:
        invoice = sheet.invoice
        found = drawing.draw(
            grants[invoice.customer_id, invoice.currency],
            sheet.due,
            Purpose(DrawKind.INVOICE, invoice=invoice),
            now=now,
        )
        if found:
            sheet.settled += drawing.total(found, invoice.currency)
            sheet.facts.append(_applied(invoice, found, count=0, now=now))
            draws += found
    drawing.put(draws)


def apply(invoice: Invoice, due: Money, *, now: datetime) -> list[Fact]:
    """Settle a finalized invoice from credit, as far as that goes; the facts to be posted."""
    if invoice.purpose != InvoicePurpose.SALE:
        return []
    grants = drawing.usable([invoice.customer_id], now=now)[invoice.customer_id, invoice.currency]
    return apply_from(grants, invoice, due, now=now)


def apply_from(
    grants: Sequence[CreditGrant], invoice: Invoice, due: Money, *, now: datetime, by: str = ""
) -> list[Fact]:
    """Settle a finalized invoice from these grants, in their order; the facts to be posted."""
    purpose = Purpose(DrawKind.INVOICE, invoice=invoice, by=by)
    draws = drawing.draw(grants, due, purpose, now=now)
    if not draws:
        return []
    count = _draws_on(invoice)
    drawing.put(draws)
    return [_applied(invoice, draws, count=count, now=now)]


def take_off(
    invoice: Invoice, draws: Sequence[CreditDraw], amount: Money, *, now: datetime, by: str
) -> list[Fact]:
    """Undo draws on a finalized invoice, the newest first; the facts to be posted.

    The credit is there again, and the invoice is owed: the caller reopens it.
    """
    purpose = Purpose(DrawKind.INVOICE, invoice=invoice, by=by)
    undone = drawing.give_back(draws, amount, purpose, now=now)
    if not undone:
        return []
    count = _draws_on(invoice)
    drawing.put(undone)
    return [_applied(invoice, undone, count=count, now=now)]


def _draws_on(invoice: Invoice) -> int:
    return CreditDraw.objects.filter(invoice=invoice).count()


def _applied(invoice: Invoice, draws: Sequence[CreditDraw], *, count: int, now: datetime) -> Fact:
    """Named after how often it happened to the invoice before."""
    drawn = drawing.total(draws, invoice.currency)
    return Fact(
        kind="CREDIT_APPLIED" if drawn.minor > 0 else "CREDIT_TAKEN_OFF",
        key=f"invoice:{invoice.pk}:credit_applied:{count}",
        customer_id=invoice.customer_id,
        occurred_at=now,
        context={
            "invoice": str(invoice.pk),
            "amount": str(drawn),
            "grants": drawing.said(draws),
        },
        postings=postings.credit_applied(drawn),
        source_kind="invoice",
        source_id=invoice.pk,
        invoice_id=invoice.pk,
    )
