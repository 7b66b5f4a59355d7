"""What stands in bodies: strict on the way in, in the contract's notation on the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import available_timezones

from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from billing.core import figures
from billing.core.errors import InvalidError
from billing.core.money import Money, exponent
from billing.services import return_urls

MAX_PLACES: Final = 12
MAX_WHOLE_DIGITS: Final = 15
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
PATTERN: Final = r"^-?\d+(\.\d+)?$"
MONTH: Final = r"^(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])$"


class Strict(serializers.Serializer[Any]):
    """A body whose unknown fields are refused, each by its name."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate; faults of known and unknown fields are told together."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        faults: dict[str, Any] = {
            str(name): [serializers.ErrorDetail("There is no such field.", "unknown_field")]
            for name in data
            if name not in self.fields
        }
        try:
            fields = super().to_internal_value(data)
        except serializers.ValidationError as failure:
            raise serializers.ValidationError({**_dict(failure.detail), **faults}) from None
        if faults:
            raise serializers.ValidationError(faults)
        return fields


class Answer(serializers.Serializer[Any]):
    """What is answered; never read."""

    @classmethod
    def of(cls, row: Any, **context: Any) -> dict[str, Any]:
        """One row as it is answered."""
        shown: dict[str, Any] = cls(row, context=context).data
        return shown

    @classmethod
    def all_of(cls, rows: Sequence[Any], **context: Any) -> list[dict[str, Any]]:
        """Rows as they are answered."""
        answer = cls(context=context)
        return [answer.to_representation(row) for row in rows]


class Text(serializers.CharField):
    """A string; a number is none."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what CharField would turn into a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "boolean"})
class Flag(serializers.Field[bool, Any, bool, Any]):
    """`true` or `false`; no words and no numbers."""

    default_error_messages = {"invalid": "Either true or false."}

    def to_internal_value(self, data: Any) -> bool:
        """Take JSON's own two."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: bool) -> bool:  # noqa: FBT001  # DRF calls it so
        """As it is."""
        return value


