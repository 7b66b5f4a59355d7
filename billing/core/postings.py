"""Business fact → balanced journal postings. One rule per fact, named after it.

An amount that is negative goes to the other side: a credit on an invoice lessens what is earned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from billing.core import figures
from billing.core.money import Money, total
from billing.core.taxes import Tax


class Side(StrEnum):
    """Debits come first."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class AccountKind(StrEnum):
    """The five kinds of double entry."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart by its code: `receivables`, `cash:stripe`.

    :param name: for people; the code alone says which account it is.
    """

    code: str
    kind: AccountKind
    name: str = field(default="", compare=False)


RECEIVABLES: Final = Account("receivables", AccountKind.ASSET, "Owed by customers")
DISPUTES: Final = Account("disputes", AccountKind.ASSET, "Held back by gateways")
DEFERRED_REVENUE: Final = Account(
    "deferred_revenue", AccountKind.LIABILITY, "Invoiced and still to be earned"
)
CUSTOMER_CREDIT: Final = Account("customer_credit", AccountKind.LIABILITY, "Customers' credit")
CREDIT_CARRIED: Final = Account(
    "credit_carried", AccountKind.LIABILITY, "Credit carried over to the next invoice"
)
CREDIT_ORDERED: Final = Account(
    "credit_ordered", AccountKind.LIABILITY, "Prepaid credit invoiced and not yet paid"
)
PREPAID_USAGE: Final = Account(
    "prepaid_usage", AccountKind.LIABILITY, "Usage paid from credit and not yet invoiced"
)
BANK: Final = Account("bank", AccountKind.ASSET, "Paid out to our bank")
REFUNDS: Final = Account("refunds", AccountKind.LIABILITY, "Refunds on their way")
ITEMS: Final = Account("revenue:items", AccountKind.INCOME, "Single sales")
BREAKAGE: Final = Account("revenue:breakage", AccountKind.INCOME, "Paid credit that expired")
PROMOTIONS: Final = Account("promotions", AccountKind.EXPENSE, "Credit given away")
CHARGEBACKS: Final = Account("chargebacks", AccountKind.EXPENSE, "Disputes lost")
BAD_DEBT: Final = Account("bad_debt", AccountKind.EXPENSE, "Written off")
ROUNDING: Final = Account("rounding", AccountKind.EXPENSE, "Small differences let go")


def cash(gateway: str) -> Account:
    """The money a gateway, or a bank account of ours, holds for us."""
    return Account(f"cash:{gateway}", AccountKind.ASSET, f"Money at {gateway}")


def fees(gateway: str) -> Account:
    """What a gateway keeps."""
    return Account(f"fees:{gateway}", AccountKind.EXPENSE, f"Fees of {gateway}")


def revenue(plan_id: str, name: str = "") -> Account:
    """What a plan earns."""
    return Account(f"revenue:{plan_id}", AccountKind.INCOME, name)


def tax_payable(tax: Tax) -> Account:
    """What is owed to a country, or a region of it, at one rate."""
    place = f"{tax.country}-{tax.region}" if tax.region else tax.country
    percent = figures.plain(tax.percent)
    return Account(f"tax:{place}:{percent}", AccountKind.LIABILITY, f"Tax {place} {percent} %")


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry; the amount is positive.

    :param invoice_id: what it is owed or paid on.
    """

    account: Account
    side: Side
    amount: Money
    invoice_id: UUID | None = None


Postings = list[Posting]


def invoice_finalized(
    owed: Money,
    *,
    earned: Mapping[Account, Money],
    deferred: Money,
    taxes: Mapping[Account, Money],
) -> Postings:
    """The customer owes the total; what is not earned yet is deferred.

    :param earned: what else is in it, net, by account: revenue, credit sold or carried over.
    """
    return [
        *debit(RECEIVABLES, owed),
        *(posting for account, amount in earned.items() for posting in credit(account, amount)),
        *credit(DEFERRED_REVENUE, deferred),
        *(posting for account, amount in taxes.items() for posting in credit(account, amount)),
    ]


def credit_note_issued(
    *,
    earned: Mapping[Account, Money],
    deferred: Money,
    taxes: Mapping[Account, Money],
    to_due: Money,
    to_credit: Money,
    to_refund: Money,
) -> Postings:
    """What the invoice said is taken back; what was paid of it is owed to the customer."""
    return [
        *(posting for account, amount in earned.items() for posting in debit(account, amount)),
        *debit(DEFERRED_REVENUE, deferred),
        *(posting for account, amount in taxes.items() for posting in debit(account, amount)),
        *credit(RECEIVABLES, to_due),
        *credit(CUSTOMER_CREDIT, to_credit),
        *credit(REFUNDS, to_refund),
    ]


def payment_received(amount: Money, *, gateway: str, allocated: Mapping[UUID, Money]) -> Postings:
    """Money came in; what settles no invoice is the customer's credit."""
    rest = amount - total(allocated.values(), amount.currency)
    return [
        *debit(cash(gateway), amount),
        *_on_invoices(credit, RECEIVABLES, allocated),
        *credit(CUSTOMER_CREDIT, rest),
    ]


def payment_reversed(amount: Money, *, gateway: str, allocated: Mapping[UUID, Money]) -> Postings:
    """What `payment_received` posted, taken back: it bounced, or was entered by mistake."""
    return mirrored(payment_received(amount, gateway=gateway, allocated=allocated))


