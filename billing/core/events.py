"""What the world is told: which fact of the journal is announced as what, and in which words.

The names and fields are stable, whatever the journal's are. Only what `event_types` lists gets out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from billing.core.event_fields import FIELDS, Shape
from billing.core.event_types import PATHS, TYPES
from billing.core.exporting.values import instant, plain
from billing.core.money import Money

VERSION: Final = 1
API: Final = "/api/v1/"
Context: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened to an object, as the world is told.

    :param object_id: of that kind; notifications about it are sent in order.
    :param data: field → value, of the type's fields. What is missing is null.
    :param at: when it was true.
    """

    type: str
    customer_id: UUID | None
    object_kind: str
    object_id: str
    data: Context
    at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """What a fact of the journal is about."""

    customer_id: UUID | None
    source_id: UUID | None
    invoice_id: UUID | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that is announced.

    :param picks: field → where it stands in the fact, if not under its own name.
    :param fixed: field → what it always says.
    :param object_id: where the object's id stands in the fact, if it is not its source.
    :param reading: what is made of the fact before it is read.
    """

    type: str
    picks: Context = field(default_factory=dict)
    fixed: Context = field(default_factory=dict)
    object_id: str = "source_id"
    reading: Callable[[Context], Context] = dict


@dataclass(frozen=True, slots=True)
class Untold:
    """A fact that nobody is told of, and why."""

    why: str


def _unsigned(context: Context) -> Context:
    """Which way it went is in the type."""
    return {**context, "amount": context["amount"].removeprefix("-")}


def _bank_reason(context: Context) -> Context:
    """A bank's reason is a code; a customer's own words are theirs."""
    is_ours = context["source"] == "CUSTOMER"
    return {**context, "reason": None if is_ours else context["reason"] or None}


def _subscription(type_: str, **picks: str) -> Told:
    return Told(f"subscription.{type_}", picks=picks)


def _change(type_: str) -> Told:
    return _subscription(f"change_{type_}", charged="charge", why="reason")


def _dispute(type_: str, status: str) -> Told:
    return Told(f"dispute.{type_}", fixed={"status": status}, reading=_bank_reason)


def _dunning(type_: str) -> Told:
    return Told(f"dunning.{type_}", picks={"invoice_number": "invoice"})


def _method(type_: str) -> Told:
    return Told(f"payment_method.{type_}", object_id="method")


def _refund(type_: str) -> Told:
    return Told(f"refund.{type_}", fixed={"status": type_})


_BOOKKEEPING: Final = Untold("It moves money between accounts of the books, and nobody's state.")
_SETTING: Final = Untold("Operators set it, and it changes nothing that has happened.")
_ANOTHER_SAYS_SO: Final = Untold("What follows from it is announced in the same transaction.")

VERDICTS: Final[Mapping[str, Told | Untold]] = MappingProxyType(
    {
        "INVOICE_FINALIZED": Told("invoice.finalized", fixed={"status": "pending"}),
        "CREDIT_NOTE_ISSUED": Told(
            "credit_note.issued", picks={"invoice": "invoice_id", "invoice_number": "invoice"}
        ),
        "PAYMENT_RECEIVED": Told(
            "payment.succeeded", picks={"charge": "attempt"}, fixed={"status": "succeeded"}
        ),
        "PAYMENT_REVERSED": Told("payment.reversed", fixed={"status": "reversed"}),
        "ALLOCATION_REVERSED": Told(
            "payment.unallocated", picks={"invoice": "invoice_id", "invoice_number": "invoice"}
        ),
        "DIFFERENCE_LET_GO": _ANOTHER_SAYS_SO,
        "DIFFERENCE_TAKEN_BACK": _ANOTHER_SAYS_SO,
        "INVOICE_WRITTEN_OFF": Told(
            "invoice.uncollectible",
            picks={"number": "invoice"},
            fixed={"status": "uncollectible"},
        ),
        "CREDIT_GRANTED": Told("credit.granted"),
        "CREDIT_SOLD": Told(
            "credit.purchased", picks={"invoice_number": "invoice"}, fixed={"kind": "paid"}
        ),
        "CREDIT_APPLIED": Told("credit.applied"),
        "CREDIT_TAKEN_OFF": Told("credit.taken_off", reading=_unsigned),
        "CREDIT_VOIDED": Told("credit.voided"),
        "CREDIT_EXPIRED": Told("credit.expired"),
        "PREPAID_USAGE_DRAWN": Told("credit.drawn"),
        "PREPAID_USAGE_RETURNED": Told("credit.returned", reading=_unsigned),
        "PREPAID_USAGE_INVOICED": _BOOKKEEPING,
        "REFUND_OWED": _ANOTHER_SAYS_SO,
        "REFUND_PAID": _refund("succeeded"),
        "REFUND_RETURNED": _ANOTHER_SAYS_SO,
        "REFUND_FAILED": _refund("failed"),
        "DISPUTE_OPENED": _dispute("opened", "open"),
        "INVOICE_CONTESTED": _dispute("opened", "open"),
        "DISPUTE_WON": _dispute("won", "won"),
        "DISPUTE_LOST": _dispute("lost", "lost"),
        "EVIDENCE_SUBMITTED": Told("dispute.evidence_submitted"),
        "FEE_CHARGED": _BOOKKEEPING,
        "PAYOUT_SENT": Told("payout.paid"),
        "PAYOUT_FAILED": Told("payout.failed"),
        "REVENUE_RECOGNIZED": _BOOKKEEPING,
        "SUBSCRIPTION_STARTED": _subscription("created"),
        "TRIAL_STARTED": _subscription("trial_started"),
        "TRIAL_END_MOVED": _subscription("trial_end_changed"),
        "TRIAL_ENDED_WITHOUT_PAYMENT_METHOD": _subscription("trial_ended"),
        "SUBSCRIPTION_ACTIVATED": _subscription("activated", first_period_end="first_period_ends"),
        "SUBSCRIPTION_CHANGED": _subscription("updated"),
        "SUBSCRIPTION_FELL_PAST_DUE": _subscription("past_due"),
        "SUBSCRIPTION_RECOVERED": _subscription("recovered"),
        "SUBSCRIPTION_PAUSED": _subscription("paused"),
        "SUBSCRIPTION_RESUMED": _subscription("resumed"),
        "SUBSCRIPTION_CANCELED": _subscription("canceled"),
        "SUBSCRIPTION_RESUMED_BY_OPERATOR": Untold(
            "The run looks at it again; it stands as it did."
        ),
        "USAGE_COUNTED_LATE": Untold("What it comes to stands on the next invoice."),
        "CHANGE_SCHEDULED": _change("scheduled"),
        "CHANGE_WITHDRAWN": _change("withdrawn"),
        "CHANGE_FAILED": _change("failed"),
        "COUPON_REDEEMED": Told("subscription.coupon_redeemed", object_id="subscription"),
        "PAYMENT_METHOD_ADDED": _method("added"),
        "PAYMENT_METHOD_MADE_DEFAULT": _method("made_default"),
        "PAYMENT_METHOD_REMOVED": _method("removed"),
        "PAYMENT_DECLINED": Told(
            "payment.failed",
            picks={"invoice": "source_id", "invoice_number": "invoice"},
            fixed={"status": "failed"},
            object_id="attempt",
        ),
        "CHARGE_DEFERRED": Untold("Nothing was charged or declined; it is tried again by itself."),
        "ATTEMPT_DECIDED": _ANOTHER_SAYS_SO,
        "GATEWAY_CHANGED": _SETTING,
        "DUNNING_STARTED": _dunning("started"),
        "DUNNING_NOTICE": _dunning("notice_sent"),
        "DUNNING_STOPPED": _dunning("stopped"),
        "DUNNING_RESUMED": _dunning("resumed"),
        "DUNNING_ENDED": _dunning("ended"),
        "DUNNING_POLICY_SET": _SETTING,
        "BILLING_PROFILE_CHANGED": _SETTING,
        "INSTALMENTS_AGREED": Told("invoice.instalments_agreed", picks={"number": "invoice"}),
        "INSTALMENTS_WITHDRAWN": Told("invoice.instalments_withdrawn", picks={"number": "invoice"}),
        "USAGE_WITHDRAWN": Untold("Who reported it took it back, and was answered."),
        "USAGE_REPLACED": Untold("Who reported it corrected it, and was answered."),
        "CUSTOMER_ERASED": Told("customer.erased", object_id="customer_id"),
    }
)


def of_fact(kind: str, context: Context, source: Source) -> Announcement | None:
    """What the world is told of a fact; None of one that is not announced."""
    verdict = VERDICTS.get(kind)
    if not isinstance(verdict, Told):
        return None
    found = {
        "customer_id": source.customer_id,
        "source_id": source.source_id,
        "invoice_id": source.invoice_id,
        **verdict.reading(context),
    }
    known = TYPES[verdict.type]
    picked: dict[str, Any] = {
        name: found.get(verdict.picks.get(name, name)) for name in known.fields
    }
    amounts = [picked[name] for name in known.fields if FIELDS[name].shape == Shape.AMOUNT]
    if "currency" in picked and any(amounts):
        picked["currency"] = Money.read(next(filter(None, amounts))).currency
    return Announcement(
        type=known.name,
        customer_id=source.customer_id,
        object_kind=known.object_kind,
        object_id=str(found[verdict.object_id]),
        data={**picked, **verdict.fixed},
        at=source.occurred_at,
    )


def body(event_id: UUID, told: Announcement) -> str:
    """What is sent, to the letter, however often.

    :raises ValueError: as `said` does.
    """
    return json.dumps(said(event_id, told), ensure_ascii=False, separators=(",", ":"))


def said(event_id: UUID, told: Announcement) -> dict[str, Any]:
    """The notification of an event.

    :raises ValueError: if there is no such type, or it has no such field.
    """
    known = TYPES.get(told.type)
    if known is None or not told.data.keys() <= set(known.fields):
        raise ValueError(f"{told.type} with {sorted(told.data)}: see core/event_types.")
    path = PATHS.get(told.object_kind)
    customer = None if told.customer_id is None else str(told.customer_id)
    data = {
        "object": told.object_kind,
        "id": told.object_id,
        "customer": customer,
        **{name: _written(name, told.data.get(name)) for name in known.fields},
        "url": path and API + path.format(id=told.object_id, customer=customer),
    }
    return {
        "id": str(event_id),
        "type": told.type,
        "version": VERSION,
        "timestamp": instant(told.at),
        "data": data,
    }


def _written(name: str, value: Any) -> Any:
    """A value in the notation of its field; nothing is null, not empty."""
    if value is None or value == "":
        return None
    return _NOTATIONS.get(FIELDS[name].shape, _as_it_is)(value)


def _as_it_is(value: Any) -> Any:
    return value


def _code(value: Any) -> str:
    return str(value).lower()


def _instant(value: datetime | str) -> str:
    return instant(datetime.fromisoformat(value) if isinstance(value, str) else value)


def _amount(value: Money | str) -> str:
    return plain(Money.read(value) if isinstance(value, str) else value)


def _settled(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"number": part["invoice"], "amount": _amount(part["amount"])} for part in value]


def _parts(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"amount": _amount(part["amount"]), "due_at": _instant(part["due_at"])} for part in value
    ]


_NOTATIONS: Final[Mapping[Shape, Callable[[Any], Any]]] = MappingProxyType(
    {
        Shape.ID: str,
        Shape.CODE: _code,
        Shape.INSTANT: _instant,
        Shape.AMOUNT: _amount,
        Shape.DECIMAL: str,
        Shape.SETTLED: _settled,
        Shape.PARTS: _parts,
    }
)
