"""Bodies: of bounded size, however they were packed; strict JSON, in which a number is one."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Any, ClassVar, Final, NoReturn

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from billing.core.errors import InvalidError

MAX_BODY: Final = 8 * 1024 * 1024  # 5,000 usage events of 1.6 kB
_MAX_DIGITS: Final = 40
_UNPACKED: Final = frozenset({"", "identity"})
_GZIPPED: Final = frozenset({"gzip", "x-gzip"})
_GZIP_ONLY: Final = 16  # zlib's way of saying so
_MAX_MEMBERS: Final = 100  # of a file that was put together from several
# What PostgreSQL cannot store: NUL, and halves of characters outside the basic plane.
_SUSPECT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class BodyTooLargeError(APIException):
    """More than `MAX_BODY`."""

    status_code = 413
    default_detail = f"A body may have up to {MAX_BODY:,} bytes."
    default_code = "body_too_large"


class UnknownEncodingError(APIException):
    """A `Content-Encoding` that nobody here unpacks."""

    status_code = 415
    default_detail = "A body comes as it is, or with “Content-Encoding: gzip”."
    default_code = "unsupported_encoding"


class BodyParser(BaseParser):
    """Reads a whole body, unpacked; what its bytes mean, `read` says.

    `also` are other names of its media type.
    """

    also: ClassVar[frozenset[str]] = frozenset()

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read a request's body.

        :raises APIException: if it is larger than `MAX_BODY`, packed or not, or packed otherwise.
        :raises InvalidError: if it is not what it says.
        """
        request = (parser_context or {}).get("request")
        headers = {} if request is None else request.headers
        return self.read(_unpacked(_bounded(stream), headers), headers)

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """What a body says."""
        raise NotImplementedError


class StrictJsonParser(BodyParser):
    """Decimals stay exact, a key comes once, and `NaN` is no number."""

    media_type = "application/json"

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """Read JSON.

        :raises InvalidError: saying at which line and column it stops being JSON.
        """
        return loads(body)


def _bounded(stream: IO[bytes]) -> bytes:
    body = stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise BodyTooLargeError
    return body


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in _UNPACKED:
        return body
    if encoding not in _GZIPPED:
        raise UnknownEncodingError
    return _inflated(body)


def _inflated(body: bytes) -> bytes:
    """What a gzip file holds; of a bomb, no more than shows that it is one."""
    parts: list[bytes] = []
    room, rest = MAX_BODY + 1, body
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | _GZIP_ONLY)
        try:
            parts.append(member.decompress(rest, room))
        except zlib.error:
            break
        room -= len(parts[-1])
        if room == 0:
            raise BodyTooLargeError
        if not member.eof:
            break
        rest = member.unused_data
        if not rest:
            return b"".join(parts)
    raise InvalidError("The body is not gzip, or only a part of it.", code="malformed_gzip")


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
    if _SUSPECT.search(text) and any(UNSTORABLE.search(found) for found in _texts(parsed)):
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