def allocation_reversed(amount: Money) -> Postings:
    """The invoice is owed again, and the money is the customer's credit."""
    return _pair(RECEIVABLES, CUSTOMER_CREDIT, amount)


def credit_granted(amount: Money) -> Postings:
    """Credit is given away."""
    return _pair(PROMOTIONS, CUSTOMER_CREDIT, amount)


def credit_sold(amount: Money) -> Postings:
    """An invoice over prepaid credit is paid: the credit is there."""
    return _pair(CREDIT_ORDERED, CUSTOMER_CREDIT, amount)


def credit_applied(amount: Money) -> Postings:
    """Credit settles an invoice."""
    return _pair(CUSTOMER_CREDIT, RECEIVABLES, amount)


def credit_expired(amount: Money, *, is_paid: bool) -> Postings:
    """Credit lapses: paid credit is earned (breakage), a present costs nothing any more."""
    return _pair(CUSTOMER_CREDIT, BREAKAGE if is_paid else PROMOTIONS, amount)


def usage_prepaid(amount: Money) -> Postings:
    """Usage is paid from credit as it happens; its invoice is still to come. Negative: undone."""
    return [*debit(CUSTOMER_CREDIT, amount), *credit(PREPAID_USAGE, amount)]


def prepaid_usage_invoiced(amount: Money) -> Postings:
    """The invoice over prepaid usage is settled by what was drawn for it."""
    return _pair(PREPAID_USAGE, RECEIVABLES, amount)


def refund_owed(amount: Money) -> Postings:
    """Unused credit shall go back to where it came from."""
    return _pair(CUSTOMER_CREDIT, REFUNDS, amount)


def refund_paid(amount: Money, *, gateway: str) -> Postings:
    """The money has gone back."""
    return _pair(REFUNDS, cash(gateway), amount)


def refund_returned(amount: Money, *, gateway: str) -> Postings:
    """It had gone back, and came again: nobody took it."""
    return _pair(cash(gateway), REFUNDS, amount)


def refund_failed(amount: Money) -> Postings:
    """The money could not go back: it is the customer's credit."""
    return _pair(REFUNDS, CUSTOMER_CREDIT, amount)


def dispute_opened(amount: Money, *, gateway: str) -> Postings:
    """A gateway holds back what a bank contests."""
    return _pair(DISPUTES, cash(gateway), amount)


def dispute_won(amount: Money, *, gateway: str) -> Postings:
    """The gateway gives it back."""
    return _pair(cash(gateway), DISPUTES, amount)


def dispute_lost(amount: Money) -> Postings:
    """The customer's bank keeps it."""
    return _pair(CHARGEBACKS, DISPUTES, amount)


def contest_conceded(amount: Money) -> Postings:
    """We give in to a customer who contests with us: the money shall go back."""
    return _pair(CHARGEBACKS, REFUNDS, amount)


def fee_charged(amount: Money, *, gateway: str) -> Postings:
    """A gateway keeps something for itself."""
    return _pair(fees(gateway), cash(gateway), amount)


def payout_sent(amount: Money, *, gateway: str) -> Postings:
    """A gateway sends what it holds to our bank."""
    return _pair(BANK, cash(gateway), amount)


def payout_failed(amount: Money, *, gateway: str) -> Postings:
    """It never arrived, and is with the gateway again."""
    return _pair(cash(gateway), BANK, amount)


def written_off(amount: Money) -> Postings:
    """Nobody will pay it any more."""
    return _pair(BAD_DEBT, RECEIVABLES, amount)


def difference_let_go(amount: Money) -> Postings:
    """So little is missing that the invoice counts as paid."""
    return _pair(ROUNDING, RECEIVABLES, amount)


def revenue_recognized(earned: Mapping[Account, Money]) -> Postings:
    """Days have gone by: what was deferred for them is earned. Of one currency."""
    return [
        posting
        for account, amount in earned.items()
        for posting in (*debit(DEFERRED_REVENUE, amount), *credit(account, amount))
    ]


def debit(account: Account, amount: Money) -> Postings:
    """A debit; of a negative amount, a credit; of nothing, nothing."""
    if not amount:
        return []
    if amount.minor < 0:
        return [Posting(account, Side.CREDIT, -amount)]
    return [Posting(account, Side.DEBIT, amount)]


def credit(account: Account, amount: Money) -> Postings:
    """A credit; of a negative amount, a debit; of nothing, nothing."""
    return debit(account, -amount)


def mirrored(postings: Sequence[Posting]) -> Postings:
    """The reversal of an entry."""
    other = {Side.DEBIT: Side.CREDIT, Side.CREDIT: Side.DEBIT}
    return [replace(posting, side=other[posting.side]) for posting in postings]


def is_balanced(postings: Sequence[Posting]) -> bool:
    """Whether debits equal credits in every currency."""
    sums: dict[str, int] = {}
    for posting in postings:
        sign = 1 if posting.side == Side.DEBIT else -1
        currency = posting.amount.currency
        sums[currency] = sums.get(currency, 0) + sign * posting.amount.minor
    return not any(sums.values())


def _pair(debited: Account, credited: Account, amount: Money) -> Postings:
    return [*debit(debited, amount), *credit(credited, amount)]


def _on_invoices(
    rule: Callable[[Account, Money], Postings], account: Account, parts: Mapping[UUID, Money]
) -> Postings:
    return [
        replace(posting, invoice_id=invoice_id)
        for invoice_id, amount in parts.items()
        for posting in rule(account, amount)
    ]
