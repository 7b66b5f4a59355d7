"""Bodies of several parts: a JSON part and files, of which no content is ever kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser

from paypal_sandbox import errors
from paypal_sandbox.messages import Request
from stripe_sandbox.bodies import Json

_INPUT = "input"


@dataclass(frozen=True)
class Part:
    """One part; `value` is there only if it is no file."""

    name: str
    type: str
    size: int
    filename: str | None
    value: str | None

    def described(self) -> Json:
        """Say what it is."""
        found: Json = {"name": self.name, "type": self.type, "size": self.size}
        if self.filename is not None:
            return found | {"filename": self.filename}
        return found | {"value": self.value}


def is_multipart(request: Request) -> bool:
    """Say whether a request has a body of several parts."""
    return request.content_type.startswith("multipart/")


def parts(request: Request) -> list[Part]:
    """Take a body apart; one that cannot be has no parts."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + request.body)
    if not whole.is_multipart():
        return []
    found = whole.get_payload()
    return [_part(part) for part in found if isinstance(part, Message)]


def taken_apart(request: Request) -> tuple[Json, list[Part]]:
    """Return the JSON part of a body, and its files.

    :raises PayPalError: if there is none, or it is not JSON.
    """
    found = parts(request)
    written = next((part.value for part in found if part.name == _INPUT and part.value), None)
    files = [part for part in found if part.filename is not None]
    if written is None:
        raise errors.missing("/input")
    try:
        body = json.loads(written)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise errors.invalid(
            "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.", "/input"
        )
    return body, files


def _part(part: Message) -> Part:
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    filename = part.get_filename()
    is_json = part.get_content_type() == "application/json"
    # Clients send the JSON part as a field, or as a file that says that it is JSON.
    is_value = filename is None or (name == _INPUT and is_json)
    return Part(
        name=str(name or ""),
        type=part.get_content_type(),
        size=len(raw),
        filename=None if is_value else filename,
        value=raw.decode("utf-8", "replace") if is_value else None,
    )
