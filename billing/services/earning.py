"""What finalized invoices earn: revenue by product, what is deferred, tax; one fact each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.core import deferring, postings
from billing.core.deferring import Portion
from billing.core.invoicing import LineKind
from billing.core.money import Money, total
from billing.core.periods import Period
from billing.core.postings import Account
from billing.core.taxes import Tax, TaxCategory
from billing.models import Deferral, InvoiceLine, bulk
from billing.services import journal
from billing.services.drafting import Sheet
from billing.services.journal import Fact
from plans.models import Plan


def of_invoices(sheets: Sequence[Sheet], *, at: datetime) -> dict[UUID, Fact]:
    """Invoice → the fact that it is owed. What is earned later is stored as deferred."""
    names = _plan_names(line for sheet in sheets for line in sheet.lines)
    deferrals: list[Deferral] = []
    facts = {}
    for sheet in sheets:
        found = [_deferral(line, names, at=at) for line in sheet.lines]
        rows = [row for row in found if row is not None]
        deferrals += rows
        facts[sheet.invoice.pk] = _fact(sheet, rows, names, at=at)
    bulk.insert(deferrals)
    if deferrals:  # named now: when they are earned, only their codes are at hand
        journal.open_accounts({account_of(row.line, names) for row in deferrals})
    return facts


def account_of(line: InvoiceLine, names: dict[UUID, str]) -> Account:
    """What a line earns for."""
    if line.kind == LineKind.CARRIED:
        return postings.CREDIT_CARRIED
    if line.kind == LineKind.CREDIT:
        return postings.CREDIT_ORDERED
    if line.plan_id is None:
        return postings.ITEMS
    return postings.revenue(str(line.plan_id), names.get(line.plan_id, ""))


def tax_account(line: InvoiceLine) -> Account:
    """To whom a line's tax is owed."""
    return postings.tax_payable(
        Tax(
            TaxCategory(line.tax_category),
            Decimal(line.tax_rate),
            line.tax_country,
            line.tax_region,
        )
    )


def _fact(
    sheet: Sheet, deferrals: Sequence[Deferral], names: dict[UUID, str], *, at: datetime
) -> Fact:
    invoice, currency = sheet.invoice, sheet.invoice.currency
    earned: defaultdict[Account, Money] = defaultdict(lambda: Money.zero(currency))
    taxes: defaultdict[Account, Money] = defaultdict(lambda: Money.zero(currency))
    for line in sheet.lines:
        earned[account_of(line, names)] += line.net
        if line.tax_minor:
            taxes[tax_account(line)] += line.tax
    later = {line.pk: line for line in sheet.lines}
    for row in deferrals:
        earned[account_of(later[row.line_id], names)] -= row.amount
    return Fact(
        kind="INVOICE_FINALIZED",
        key=f"invoice:{invoice.pk}:finalized",
        customer_id=invoice.customer_id,
        occurred_at=at,
        context={
            "number": invoice.number,
            "subscription": str(invoice.subscription_id) if invoice.subscription_id else None,
            "purpose": invoice.purpose,
            "subtotal": str(invoice.subtotal),
            "discount": str(invoice.discount),
            "tax": str(invoice.tax),
            "total": str(invoice.total),
            "due_at": _text(invoice.due_at),
            "period_start": _text(invoice.period_start),
            "period_end": _text(invoice.period_end),
            "lines": [
                {"description": line.description, "amount": str(line.amount)}
                for line in sheet.lines
            ],
        },
        postings=postings.invoice_finalized(
            invoice.total,
            earned=earned,
            deferred=total((row.amount for row in deferrals), currency),
            taxes=taxes,
        ),
        source_kind="invoice",
        source_id=invoice.pk,
        invoice_id=invoice.pk,
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _deferral(line: InvoiceLine, names: dict[UUID, str], *, at: datetime) -> Deferral | None:
    if line.kind in {LineKind.CARRIED, LineKind.CREDIT}:
        return None
    period = None
    if line.period_start is not None and line.period_end is not None:
        period = Period(line.period_start, line.period_end)
    portion = deferring.deferred(line.net, period, at=at)
    if portion is None:
        return None
    return Deferral(
        customer_id=line.customer_id,
        line=line,
        account=account_of(line, names).code,
        currency=line.currency,
        **_columns(portion),
    )


def _columns(portion: Portion) -> dict[str, object]:
    return {
        "amount_minor": portion.amount.minor,
        "starts_on": portion.starts_on,
        "ends_on": portion.ends_on,
        "recognized_until_on": portion.starts_on,
    }


def _plan_names(lines: Iterable[InvoiceLine]) -> dict[UUID, str]:
    ids = {line.plan_id for line in lines if line.plan_id is not None}
    return dict(Plan.objects.filter(pk__in=ids).values_list("pk", "name"))
