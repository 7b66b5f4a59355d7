"""What can stand in the books, and `docs/books.md`, which is written from it.

Every kind of fact is listed here: a test compares the list with what the services enter. What a
fact moves is not described but shown, by running its posting rule on example amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from uuid import UUID

from billing.core import postings
from billing.core.exporting.values import plain
from billing.core.money import Money
from billing.core.postings import Account, Posting, Postings, Side
from billing.core.taxes import Tax, TaxCategory

_NOBODY: Final = "nobody yet"
_GATEWAY: Final = "stripe"
_PLAN: Final = "0198d5a2-0000-7000-8000-00000000c01d"
_INVOICE: Final = UUID("0198d5a2-0000-7000-8000-000000000042")
_GOLD: Final = postings.revenue(_PLAN, "Gold")
_VAT: Final = Tax(TaxCategory.STANDARD, Decimal(19), country="DE")


@dataclass(frozen=True, slots=True)
class Known:
    """A kind of fact.

    :param says: what has happened.
    :param examples: what it moves, by a title; empty for a fact that moves nothing.
    """

    kind: str
    says: str
    examples: Sequence[tuple[str, Callable[[], Postings]]] = field(default_factory=tuple)


def page(entered_by: Mapping[str, Sequence[str]]) -> str:
    """`docs/books.md`.

    :param entered_by: kind → the services that enter it.
    """
    writers = {
        kind: ", ".join(f"`services/{name}`" for name in entered_by[kind]) for kind in entered_by
    }
    return "\n".join((*_head(), *_chart(), *_moving(writers), *_resting(writers))) + "\n"


def _euro(minor: int) -> Money:
    return Money(minor, "EUR")


_SOLD: Final = _euro(10000)
_TAX: Final = _euro(1900)
_OWED: Final = _euro(11900)
_NOTHING: Final = _euro(0)


def _finalized() -> Postings:
    return postings.invoice_finalized(
        _OWED,
        earned={_GOLD: _euro(4000)},
        deferred=_euro(6000),
        taxes={postings.tax_payable(_VAT): _TAX},
    )


def _credit_ordered() -> Postings:
    earned = {postings.CREDIT_ORDERED: _euro(5000)}
    return postings.invoice_finalized(_euro(5000), earned=earned, deferred=_NOTHING, taxes={})


def _credited() -> Postings:
    return postings.credit_note_issued(
        earned={_GOLD: _euro(4000)},
        deferred=_euro(6000),
        taxes={postings.tax_payable(_VAT): _TAX},
        to_due=_euro(1900),
        to_credit=_euro(4000),
        to_refund=_euro(6000),
    )


def _received() -> Postings:
    return postings.payment_received(_euro(12000), gateway=_GATEWAY, allocated={_INVOICE: _OWED})


def _reversed() -> Postings:
    return postings.payment_reversed(_euro(12000), gateway=_GATEWAY, allocated={_INVOICE: _OWED})


def _moves(kind: str, says: str, *examples: tuple[str, Callable[[], Postings]]) -> Known:
    return Known(kind, says, examples)


FACTS: Final = (
    _moves(
        "INVOICE_FINALIZED",
        "An invoice got its number: the customer owes it, and what is not earned yet is deferred.",
        ("119.00 with 19 % tax, of which 60.00 is for days to come", _finalized),
        ("An order of prepaid credit over 50.00", _credit_ordered),
    ),
    _moves(
        "CREDIT_NOTE_ISSUED",
        "All or a part of an invoice was taken back, first from what is still owed on it.",
        ("All of it, when 100.00 of 119.00 were paid", _credited),
    ),
    _moves(
        "PAYMENT_RECEIVED",
        "Money came in; what settles no invoice is the customer's credit.",
        ("120.00 for an invoice over 119.00", _received),
    ),
    _moves(
        "PAYMENT_REVERSED",
        "A payment bounced, or was entered by mistake.",
        ("The same payment", _reversed),
    ),
    _moves(
        "ALLOCATION_REVERSED",
        "A payment was taken off the wrong invoice, which is owed again.",
        ("", lambda: postings.allocation_reversed(_OWED)),
    ),
    _moves(
        "DIFFERENCE_LET_GO",
        "So little was missing that the invoice counts as paid.",
        ("", lambda: postings.difference_let_go(_euro(3))),
    ),
    _moves(
        "DIFFERENCE_TAKEN_BACK",
        "The payment that had been nearly enough was undone.",
        ("", lambda: postings.mirrored(postings.difference_let_go(_euro(3)))),
    ),
    _moves(
        "INVOICE_WRITTEN_OFF",
        "Nobody will pay an invoice any more.",
        ("", lambda: postings.written_off(_OWED)),
    ),
    _moves(
        "CREDIT_GRANTED",
        "Credit was given away.",
        ("", lambda: postings.credit_granted(_euro(1000))),
    ),
    _moves(
        "CREDIT_SOLD",
        "An invoice over prepaid credit was paid: the credit is there.",
        ("", lambda: postings.credit_sold(_euro(5000))),
    ),
    _moves(
        "CREDIT_APPLIED",
        "Credit settled an invoice.",
        ("", lambda: postings.credit_applied(_euro(1000))),
    ),
    _moves(
        "CREDIT_TAKEN_OFF",
        "Credit that had settled an invoice was given back.",
        ("", lambda: postings.credit_applied(_euro(-1000))),
    ),
    _moves(
        "CREDIT_VOIDED",
        "Credit that was given away was taken back.",
        ("", lambda: postings.mirrored(postings.credit_granted(_euro(1000)))),
    ),
    _moves(
        "CREDIT_EXPIRED",
        "Credit lapsed: what was paid for is earned, what was given away costs nothing any more.",
        ("Paid credit", lambda: postings.credit_expired(_euro(1000), is_paid=True)),
        ("Promotional credit", lambda: postings.credit_expired(_euro(1000), is_paid=False)),
    ),
    _moves(
        "PREPAID_USAGE_DRAWN",
        "Usage was paid from credit as it happened; its invoice is still to come.",
        ("", lambda: postings.usage_prepaid(_euro(700))),
    ),
    _moves(
        "PREPAID_USAGE_RETURNED",
        "More was drawn than the usage costs: it is credit again.",
        ("", lambda: postings.usage_prepaid(_euro(-200))),
    ),
    _moves(
        "PREPAID_USAGE_INVOICED",
        "The invoice over prepaid usage was settled by what was drawn for it.",
        ("", lambda: postings.prepaid_usage_invoiced(_euro(500))),
    ),
    _moves(
        "REFUND_OWED",
        "Unused credit shall go back to where it came from.",
        ("", lambda: postings.refund_owed(_euro(1000))),
    ),
    _moves(
        "REFUND_PAID",
        "The money has gone back.",
        ("", lambda: postings.refund_paid(_euro(1000), gateway=_GATEWAY)),
    ),
    _moves(
        "REFUND_RETURNED",
        "It had gone through, and the gateway has the money again: nobody took it.",
        ("", lambda: postings.refund_returned(_euro(1000), gateway=_GATEWAY)),
    ),
    _moves(
        "REFUND_FAILED",
        "The money could not go back: it is the customer's credit.",
        ("", lambda: postings.refund_failed(_euro(1000))),
    ),
    _moves(
        "DISPUTE_OPENED",
        "A customer's bank contests a payment, and the gateway holds the money back.",
        ("", lambda: postings.dispute_opened(_OWED, gateway=_GATEWAY)),
    ),
    _moves(
        "DISPUTE_WON",
        "The gateway gave it back. What a customer contested with us moves nothing.",
        ("", lambda: postings.dispute_won(_OWED, gateway=_GATEWAY)),
    ),
    _moves(
        "DISPUTE_LOST",
        "The money stays with the bank, or shall go back.",
        ("To the bank", lambda: postings.dispute_lost(_OWED)),
        ("To a customer who contested with us", lambda: postings.contest_conceded(_OWED)),
    ),
    _moves(
        "FEE_CHARGED",
        "A gateway kept something for itself.",
        ("", lambda: postings.fee_charged(_euro(320), gateway=_GATEWAY)),
    ),
    _moves(
        "PAYOUT_SENT",
        "A gateway sent what it held to our bank.",
        ("", lambda: postings.payout_sent(_OWED, gateway=_GATEWAY)),
    ),
    _moves(
        "PAYOUT_FAILED",
        "A payout never arrived: the gateway has the money again.",
        ("", lambda: postings.payout_failed(_OWED, gateway=_GATEWAY)),
    ),
    _moves(
        "REVENUE_RECOGNIZED",
        "Days have gone by: what was deferred for them is earned. Of all customers at once.",
        ("", lambda: postings.revenue_recognized({_GOLD: _euro(200)})),
    ),
    Known("SUBSCRIPTION_STARTED", "A subscription was made."),
    Known("TRIAL_STARTED", "Its trial began."),
    Known("TRIAL_END_MOVED", "Its trial ends earlier or later than it was to."),
    Known(
        "TRIAL_ENDED_WITHOUT_PAYMENT_METHOD",
        "Its trial is over, and it waits for a payment method.",
    ),
    Known("SUBSCRIPTION_ACTIVATED", "Its first billing period began."),
    Known("SUBSCRIPTION_CHANGED", "A change of it took effect."),
    Known("SUBSCRIPTION_FELL_PAST_DUE", "What it owes was not paid; access is on grace."),
    Known("SUBSCRIPTION_RECOVERED", "Nothing that was declined is due any more."),
    Known("SUBSCRIPTION_PAUSED", "It was paused."),
    Known("SUBSCRIPTION_RESUMED", "It goes on after a pause."),
    Known("SUBSCRIPTION_CANCELED", "It has ended."),
    Known(
        "SUBSCRIPTION_RESUMED_BY_OPERATOR",
        "The billing run had set it aside, and takes it up again.",
    ),
    Known("CHANGE_SCHEDULED", "A change was put on the timeline."),
    Known("CHANGE_WITHDRAWN", "A change was taken off the timeline."),
    Known("CHANGE_FAILED", "A change could not be when it was due."),
    Known("COUPON_REDEEMED", "A coupon is at work on a subscription."),
    Known("PAYMENT_METHOD_ADDED", "A payment method was set up."),
    Known("PAYMENT_METHOD_MADE_DEFAULT", "It is charged from now on."),
    Known("PAYMENT_METHOD_REMOVED", "It is used no more."),
    Known("PAYMENT_DECLINED", "A gateway declined a charge."),
    Known("CHARGE_DEFERRED", "No gateway could be asked; it is tried again later."),
    Known("ATTEMPT_DECIDED", "An operator said what became of a charge without an answer."),
    Known("GATEWAY_CHANGED", "An operator set when and for what a gateway is asked."),
    Known("EVIDENCE_SUBMITTED", "A dispute was answered at the gateway."),
    Known("INVOICE_CONTESTED", "A customer contests an invoice with us; no money moves yet."),
    Known("DUNNING_STARTED", "An invoice was not paid, and its policy began to run."),
    Known("DUNNING_NOTICE", "The customer was told."),
    Known("DUNNING_STOPPED", "An operator stopped it."),
    Known("DUNNING_RESUMED", "An operator let it go on."),
    Known("DUNNING_ENDED", "It is over: paid, or by the policy's final act."),
    Known("DUNNING_POLICY_SET", "An operator made or changed a policy."),
    Known("BILLING_PROFILE_CHANGED", "What is agreed with one customer was changed."),
    Known("INSTALMENTS_AGREED", "An invoice is paid in parts."),
    Known("INSTALMENTS_WITHDRAWN", "It is paid at once again."),
    Known("USAGE_WITHDRAWN", "A usage event was taken back."),
    Known("USAGE_REPLACED", "A usage event was corrected by another."),
    Known("USAGE_COUNTED_LATE", "An operator let a usage event count that had come too late."),
    Known("CUSTOMER_ERASED", "The person was erased; the books stay."),
)
KINDS: Final = frozenset(known.kind for known in FACTS)

_CHART: Final[tuple[tuple[Account, str], ...]] = (
    (postings.RECEIVABLES, ""),
    (postings.cash(_GATEWAY), "cash:<gateway>"),
    (postings.BANK, ""),
    (postings.DISPUTES, ""),
    (postings.DEFERRED_REVENUE, ""),
    (postings.CUSTOMER_CREDIT, ""),
    (postings.CREDIT_CARRIED, ""),
    (postings.CREDIT_ORDERED, ""),
    (postings.PREPAID_USAGE, ""),
    (postings.REFUNDS, ""),
    (postings.tax_payable(_VAT), "tax:<country>[-<region>]:<percent>"),
    (postings.revenue(_PLAN, "What the plan earned"), "revenue:<plan id>"),
    (postings.ITEMS, ""),
    (postings.BREAKAGE, ""),
    (postings.PROMOTIONS, ""),
    (postings.fees(_GATEWAY), "fees:<gateway>"),
    (postings.CHARGEBACKS, ""),
    (postings.BAD_DEBT, ""),
    (postings.ROUNDING, ""),
)


def _head() -> Iterator[str]:
    yield "<!-- Written by `manage.py books_doc` from billing/core/books.py and postings.py. -->"
    yield "# The books"
    yield ""
    yield "The journal is double entry: each fact is entered once, its debits equal its credits,"
    yield "and nothing is ever edited. Assets and expenses grow by debits, liabilities and income"
    yield "by credits. A balance is the sum of an account's postings and is stored nowhere."
    yield "`GET /api/v1/exports/journal?format=beancount` gives all of it as text that beancount"
    yield "checks; there, `tax:DE:19` is called `Liabilities:Tax:DE:19`."
    yield ""


def _chart() -> Iterator[str]:
    yield "## Chart of accounts"
    yield ""
    yield from _table(
        ("Account", "Kind", "What it holds"),
        (
            (f"`{pattern or account.code}`", account.kind.lower(), account.name)
            for account, pattern in _CHART
        ),
    )
    yield ""


def _moving(writers: Mapping[str, str]) -> Iterator[str]:
    yield "## Facts that move money"
    yield ""
    yield "With example amounts, as the posting rules give them."
    yield ""
    for known in FACTS:
        if known.examples:
            yield f"### `{known.kind.lower()}`"
            yield ""
            yield f"{known.says} Entered by {writers.get(known.kind, _NOBODY)}."
            yield ""
            for title, rule in known.examples:
                if title:
                    yield f"{title}:"
                    yield ""
                yield from _table(("Account", "Debit", "Credit"), map(_row, rule()))
                yield ""


def _resting(writers: Mapping[str, str]) -> Iterator[str]:
    yield "## Facts that move nothing"
    yield ""
    yield from _table(
        ("Fact", "What happened", "Entered by"),
        (
            (f"`{known.kind.lower()}`", known.says, writers.get(known.kind, _NOBODY))
            for known in FACTS
            if not known.examples
        ),
    )


def _row(posting: Posting) -> tuple[str, ...]:
    amount = plain(posting.amount)
    is_debit = posting.side == Side.DEBIT
    code = posting.account.code.replace(_PLAN, "<plan id>")
    return (f"`{code}`", amount if is_debit else "", "" if is_debit else amount)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(' --- ' for _ in headings)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
