"""Every type of notification: its stable name, what it is about, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

TEST: Final = "endpoint.test"
# Where the API has the whole of an object.
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "charge": "charges/{id}",
        "credit_grant": "customers/{customer}/credits",
        "credit_note": "credit-notes/{id}",
        "customer": "customers/{id}",
        "dispute": "disputes/{id}",
        "invoice": "invoices/{id}",
        "payment": "payments/{id}",
        "payment_method": "payment-methods/{id}",
        "payout": "payouts/{id}",
        "refund": "refunds/{id}",
        "subscription": "subscriptions/{id}",
        "webhook_endpoint": "webhook-endpoints/{id}",
    }
)


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of notification.

    :param object_kind: what it is about; a key of `PATHS`.
    :param fields: of `event_fields.FIELDS`, in order.
    :param nullable: which of them can be null.
    """

    name: str
    object_kind: str
    says: str
    fields: tuple[str, ...] = ()
    nullable: frozenset[str] = frozenset()

    @property
    def constant(self) -> str:
        """Its name where none may have a dot: `INVOICE_PAID`."""
        return self.name.upper().replace(".", "_")


def _type(name: str, object_kind: str, fields: str, says: str) -> EventType:
    """`fields` are their names; a `?` after one that can be null."""
    words = fields.split()
    return EventType(
        name,
        object_kind,
        says,
        tuple(word.removesuffix("?") for word in words),
        frozenset(word.removesuffix("?") for word in words if word.endswith("?")),
    )


_INVOICE: Final = (
    "number? status purpose subtotal discount tax total currency due_at? period_start? period_end?"
    " subscription?"
)
_STANDING: Final = "status plan quantity"
_CHANGE: Final = "change due_at plan? plan_version? quantity? coupon? billing_anchor? act? charged?"
_CHARGE: Final = "status amount currency gateway invoice invoice_number"
_REFUND: Final = "status payment amount currency gateway credit_note?"
_DISPUTE: Final = "status payment amount currency gateway source reason?"
_DUNNING: Final = "run invoice_number reason"