@extend_schema_field({"type": "string", "pattern": PATTERN, "example": "12.5"})
class Exact(serializers.Field[Decimal, Any, str, Any]):
    """A quantity or a rate: a decimal string, or a JSON number that is exact."""

    def __init__(self, *, allow_negative: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.allow_negative = allow_negative

    def to_internal_value(self, data: Any) -> Decimal:
        """Read it exactly, or refuse it."""
        try:
            return decimal(data, allow_negative=self.allow_negative)
        except InvalidError as failure:
            raise serializers.ValidationError(failure.detail, failure.code) from None

    def to_representation(self, value: Decimal | str) -> str:
        """Without exponent and trailing zeros; what is a string already stays."""
        return value if isinstance(value, str) else figures.plain(value)


class Quantities(serializers.DictField):
    """Name → quantity."""

    child = Exact()


@extend_schema_field({"type": "string", "pattern": PATTERN, "example": "12.50"})
class Amount(serializers.Field[Money, Any, str, Any]):
    """Money in major units, with its currency's decimals; the currency stands beside it."""

    def to_representation(self, value: Money | str) -> str:
        """`12.50`, `500`, `1.234`."""
        return amount(value) if isinstance(value, Money) else value


@extend_schema_field({"type": "string", "format": "date-time"})
class Instant(serializers.Field[datetime, Any, str, Any]):
    """RFC 3339 with an offset; answered in UTC."""

    default_error_messages = {
        "invalid": "An instant with its offset, like “2026-04-11T15:00:00Z”.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        """An aware instant in UTC."""
        if (value := instant(data)) is None:
            self.fail("invalid")
        return value

    def to_representation(self, value: datetime) -> str:
        """In UTC, with a `Z`."""
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Word(serializers.ChoiceField):
    """One of a few codes: lower case outside, the stored UPPER case inside."""

    def __init__(self, codes: type[StrEnum], **options: Any) -> None:
        self.codes = codes
        super().__init__([code.value.lower() for code in codes], **options)

    def to_internal_value(self, data: Any) -> Any:
        """The code itself."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return self.codes(super().to_internal_value(data).upper())

    def to_representation(self, value: Any) -> str:
        """In lower case."""
        return str(value).lower()


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Json(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """An object of the caller's own, kept as it is. Its numbers must survive as JSON numbers."""

    default_error_messages = {
        "invalid": "An object.",
        "inexact": "It holds a number that would not be kept exactly. Write it as a string.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """What can be stored as JSON."""
        if not isinstance(data, dict):
            self.fail("invalid")
        try:
            return {name: storable(value) for name, value in data.items()}
        except ValueError:
            self.fail("inexact")

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """As it is."""
        return value


class Neutral(serializers.Field[Any, Any, Any, Any]):
    """A field of the contract of which only one value is supported so far.

    It never reaches the validated fields, and is answered as that value.
    """

    default_error_messages = {"not_supported": "Only {neutral} is supported so far."}

    def __init__(self, neutral: Any, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.neutral = neutral
        set_override(self, "field", {"type": _json_type(neutral), "const": neutral})

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Let only the one value pass, and keep it out of the validated fields."""
        if data is not empty and data != self.neutral:
            self.fail("not_supported", neutral=_json_word(self.neutral))
        raise SkipField

    def get_attribute(self, instance: Any) -> Any:
        """The one value, whatever is asked."""
        return self.neutral

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


def decimal(data: Any, *, allow_negative: bool = False) -> Decimal:
    """A decimal string or an exact JSON number.

    :raises InvalidError: if it is neither, or longer than can be stored.
    """
    if not _is_number(data):
        raise InvalidError("A decimal number as a string, like “12.5”.", code="invalid")
    value = Decimal(data)
    if value < 0 and not allow_negative:
        raise InvalidError("Not negative.", code="negative")
    if abs(value) >= 10**MAX_WHOLE_DIGITS:
        raise InvalidError(f"At most {MAX_WHOLE_DIGITS} digits before the point.", code="too_large")
    plain = figures.plain(value)
    if len(plain.partition(".")[2]) > MAX_PLACES:
        raise InvalidError(f"At most {MAX_PLACES} decimals.", code="too_many_decimals")
    return Decimal(plain)


def _is_number(data: Any) -> bool:
    if isinstance(data, str):
        return data.isascii() and _DECIMAL.fullmatch(data) is not None
    return isinstance(data, int | Decimal) and not isinstance(data, bool)


def instant(data: Any) -> datetime | None:
    """An instant in UTC; None for what is none, has no offset or lies in no sensible year."""
    if not isinstance(data, str) or not _INSTANT.fullmatch(data) or not data.isascii():
        return None
    try:
        value = datetime.fromisoformat(data.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return value if _FIRST_YEAR <= value.year <= _LAST_YEAR else None


def amount(money: Money) -> str:
    """An amount as the contract writes it: `12.50`."""
    return f"{money.major:f}"


def major(minor: int, currency: str) -> str:
    """An amount in minor units as the contract writes it."""
    return amount(Money(minor, currency))


def storable(value: Any) -> Any:
    """A JSON value whose decimals are JSON's own numbers again. None of them is money.

    :raises ValueError: if a number would change by that.
    """
    if isinstance(value, dict):
        return {name: storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    if isinstance(value, Decimal):
        kept = json.loads(str(value))  # as PostgreSQL's reader will have it
        if Decimal(repr(kept)) != value:
            raise ValueError(value)
        return kept
    return value


def zone(name: str) -> None:
    """A serializer's validator.

    :raises ValidationError: with code `unknown_timezone`.
    """
    if name not in available_timezones():
        raise serializers.ValidationError("An IANA zone, like “Europe/Berlin”.", "unknown_timezone")


def currency(code: str) -> None:
    """A serializer's validator: an ISO 4217 code.

    :raises ValidationError: with code `unknown_currency`.
    """
    try:
        exponent(code)
    except InvalidError as failure:
        raise serializers.ValidationError(failure.detail, failure.code) from None


class ReturnUrl(serializers.URLField):
    """Where a browser is sent afterwards: to an origin that is allowed, or our own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2000, validators=[return_address], **options)


def return_address(url: str) -> None:
    """A serializer's validator: an address that browsers may be sent back to.

    :raises ValidationError: with code `no_web_address` or `return_url_not_allowed`.
    """
    if not url.lower().startswith(("https://", "http://")):
        raise serializers.ValidationError(
            "An address that begins with https:// or http://.", "no_web_address"
        )
    if not return_urls.is_allowed(url):
        raise serializers.ValidationError(return_urls.WHY, return_urls.NOT_ALLOWED)


def _json_type(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "array"


def _json_word(value: Any) -> str:
    if isinstance(value, str):
        return f"“{value}”"
    return "null" if value is None else "[]"


def _dict(detail: Any) -> dict[str, Any]:
    return dict(detail) if isinstance(detail, Mapping) else {"non_field_errors": detail}
