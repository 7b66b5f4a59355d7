"""What can stand in the `data` of a notification: each field once, with its shape and its meaning.

Nothing here is personal: ids, codes, amounts and instants, and names of plans and documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final


class Shape(StrEnum):
    """How a value is written.

    CODE: one of a few words, in lower case. AMOUNT: major units, of the currency beside it.
    """

    ID = "id"
    TEXT = "text"
    CODE = "code"
    NAMES = "names"
    INSTANT = "instant"
    AMOUNT = "amount"
    DECIMAL = "decimal"
    COUNT = "count"
    SETTLED = "settled"
    PARTS = "parts"
    ENTITLEMENTS = "entitlements"


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its shape, and what it says."""

    shape: Shape
    says: str


_DECIMAL: Final = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}


def _list_of(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Objects of these fields and no others."""
    item = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "array", "items": {**item, "additionalProperties": False}}


def _or_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


SCHEMAS: Final[Mapping[Shape, Mapping[str, Any]]] = MappingProxyType(
    {
        Shape.ID: {"type": "string", "format": "uuid"},
        Shape.TEXT: _TEXT,
        Shape.CODE: {"type": "string", "pattern": "^[^A-Z]+$"},
        Shape.NAMES: {"type": "array", "items": _TEXT},
        Shape.INSTANT: _INSTANT,
        Shape.AMOUNT: _DECIMAL,
        Shape.DECIMAL: _DECIMAL,
        Shape.COUNT: {"type": "integer"},
        Shape.SETTLED: _list_of(number=_TEXT, amount=_DECIMAL),
        Shape.PARTS: _list_of(amount=_DECIMAL, due_at=_INSTANT),
        Shape.ENTITLEMENTS: _list_of(
            feature=_TEXT,
            granted={"type": "boolean"},
            reason=_TEXT,
            limit=_or_null(_DECIMAL),
            used=_or_null(_DECIMAL),
            remaining=_or_null(_DECIMAL),
            resets_at=_or_null(_INSTANT),
        ),
    }
)

FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "act": Field(Shape.CODE, "What the change does: `pause`, `resume` or `cancel`."),
        "after_days": Field(Shape.COUNT, "Days after dunning began."),
        "amount": Field(Shape.AMOUNT, "How much."),
        "amount_off": Field(Shape.DECIMAL, "What the coupon takes off, in major units."),
        "billing_anchor": Field(Shape.INSTANT, "From where periods are counted."),
        "change": Field(Shape.ID, "The scheduled change."),
        "changed": Field(Shape.NAMES, "The names of the fields that were set; not their values."),
        "charge": Field(Shape.ID, "The charge at the gateway; null for what came another way."),
        "charged": Field(Shape.CODE, "When the change is charged."),
        "code": Field(Shape.CODE, "Why the gateway declined, in one word."),
        "coupon": Field(Shape.TEXT, "The coupon's code."),
        "credit_note": Field(Shape.TEXT, "The number of the credit note that it goes back by."),
        "currency": Field(Shape.TEXT, "ISO 4217."),
        "discount": Field(Shape.AMOUNT, "What was taken off, net."),
        "due_at": Field(Shape.INSTANT, "When it is due."),
        "duration": Field(Shape.CODE, "`once`, `repeating` or `forever`."),
        "entitlements": Field(
            Shape.ENTITLEMENTS, "The answers that changed, as `/entitlements` gives them."
        ),
        "expires_at": Field(Shape.INSTANT, "Until when."),
        "first_period_end": Field(Shape.INSTANT, "When the first billing period ends."),
        "gateway": Field(Shape.TEXT, "Through which gateway."),
        "instalments": Field(Shape.PARTS, "The parts, each with its day."),
        "invoice": Field(Shape.ID, "The invoice."),
        "invoice_number": Field(Shape.TEXT, "The invoice's number."),
        "invoices": Field(Shape.SETTLED, "What it settled: each invoice's number, and how much."),
        "kind": Field(Shape.CODE, "`paid` or `promotional`."),
        "limit": Field(Shape.DECIMAL, "How much is included."),
        "meter": Field(Shape.TEXT, "The meter's code."),
        "next_charge_at": Field(Shape.INSTANT, "When it is tried again; null if it is not."),
        "number": Field(Shape.TEXT, "The document's number; null while it is a draft."),
        "outcome": Field(Shape.CODE, "`recovered` or `exhausted`."),
        "owed": Field(Shape.AMOUNT, "What was asked for."),
        "payment": Field(Shape.ID, "The payment."),
        "percent_off": Field(Shape.DECIMAL, "What the coupon takes off, in percent."),
        "period_end": Field(Shape.INSTANT, "Where the billing period ends; not included."),
        "period_start": Field(Shape.INSTANT, "Where the billing period begins."),
        "periods": Field(Shape.COUNT, "For how many periods."),
        "plan": Field(Shape.TEXT, "The plan's name."),
        "plan_version": Field(Shape.COUNT, "The number of the version of its terms."),
        "position": Field(Shape.COUNT, "The notice's place in the policy, from 1."),
        "purpose": Field(Shape.CODE, "`sale`, `credit` or `top_up`."),
        "quantity": Field(Shape.COUNT, "How many of the plan's unit."),
        "reason": Field(Shape.CODE, "Why, in one word."),
        "run": Field(Shape.ID, "The dunning run."),
        "source": Field(Shape.CODE, "Who contests: `gateway` (the payer's bank) or `customer`."),
        "status": Field(Shape.CODE, "How the object stands with this event."),
        "subscription": Field(Shape.ID, "The subscription that it is for."),
        "subtotal": Field(Shape.AMOUNT, "Net, before discounts."),
        "tax": Field(Shape.AMOUNT, "The tax in it."),
        "threshold": Field(Shape.DECIMAL, "The percentage of the limit that was reached."),
        "to_credit": Field(Shape.AMOUNT, "What of it became the customer's credit."),
        "to_due": Field(Shape.AMOUNT, "What of it lessens what is owed."),
        "to_refund": Field(Shape.AMOUNT, "What of it goes back."),
        "total": Field(Shape.AMOUNT, "What is to be paid, tax included."),
        "trial_end": Field(Shape.INSTANT, "When the trial ends."),
        "used": Field(Shape.DECIMAL, "How much was used."),
        "why": Field(Shape.TEXT, "Why, in a sentence of Bursar's."),
    }
)
