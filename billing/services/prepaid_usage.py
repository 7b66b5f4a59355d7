"""What was drawn for prepaid usage: stored as it happens, and settling the invoice in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing.core import postings
from billing.core.invoicing import LineKind
from billing.core.money import Money, total
from billing.models import BillingPeriod, CreditDraw, InvoiceLine
from billing.models.credit import DrawKind
from billing.queries import prepaid
from billing.queries.prepaid import Running
from billing.services import drawing, journal
from billing.services.drafting import Sheet
from billing.services.drawing import Purpose, Purses
from billing.services.journal import Fact


def give_back(row: Running, *, by: str, now: datetime) -> None:
    """Return what was drawn for usage beyond what it costs, the newest draw first.

    In a transaction of the caller's, who holds the lock on the customer.
    """
    purpose = Purpose(DrawKind.USAGE, period=row.period, by=by)
    returned = drawing.give_back(row.draws, -row.missing, purpose, now=now)
    if returned:
        drawing.put(returned)
        journal.post(_moved("PREPAID_USAGE_RETURNED", row, returned, now=now))


def draw(row: Running, purses: Purses, *, by: str, now: datetime) -> Money:
    """Draw what usage costs beyond what was drawn, as far as credit goes; how much that was.

    In a transaction of the caller's, who holds the lock on the customer.
    """
    grants = purses[row.period.customer_id, row.charge.currency]
    purpose = Purpose(DrawKind.USAGE, period=row.period, by=by)
    drawn = drawing.draw(grants, row.missing, purpose, now=now)
    if drawn:
        drawing.put(drawn)
        journal.post(_moved("PREPAID_USAGE_DRAWN", row, drawn, now=now))
    return drawing.total(drawn, row.charge.currency)


def settle(sheets: Sequence[Sheet], *, now: datetime) -> None:
    """Settle invoices over prepaid usage by what was drawn for it; what is over goes back.

    In a transaction of the caller's, who holds the locks on the customers.
    """
    lines = {sheet.invoice.pk: _usage_lines(sheet) for sheet in sheets}
    periods = [period_id for found in lines.values() for period_id in found]
    draws = prepaid.usage_draws(periods) if periods else {}
    if not draws:
        return
    rows = BillingPeriod.objects.in_bulk(list(draws))
    returned: list[CreditDraw] = []
    for sheet in sheets:
        for period_id, of_period in lines[sheet.invoice.pk].items():
            if period_id in draws:
                cost = total((line.net + line.tax for line in of_period), sheet.invoice.currency)
                kept = max(min(cost, sheet.due), Money.zero(cost.currency))
                row = Running(rows[period_id], kept, draws[period_id])
                returned += _settle(sheet, row, now=now)
    drawing.put(returned)


def _settle(sheet: Sheet, row: Running, *, now: datetime) -> list[CreditDraw]:
    """Settle one invoice by one period's draws; those that undo what is over."""
    purpose = Purpose(DrawKind.USAGE, period=row.period)
    returned: list[CreditDraw] = []
    if row.missing.minor < 0:
        returned = drawing.give_back(row.draws, -row.missing, purpose, now=now)
        sheet.facts.append(_moved("PREPAID_USAGE_RETURNED", row, returned, now=now))
    settled = min(row.drawn, row.charge)
    if settled:
        sheet.settled += settled
        sheet.facts.append(_invoiced(sheet, row.period, settled, now=now))
    return returned


def _usage_lines(sheet: Sheet) -> dict[UUID, list[InvoiceLine]]:
    """Period → its usage lines on an invoice."""
    found: defaultdict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in sheet.lines:
        if line.kind == LineKind.USAGE and line.billing_period_id is not None:
            found[line.billing_period_id].append(line)
    return found


def _moved(kind: str, row: Running, draws: Sequence[CreditDraw], *, now: datetime) -> Fact:
    """Named after the running total and how often it moved before: the same is entered once."""
    amount = drawing.total(draws, row.charge.currency)
    return Fact(
        kind=kind,
        key=f"billing_period:{row.period.pk}:prepaid:{len(row.draws)}:{row.charge.minor}",
        customer_id=row.period.customer_id,
        occurred_at=now,
        context={
            "period": str(row.period.pk),
            "period_start": row.period.starts_at.isoformat(),
            "used_so_far": str(row.charge),
            "drawn_before": str(row.drawn),
            "amount": str(amount),
            "grants": drawing.said(draws),
        },
        postings=postings.usage_prepaid(amount),
        source_kind="subscription",
        source_id=row.period.subscription_id,
    )


def _invoiced(sheet: Sheet, period: BillingPeriod, settled: Money, *, now: datetime) -> Fact:
    return Fact(
        kind="PREPAID_USAGE_INVOICED",
        key=f"billing_period:{period.pk}:prepaid_invoiced",
        customer_id=sheet.invoice.customer_id,
        occurred_at=now,
        context={
            "invoice": str(sheet.invoice.pk),
            "period": str(period.pk),
            "amount": str(settled),
        },
        postings=postings.prepaid_usage_invoiced(settled),
        source_kind="invoice",
        source_id=sheet.invoice.pk,
        invoice_id=sheet.invoice.pk,
    )
