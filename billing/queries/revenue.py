"""Deferred revenue: what of it was, and will be, earned in which month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection


@dataclass(frozen=True, slots=True)
class Month:
    """One account's month in one currency, in minor units.

    :param opening: deferred when it began.
    :param added: deferred in it by invoices, less what credit notes took back.
    :param earned: by its days, recognized or still to come.
    """

    month: date
    account: str
    name: str
    currency: str
    opening: int
    added: int
    earned: int

    @property
    def closing(self) -> int:
        """Deferred when it ends."""
        return self.opening + self.added - self.earned


def schedule(since: date, until: date) -> list[Month]:
    """Every month from that of `since` to that of `until`, by account and currency."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULE, {"since": since.replace(day=1), "until": until.replace(day=1)})
        return [Month(*row) for row in cursor.fetchall()]


_SCHEDULE: Final = """
WITH months AS (
  SELECT first::date, (first + '1 month'::interval)::date AS next
    FROM generate_series(%(since)s::timestamp, %(until)s::timestamp, '1 month') first),
portions AS (
  SELECT months.first, deferral.account, deferral.currency, deferral.amount_minor,
         deferral.starts_on < months.first AS is_older,
         deferral.starts_on >= months.first AND deferral.starts_on < months.next AS is_new,
         round(deferral.amount_minor::numeric * greatest(0, least(deferral.ends_on, months.first)
           - deferral.starts_on) / (deferral.ends_on - deferral.starts_on)) AS before,
         round(deferral.amount_minor::numeric * greatest(0, least(deferral.ends_on, months.next)
           - deferral.starts_on) / (deferral.ends_on - deferral.starts_on)) AS after
    FROM billing_deferral deferral
    JOIN months ON deferral.starts_on < months.next AND deferral.ends_on > months.first)
SELECT first, portions.account, coalesce(account.name, ''), currency,
       sum(CASE WHEN is_older THEN amount_minor - before ELSE 0 END)::bigint,
       sum(CASE WHEN is_new THEN amount_minor ELSE 0 END)::bigint,
       sum(after - before)::bigint
  FROM portions
  LEFT JOIN billing_ledgeraccount account ON account.code = portions.account
 GROUP BY first, portions.account, account.name, currency
 ORDER BY first, portions.account, currency
"""
