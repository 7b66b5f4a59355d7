"""Deferred revenue is earned, day by day, as the days go by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction

from billing.core import postings
from billing.core.money import Money
from billing.core.postings import Account, AccountKind
from billing.services import journal
from billing.services.journal import Fact
from customers.models import TestClock

CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Earned:
    """What one deferral has earned in the days that are over."""

    deferral: int
    account: str
    amount: Money


def recognize(*, now: datetime, clock: TestClock | None = None, limit: int = CHUNK) -> int:
    """Post what all days that are over have earned; how many deferrals moved.

    Any number of runs share the work, and a killed one leaves nothing behind. Days that a
    stopped worker has missed are made up for.

    :param clock: whose customers; None for all who live in real time.
    """
    moved = 0
    while found := _recognize(now, clock, limit=limit):
        moved += found
    return moved


@transaction.atomic(durable=True)
def _recognize(now: datetime, clock: TestClock | None, *, limit: int) -> int:
    """One chunk, with one fact for each currency."""
    today = now.date()
    by_currency: defaultdict[str, list[_Earned]] = defaultdict(list)
    rows = _move(today, clock, limit=limit)
    for deferral, account, currency, minor in rows:
        by_currency[currency].append(_Earned(deferral, account, Money(minor, currency)))
    journal.post(
        *(
            _fact(currency, earned, today=today, now=now)
            for currency, earned in sorted(by_currency.items())
        )
    )
    return len(rows)


def _fact(currency: str, earned: list[_Earned], *, today: date, now: datetime) -> Fact:
    """Its key is the first deferral's, which comes to each day once."""
    by_account: defaultdict[Account, Money] = defaultdict(lambda: Money.zero(currency))
    for row in earned:
        by_account[Account(row.account, AccountKind.INCOME)] += row.amount
    first = min(row.deferral for row in earned)
    return Fact(
        kind="REVENUE_RECOGNIZED",
        key=f"deferral:{first}:recognized:{today.isoformat()}",
        customer_id=None,
        occurred_at=now,
        context={
            "until": today.isoformat(),
            "currency": currency,
            "deferrals": len(earned),
            "earned": {account.code: str(amount) for account, amount in by_account.items()},
        },
        postings=postings.revenue_recognized(by_account),
    )


def _move(today: date, clock: TestClock | None, *, limit: int) -> list[tuple[int, str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVE, {"today": today, "clock": None if clock is None else clock.pk, "limit": limit}
        )
        found: list[tuple[int, str, str, int]] = cursor.fetchall()
    return found


# What is earned by a day is core.deferring.Portion.earned_by; numeric's round() is its rounding.
_MOVE: Final = """
WITH due AS (
  SELECT deferral.id, deferral.recognized_until_on AS before,
         least(deferral.ends_on, %(today)s) AS until
    FROM billing_deferral deferral
    JOIN customers_customer customer ON customer.id = deferral.customer_id
   WHERE deferral.recognized_until_on < deferral.ends_on
     AND deferral.recognized_until_on < %(today)s
     AND customer.test_clock_id IS NOT DISTINCT FROM %(clock)s::uuid
   ORDER BY deferral.id LIMIT %(limit)s
     FOR UPDATE OF deferral SKIP LOCKED)
UPDATE billing_deferral deferral SET recognized_until_on = due.until
  FROM due WHERE due.id = deferral.id
RETURNING deferral.id, deferral.account, deferral.currency, (
    round(amount_minor::numeric * (due.until - starts_on) / (ends_on - starts_on))
  - round(amount_minor::numeric * (due.before - starts_on) / (ends_on - starts_on)))::bigint
"""
