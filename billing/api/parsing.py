"""Bodies: strict JSON in UTF-8, in which a number is what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Any, Final, NoReturn

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from billing.core.errors import InvalidError

MAX_BODY: Final = 8 * 1024 * 1024  # 5,000 usage events of 1.6 kB
_MAX_DIGITS: Final = 40
# What PostgreSQL cannot store: NUL, and halves of characters outside the basic plane.
_SUSPECT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class BodyTooLargeError(APIException):
    """More than `MAX_BODY`."""

    status_code = 413
    default_detail = f"A body may have up to {MAX_BODY:,} bytes."
    default_code = "body_too_large"


class StrictJsonParser(BaseParser):
    """Decimals stay exact, a key comes once, and `NaN` is no number."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read a request's body.

        :raises InvalidError: saying at which line and column it stops being JSON.
        """
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise BodyTooLargeError
        return loads(body)


def loads(body: bytes) -> Any:
    """Parse strictly; numbers with a fraction or an exponent become `Decimal`.

    :raises InvalidError: with code `malformed_json`.
    """
    text = _decoded(body)
    try:
        parsed = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _malformed("It is nested too deeply.") from None
    if _SUSPECT.search(text) and any(_UNSTORABLE.search(found) for found in _texts(parsed)):
        raise _malformed("It holds a character that cannot be stored (NUL or half a pair).")
    return parsed


def _texts(parsed: Any) -> Iterator[str]:
    """Every string in it, keys included."""
    if isinstance(parsed, str):
        yield parsed
    elif isinstance(parsed, list):
        for inner in parsed:
            yield from _texts(inner)
    elif isinstance(parsed, dict):
        yield from parsed
        for inner in parsed.values():
            yield from _texts(inner)


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f"It is not UTF-8 at byte {error.start}.") from None


def _malformed(reason: str) -> InvalidError:
    return InvalidError(f"The body is not JSON as we take it: {reason}", code="malformed_json")


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _malformed(f"A number has more than {_MAX_DIGITS} digits.")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_DIGITS:
        raise _malformed(f"A number has more than {_MAX_DIGITS} digits.")
    return Decimal(text)


def _no_number(name: str) -> NoReturn:
    raise _malformed(f"{name} is no number.")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _malformed(f"The key {twice!r} comes twice.")
    return fields


_DECODER: Final = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_no_number,
    object_pairs_hook=_once_each,
)
