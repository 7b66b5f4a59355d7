"""The page of reports: who owes how much since when, and what recurs by the month."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse

from billing import clock
from billing.admin import cells, tables
from billing.admin.tables import Table
from billing.core.processors.mrr import MOVEMENTS
from billing.models import JournalEntry
from billing.queries import reports
from billing.queries.reports import Aged
from customers.models import Customer

PATH: Final = "reports/"
NAME: Final = "billing_reports"
_DEBTORS: Final = 50
_A_YEAR: Final = timedelta(days=366)
_LATE: Final = ("#Not due", "#1–30 days", "#31–60", "#61–90", "#Over 90", "#Owed")


def page(request: HttpRequest) -> TemplateResponse:
    """What processors have digested; who may view the journal may see it."""
    if not tables.may_view(JournalEntry, request.user):
        raise PermissionDenied
    shown = tables.visible([_ageing(), _debtors(), _mrr()], request.user)
    context = {
        **admin.site.each_context(request),
        "title": "Reports",
        "tables": shown,
        "as_of": cells.instant(reports.digested_at(reports.AGEING)),
    }
    return TemplateResponse(request, "admin/billing/reports.html", context)


def _ageing() -> Table:
    rows = [[row.owed.currency, *_parts(row)] for row in reports.ageing(now=clock.now())]
    return Table(JournalEntry, "Receivables by days overdue", ["Currency", *_LATE], rows)


def _debtors() -> Table:
    _, found = reports.ageing_by_customer(now=clock.now(), offset=0, limit=_DEBTORS)
    rows = [
        [
            cells.anchor(cells.page_of(Customer, row.customer), row.organization_id),
            row.owed.currency,
            *_parts(row),
        ]
        for row in found
    ]
    return Table(Customer, "Who owes most", ["Customer", "Currency", *_LATE], rows)


def _mrr() -> Table:
    now = clock.now()
    months = reports.mrr_by_month(first=f"{now - _A_YEAR:%Y-%m}", last=f"{now:%Y-%m}")
    rows = [
        [
            row.month,
            row.closing.currency,
            *(cells.money(row.movements[name]) for name in MOVEMENTS),
            cells.money(row.closing),
        ]
        for row in reversed(months)
    ]
    headers = ["Month", "Currency", *(f"#{name.capitalize()}" for name in MOVEMENTS), "#MRR"]
    return Table(JournalEntry, "Monthly recurring revenue, a year back", headers, rows)


def _parts(row: Aged) -> list[object]:
    return [*(cells.money(part) for part in row.parts), cells.money(row.owed)]
