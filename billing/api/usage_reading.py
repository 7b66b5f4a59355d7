"""What stands in an event of usage, read by hand, because thousands come at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from billing.api.fields import Instant, Json, decimal, instant, storable
from billing.core.errors import InvalidError
from billing.services.usage import Report, Unreadable

MAX_EVENTS: Final = 5000
LONGEST: Final = 255
_REQUIRED: Final = ("id", "customer", "meter", "quantity")
_FIELDS: Final = frozenset({*_REQUIRED, "occurred_at", "properties"})


def items(events: Iterable[Any]) -> list[Report | Unreadable]:
    """Events as the service takes them, each in its place; those with a fault say which."""
    return [_item(event) for event in events]


def report(event: Any) -> Report:
    """An event as the service takes it.

    :raises InvalidError: naming what is wrong with it first.
    """
    if not isinstance(event, dict):
        raise InvalidError("An event is an object.", code="invalid_request")
    if not event.keys() <= _FIELDS:
        unknown = ", ".join(str(name) for name in event if name not in _FIELDS)
        raise InvalidError(f"There is no such field: {unknown}.", code="unknown_field")
    for name in ("id", "customer", "meter"):
        require_text(event, name)
    return Report(
        event_id=event["id"],
        customer=event["customer"],
        meter=event["meter"],
        quantity=_quantity(event),
        occurred_at=_occurred_at(event),
        properties=_properties(event),
    )


def require_text(event: Mapping[str, Any], name: str) -> None:
    """Refuse an event without a text that everything hangs on.

    :raises InvalidError: with code `required`.
    """
    if not _is_name(event.get(name)):
        raise InvalidError(f"“{name}” is a text of 1 to {LONGEST} characters.", code="required")


def unreadable(
    fault: InvalidError, event: Any, names: tuple[str, str, str] = ("id", "customer", "meter")
) -> Unreadable:
    """What came in an event's place, with what is wrong with it.

    :param names: under which it says its id, its customer and its meter.
    """
    said = event if isinstance(event, dict) else {}
    event_id, customer, meter = (
        str(text) if _is_name(text) else "" for text in map(said.get, names)
    )
    return Unreadable(fault.code, fault.detail, event, event_id, customer, meter)


def require_few(count: int) -> None:
    """Refuse a batch of none or too many.

    :raises InvalidError: with code `invalid_request`.
    """
    if not 1 <= count <= MAX_EVENTS:
        sentence = f"A list of 1 to {MAX_EVENTS:,} events."
        raise InvalidError(sentence, code="invalid_request", errors={"events": [sentence]})


def _item(event: Any) -> Report | Unreadable:
    if isinstance(event, Unreadable):
        return event
    try:
        return report(event)
    except InvalidError as fault:
        return unreadable(fault, event)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST


def _quantity(event: Mapping[str, Any]) -> Any:
    try:
        return decimal(event.get("quantity"))
    except InvalidError as fault:
        raise InvalidError(f"“quantity”: {fault.detail}", code="invalid_quantity") from None


def _occurred_at(event: Mapping[str, Any]) -> Any:
    text = event.get("occurred_at")
    moment = instant(text)
    if text is not None and moment is None:
        raise InvalidError(
            f"“occurred_at”: {Instant.default_error_messages['invalid']}", code="invalid_instant"
        )
    return moment


def _properties(event: Mapping[str, Any]) -> dict[str, Any]:
    properties = event.get("properties", {})
    if not isinstance(properties, dict):
        raise InvalidError("“properties” is an object.", code="invalid_properties")
    try:
        kept: dict[str, Any] = storable(properties)
    except ValueError:
        raise InvalidError(
            f"“properties”: {Json.default_error_messages['inexact']}", code="invalid_properties"
        ) from None
    return kept
