"""Everything that moved money or credit of customers, in one list, newest first.

A charge is an attempt at a gateway, whatever came of it; a payment is money that came another
way; a credit is a grant of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.core.currencies import EXPONENTS
from billing.core.money import Money


class TransactionKind(StrEnum):
    """What moved."""

    CHARGE = "CHARGE"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    CREDIT = "CREDIT"
    CREDIT_NOTE = "CREDIT_NOTE"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One of them; its id is that of the attempt, payment, refund, dispute, grant or note.

    :param amount: positive; the kind says which way it went.
    :param invoices: what it was for.
    """

    pk: UUID
    kind: str
    customer: UUID
    at: datetime
    amount: Money
    status: str
    gateway: str
    reason: str
    invoices: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which transactions; None for all.

    :param least: in major units of whatever currency; so is `most`.
    :param item: words that stand in a line of an invoice it was for.
    """

    customer: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    item: str | None = None
    status: str | None = None
    kind: TransactionKind | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the list: after an older row, or before a newer one, reading away from it."""

    limit: int
    after: UUID | int | None = None
    before: UUID | int | None = None


_SETTLED: Final = """ARRAY(SELECT invoice_id FROM billing_allocation
                              WHERE payment_id = {payment} ORDER BY id)"""
_ALL: Final = {
    TransactionKind.CHARGE: """
      SELECT attempt.id, 'CHARGE' AS kind, invoice.customer_id, attempt.created_at AS at,
             attempt.amount_minor, attempt.currency, attempt.status, attempt.gateway,
             attempt.decline_message AS reason, ARRAY[attempt.invoice_id] AS invoices
        FROM billing_paymentattempt attempt
        JOIN billing_invoice invoice ON invoice.id = attempt.invoice_id""",
    TransactionKind.PAYMENT: f"""
      SELECT id, 'PAYMENT', customer_id, received_at, amount_minor, currency,
             CASE WHEN reversed_at IS NULL THEN 'SUCCEEDED' ELSE 'REVERSED' END, gateway,
             reference, {_SETTLED.format(payment="payment.id")}
        FROM billing_payment payment WHERE attempt_id IS NULL""",  # noqa: S608  # constants
    TransactionKind.REFUND: f"""
      SELECT refund.id, 'REFUND', refund.customer_id, refund.created_at, refund.amount_minor,
             refund.currency, refund.status, payment.gateway, refund.reason,
             CASE WHEN note.invoice_id IS NULL THEN {_SETTLED.format(payment="payment.id")}
                  ELSE ARRAY[note.invoice_id] END
        FROM billing_refund refund JOIN billing_payment payment ON payment.id = refund.payment_id
        LEFT JOIN billing_creditnote note ON note.id = refund.credit_note_id""",  # noqa: S608  # constants
    TransactionKind.DISPUTE: f"""
      SELECT dispute.id, 'DISPUTE', dispute.customer_id, dispute.opened_at, dispute.amount_minor,
             dispute.currency, dispute.status, payment.gateway, dispute.reason,
             {_SETTLED.format(payment="payment.id")}
        FROM billing_dispute dispute
        JOIN billing_payment payment ON payment.id = dispute.payment_id""",  # noqa: S608  # constants
    TransactionKind.CREDIT: """
      SELECT credit.id, 'CREDIT', credit.customer_id, credit.created_at, credit.amount_minor,
             credit.currency, CASE WHEN remaining_minor = 0 THEN 'USED' ELSE 'OPEN' END,
             coalesce(payment.gateway, ''), reason,
             CASE WHEN invoice_id IS NULL THEN ARRAY[]::uuid[] ELSE ARRAY[invoice_id] END
        FROM billing_creditgrant credit
        LEFT JOIN billing_payment payment ON payment.id = credit.payment_id""",
    TransactionKind.CREDIT_NOTE: """
      SELECT id, 'CREDIT_NOTE', customer_id, issued_at, total_minor, currency, 'ISSUED', '',
             reason, ARRAY[invoice_id]
        FROM billing_creditnote""",
}
STATUSES: Final = (
    "created",
    "sending",
    "unknown",
    "processing",
    "action_required",
    "succeeded",
    "failed",
    "abandoned",
    "reversed",
    "open",
    "won",
    "lost",
    "used",
    "issued",
)
# What an amount of these currencies is divided by is not a hundred.
_ODD: Final = json.dumps({code: places for code, places in EXPONENTS.items() if places != 2})
_MAJOR: Final = "amount_minor / power(10::numeric, coalesce((%(odd)s::jsonb ->> currency)::int, 2))"
_CONDITIONS: Final = {
    "customer": "customer_id = %(customer)s",
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
    "least": f"{_MAJOR} >= %(least)s",
    "most": f"{_MAJOR} <= %(most)s",
    "item": """EXISTS (SELECT 1 FROM billing_invoiceline line WHERE line.invoice_id = ANY(invoices)
                         AND strpos(lower(line.description), lower(%(item)s)) > 0)""",
    "status": "status = %(status)s",
    "gateway": "gateway = %(gateway)s",
}


def listed(wanted: Wanted, part: Part) -> list[Transaction]:
    """Those that are wanted, from where the part begins."""
    parameters: dict[str, Any] = {name: getattr(wanted, name) for name in _CONDITIONS}
    conditions = [sql for name, sql in _CONDITIONS.items() if parameters[name] is not None]
    order = "DESC"
    if part.after is not None:
        conditions.append("id < %(after)s")
    elif part.before is not None:
        conditions.append("id > %(before)s")
        order = "ASC"
    sql = (
        f"SELECT * FROM ({_union(wanted.kind)}) moved"  # noqa: S608  # constants
        f" WHERE {' AND '.join(conditions) or 'true'} ORDER BY id {order} LIMIT %(limit)s"
    )
    bounds = {"odd": _ODD, "after": part.after, "before": part.before, "limit": part.limit}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | bounds)
        return [_transaction(row) for row in cursor.fetchall()]


def _union(kind: TransactionKind | None) -> str:
    chosen: Mapping[TransactionKind, str] = _ALL if kind is None else {kind: _ALL[kind]}
    # The first names the columns.
    none = _ALL[TransactionKind.CHARGE] + " WHERE false"
    return " UNION ALL ".join([none, *chosen.values()])


def _transaction(row: tuple[Any, ...]) -> Transaction:
    pk, kind, customer, at, minor, currency, status, gateway, reason, invoices = row
    return Transaction(
        pk=pk,
        kind=kind,
        customer=customer,
        at=at,
        amount=Money(minor, currency),
        status=status,
        gateway=gateway,
        reason=reason,
        invoices=tuple(invoices),
    )