_ALL: Final = (
    _type("customer.created", "customer", "", "A customer was made."),
    _type("customer.updated", "customer", "changed", "Details or settings of a customer were set."),
    _type("customer.erased", "customer", "", "The person was erased; the books stay."),
    _type(
        "subscription.created",
        "subscription",
        "status plan plan_version quantity",
        "A subscription was made.",
    ),
    _type("subscription.trial_started", "subscription", f"{_STANDING} trial_end?", "Trial began."),
    _type(
        "subscription.trial_end_changed",
        "subscription",
        "trial_end",
        "Its trial ends earlier or later than it was to.",
    ),
    _type(
        "subscription.trial_ended",
        "subscription",
        _STANDING,
        "Its trial is over, and it waits for a payment method. A trial that goes over into a paid"
        " period is told as `subscription.activated`.",
    ),
    _type(
        "subscription.activated",
        "subscription",
        f"{_STANDING} first_period_end?",
        "Its first billing period began.",
    ),
    _type(
        "subscription.updated",
        "subscription",
        "status change due_at plan plan_version? quantity coupon? billing_anchor? act?",
        "A change took effect: plan, quantity, coupon, billing day, or an act that is told by a"
        " type of its own, too.",
    ),
    _type(
        "subscription.past_due",
        "subscription",
        _STANDING,
        "What it owes was not paid; access is on grace.",
    ),
    _type("subscription.recovered", "subscription", _STANDING, "What was declined is paid."),
    _type("subscription.paused", "subscription", _STANDING, "It was paused."),
    _type("subscription.resumed", "subscription", _STANDING, "It goes on after a pause."),
    _type("subscription.canceled", "subscription", _STANDING, "It has ended."),
    _type("subscription.change_scheduled", "subscription", _CHANGE, "A change is to come."),
    _type("subscription.change_withdrawn", "subscription", _CHANGE, "It is not to come any more."),
    _type(
        "subscription.change_failed",
        "subscription",
        f"{_CHANGE} why",
        "A change could not be when it was due; the subscription goes on without it.",
    ),
    _type(
        "subscription.coupon_redeemed",
        "subscription",
        "coupon percent_off? amount_off? currency? duration periods?",
        "A coupon is at work on it.",
    ),
    _type("invoice.created", "invoice", _INVOICE, "A draft was written."),
    _type("invoice.updated", "invoice", _INVOICE, "A draft was edited."),
    _type("invoice.finalized", "invoice", _INVOICE, "It got its number, is frozen and owed."),
    _type("invoice.paid", "invoice", _INVOICE, "Nothing is owed on it any more."),
    _type(
        "invoice.payment_failed",
        "invoice",
        f"{_INVOICE} next_charge_at?",
        "A charge for it was declined.",
    ),
    _type("invoice.overdue", "invoice", _INVOICE, "Its day passed without a payment."),
    _type("invoice.canceled", "invoice", _INVOICE, "It was taken back before it was paid."),
    _type("invoice.refunded", "invoice", _INVOICE, "All that was paid has gone back."),
    _type("invoice.contested", "invoice", _INVOICE, "What paid it is contested."),
    _type("invoice.contest_won", "invoice", _INVOICE, "It stays paid."),
    _type("invoice.contest_lost", "invoice", _INVOICE, "What paid it is lost (a chargeback)."),
    _type(
        "invoice.reopened", "invoice", _INVOICE, "What had paid it was undone: it is owed again."
    ),
    _type(
        "invoice.uncollectible",
        "invoice",
        "number status amount currency",
        "Nobody will pay what was still owed; it is written off.",
    ),
    _type("invoice.instalments_agreed", "invoice", "number instalments", "It is paid in parts."),
    _type("invoice.instalments_withdrawn", "invoice", "number", "It is paid at once again."),
    _type("dunning.started", "invoice", _DUNNING, "An invoice was not paid; its policy runs."),
    _type(
        "dunning.notice_sent",
        "invoice",
        f"{_DUNNING} position after_days owed currency",
        "The customer was reminded.",
    ),
    _type("dunning.stopped", "invoice", _DUNNING, "An operator stopped it."),
    _type("dunning.resumed", "invoice", _DUNNING, "An operator let it go on."),
    _type("dunning.ended", "invoice", f"{_DUNNING} outcome", "Paid, or by the policy's final act."),
    _type(
        "payment.succeeded",
        "payment",
        "status amount currency gateway charge? to_credit invoices",
        "Money came in, by a charge or another way.",
    ),
    _type("payment.failed", "charge", f"{_CHARGE} code next_charge_at?", "A charge was declined."),
    _type(
        "payment.action_required",
        "charge",
        f"{_CHARGE} expires_at?",
        "A charge waits for its payer: 3-D Secure, a code, a transfer.",
    ),
    _type("payment.processing", "charge", _CHARGE, "The gateway will tell later (direct debit)."),
    _type(
        "payment.unallocated",
        "payment",
        "amount currency gateway invoice invoice_number",
        "It was taken off an invoice, which is owed again, and is the customer's credit.",
    ),
    _type(
        "payment.reversed",
        "payment",
        "status amount currency gateway",
        "It bounced, or was entered by mistake.",
    ),
    _type("payment_method.added", "payment_method", "gateway", "A payment method was set up."),
    _type("payment_method.made_default", "payment_method", "gateway", "It is charged from now on."),
    _type("payment_method.removed", "payment_method", "gateway", "It is used no more."),
    _type("refund.created", "refund", _REFUND, "Money is on its way back."),
    _type("refund.succeeded", "refund", _REFUND, "It has gone back."),
    _type("refund.failed", "refund", f"{_REFUND} code", "It could not, and is credit instead."),
    _type("dispute.opened", "dispute", _DISPUTE, "A payment is contested."),
    _type("dispute.evidence_submitted", "dispute", "gateway", "It was answered at the gateway."),
    _type("dispute.won", "dispute", _DISPUTE, "The money is ours."),
    _type("dispute.lost", "dispute", _DISPUTE, "The money is the payer's."),
    _type(
        "credit_note.issued",
        "credit_note",
        "number invoice invoice_number reason tax total currency to_due to_credit to_refund",
        "All or a part of an invoice was taken back.",
    ),
    _type(
        "credit.granted", "credit_grant", "kind amount currency expires_at?", "Credit was given."
    ),
    _type(
        "credit.purchased",
        "credit_grant",
        "kind amount currency invoice_number",
        "An invoice over prepaid credit was paid: the credit is there.",
    ),
    _type("credit.voided", "credit_grant", "kind amount currency", "It was taken back."),
    _type("credit.expired", "credit_grant", "kind amount currency", "What was left has lapsed."),
    _type("credit.applied", "invoice", "amount currency", "Credit settled an invoice."),
    _type("credit.taken_off", "invoice", "amount currency", "That credit was given back."),
    _type(
        "credit.drawn",
        "subscription",
        "amount currency period_start",
        "Usage was paid from credit as it happened.",
    ),
    _type(
        "credit.returned",
        "subscription",
        "amount currency period_start",
        "More was drawn than the usage costs: it is credit again.",
    ),
    _type(
        "entitlement.changed",
        "customer",
        "entitlements",
        "What the customer may use has changed; what only was used has not.",
    ),
    _type(
        "usage.threshold",
        "subscription",
        "meter threshold used limit? period_start? period_end?",
        "Usage has reached a part of what is included.",
    ),
    _type("payout.paid", "payout", "amount currency gateway", "A gateway sent money to our bank."),
    _type("payout.failed", "payout", "amount currency gateway", "It never arrived there."),
    _type(TEST, "webhook_endpoint", "", "Somebody asked for a test, which says nothing else."),
)
TYPES: Final[Mapping[str, EventType]] = MappingProxyType({each.name: each for each in _ALL})


def is_pattern(text: str) -> bool:
    """Whether it is the name of a type, or `<noun>.*` for all of a noun."""
    noun, dot, rest = text.partition(".")
    if dot and rest == "*":
        return any(name.startswith(f"{noun}.") for name in TYPES)
    return text in TYPES


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one who asked for these is told of that type; who asked for nothing, of all."""
    wanted = set(patterns)
    return not wanted or name in wanted or f"{name.partition('.')[0]}.*" in wanted
