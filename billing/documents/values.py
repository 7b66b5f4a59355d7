"""What a finalized document says, before it is a file of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from billing.core.money import Money, total
from billing.core.taxes import Tax, TaxTotal


class DocumentKind(StrEnum):
    """What it is; the value is its title."""

    INVOICE = "Invoice"
    CREDIT_NOTE = "Credit note"


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line, as it was frozen.

    :param unit_amount: a rate in major units; None where `explanation` says how it came about.
    :param amount: as stated, before discounts; with its tax where `is_tax_included`.
    :param net: after discounts, without tax.
    """

    description: str
    explanation: str
    quantity: Decimal
    unit_amount: Decimal | None
    amount: Money
    discount: Money
    net: Money
    tax: Tax
    is_tax_included: bool = False
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaidBy:
    """A payment that settles a part of it.

    :param kind: of the payment method, such as `card`; of one by hand, how it came.
    :param method: as people know it, `Visa •••• 4242`; empty for one by hand.
    :param last4: of a card; empty for another.
    """

    amount: Money
    received_at: datetime
    kind: str
    method: str = ""
    last4: str = ""


@dataclass(frozen=True, slots=True)
class CreditedBy:
    """A credit note on an invoice; `to_due` is what less is owed by it."""

    number: str
    issued_at: datetime
    total: Money
    to_due: Money


@dataclass(frozen=True, slots=True)
class Part:
    """An instalment: how much by when, and what of it is still to pay."""

    amount: Money
    due_at: datetime
    left: Money


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of an invoice until now. It is not frozen: payments come afterwards.

    :param due: what is still owed, by the journal.
    :param state: `Paid`, `Canceled`, …; empty while it is merely owed.
    :param is_void: whether nobody has to pay it any more, because it was taken back.
    :param is_charged: whether a charge is under way.
    """

    due: Money
    payments: Sequence[PaidBy] = ()
    credit_applied: Money | None = None
    credit_notes: Sequence[CreditedBy] = ()
    instalments: Sequence[Part] = ()
    state: str = ""
    is_void: bool = False
    is_charged: bool = False

    @property
    def paid(self) -> Money:
        """What payments and credit settled."""
        paid = total((row.amount for row in self.payments), self.due.currency)
        return paid + self.credit_applied if self.credit_applied else paid


@dataclass(frozen=True, slots=True)
class Correction:
    """What a credit note is about: its invoice, why, and where what is credited goes."""

    invoice_number: str
    invoice_issued_at: datetime
    reason: str
    to_due: Money
    to_credit: Money
    to_refund: Money


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a credit note. Amounts are of `currency`, and not negative in all.

    :param seller: as frozen, by the names of `Seller`'s columns; `buyer` likewise.
    :param seller_id: a name for the seller that never changes.
    :param zone: whose days its dates are.
    :param taxes: one for each tax; their bases and amounts sum to the total.
    :param notes: sentences that law asks for.
    :param standing: of an invoice; `correction` of a credit note.
    """

    kind: DocumentKind
    number: str
    currency: str
    issued_at: datetime
    zone: ZoneInfo
    seller: Mapping[str, Any]
    seller_id: str
    buyer: Mapping[str, Any]
    lines: Sequence[DocumentLine]
    taxes: Sequence[TaxTotal]
    tax: Money
    total: Money
    notes: Sequence[str] = ()
    due_at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    standing: Standing | None = None
    correction: Correction | None = None

    @property
    def title(self) -> str:
        """`Invoice INV-000042`."""
        return f"{self.kind} {self.number}"

    @property
    def net(self) -> Money:
        """Without tax."""
        return self.total - self.tax

    @property
    def subtotal(self) -> Money:
        """The lines before discounts, as stated."""
        return total((line.amount for line in self.lines), self.currency)

    @property
    def discount(self) -> Money:
        """What coupons took off."""
        return total((line.discount for line in self.lines), self.currency)
