"""How notifications are documented: as JSON Schema for OpenAPI, and as a table to be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from billing.core import events
from billing.core.event_fields import FIELDS, SCHEMAS, Shape
from billing.core.event_types import TYPES, EventType
from billing.core.events import VERDICTS, Announcement, Untold

BEGIN: Final = "<!-- Written by `manage.py notifications_doc` from billing/core/event_types.py. -->"
END: Final = "<!-- Written by hand from here on. -->"
_ID: Final = UUID("0198d5a2-0000-7000-8000-000000000042")
_CUSTOMER: Final = UUID("0198d5a2-0000-7000-8000-00000000a11c")
_AT: Final = datetime(2026, 4, 11, 15, tzinfo=UTC)
_UUID: Final = {"type": "string", "format": "uuid"}
_NULL: Final = {"type": "null"}


def schema(known: EventType) -> dict[str, Any]:
    """A notification of a type, whole."""
    return _object(
        id=_UUID,
        type={"const": known.name},
        version={"const": events.VERSION},
        timestamp={"type": "string", "format": "date-time", "description": "When it was true."},
        data=_object(
            object={"const": known.object_kind},
            id=_UUID,
            customer={"anyOf": [_UUID, _NULL]},
            **{name: _field(known, name) for name in known.fields},
            url={"type": "string", "description": "Where the API has the whole."},
        ),
    )


def example(known: EventType) -> dict[str, Any]:
    """One as it might be."""
    said = {name: _EXAMPLES.get(name, _BY_SHAPE[FIELDS[name].shape]) for name in known.fields}
    told = Announcement(known.name, _CUSTOMER, known.object_kind, str(_ID), said, _AT)
    return events.said(_ID, told)


def within(page: str) -> str:
    """`docs/notifications.md` with its tables as the code has them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    tables = "\n".join((*_types(), *_fields(), *_untold()))
    return f"{before}{begin}\n{tables}\n{end}{after}"


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _field(known: EventType, name: str) -> dict[str, Any]:
    shape = dict(SCHEMAS[FIELDS[name].shape])
    said = {"description": FIELDS[name].says}
    return {"anyOf": [shape, _NULL], **said} if name in known.nullable else {**shape, **said}


def _types() -> Iterator[str]:
    yield "| Type | Object | When | Fields of `data` |"
    yield "| --- | --- | --- | --- |"
    for known in TYPES.values():
        fields = ", ".join(
            f"`{name}`{'?' if name in known.nullable else ''}" for name in known.fields
        )
        yield f"| `{known.name}` | {known.object_kind} | {known.says} | {fields} |"
    yield ""


def _fields() -> Iterator[str]:
    yield "| Field | Written as | What it says |"
    yield "| --- | --- | --- |"
    for name, known in FIELDS.items():
        yield f"| `{name}` | {known.shape} | {known.says} |"
    yield ""


def _untold() -> Iterator[str]:
    yield "| Fact of the journal that is not announced | Why |"
    yield "| --- | --- |"
    for kind, verdict in VERDICTS.items():
        if isinstance(verdict, Untold):
            yield f"| `{kind.lower()}` | {verdict.why} |"


_BY_SHAPE: Final[Mapping[Shape, Any]] = MappingProxyType(
    {
        Shape.ID: _ID,
        Shape.TEXT: "Gold",
        Shape.CODE: "active",
        Shape.NAMES: ["email"],
        Shape.INSTANT: _AT,
        Shape.AMOUNT: "119.00 EUR",
        Shape.DECIMAL: "80",
        Shape.COUNT: 1,
        Shape.SETTLED: [{"invoice": "INV-000042", "amount": "119.00 EUR"}],
        Shape.PARTS: [{"amount": "59.50 EUR", "due_at": _AT}],
        Shape.ENTITLEMENTS: [
            {
                "feature": "api_calls",
                "granted": False,
                "reason": "limit_reached",
                "limit": "1500",
                "used": "1500",
                "remaining": "0",
                "resets_at": "2026-05-01T00:00:00Z",
            }
        ],
    }
)
_EXAMPLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "code": "insufficient_funds",
        "credit_note": "CN-000007",
        "currency": "EUR",
        "gateway": "stripe",
        "invoice_number": "INV-000042",
        "meter": "api_calls",
        "number": "INV-000042",
        "why": "The plan was retired.",
    }
)
