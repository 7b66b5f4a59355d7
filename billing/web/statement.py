"""A customer's statement: a month of their account with us, as it prints."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from billing import clock
from billing.queries import statements
from billing.queries.statements import Source
from billing.web.members import Member
from billing.web.pages import page
from customers.models import Customer

_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@page
def statement(request: HttpRequest, member: Member) -> HttpResponse:
    """A month, this one if none is asked for, and the ways to the months beside it."""
    customer = member.customer
    present = customer.lives_at(clock.now())
    this = present.astimezone(customer.zone).date().replace(day=1)
    month = min(_asked(request.GET.get("month", "")) or this, this)
    since, until = _midnight(month, customer), _midnight(_after(month), customer)
    found = statements.of(customer, since=since, until=until)
    return render(
        request,
        "billing/statement.html",
        {
            "member": member,
            "month": month,
            "since": since,
            "last": min(until - timedelta(microseconds=1), present),
            "statements": [
                (row, [(item, _address(item.source)) for item in row.items]) for row in found
            ],
            "earlier": (month - timedelta(days=1)).replace(day=1),
            "later": _after(month) if month < this else None,
        },
    )


def _asked(text: str) -> date | None:
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else None


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _midnight(day: date, customer: Customer) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=customer.zone).astimezone(UTC)


def _address(source: Source | None) -> str:
    """The page of what an entry came of; empty where it has none."""
    if source is None or source.kind != "invoice":
        return ""
    return reverse("invoice", kwargs={"invoice_id": source.id})
