"""`multipart/form-data`, as it comes from an upload: made a plain form without the file itself."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import PurePath
from urllib.parse import urlencode

_MAGIC = {b"%PDF": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}
_LIKE = {"jpeg": "jpg"}


def is_multipart(content_type: str) -> bool:
    """Say whether a body is an upload."""
    return content_type.lower().startswith("multipart/form-data")


def flattened(content_type: str, body: bytes) -> str:
    """Return an upload as an encoded form; of a file its name, size and type remain."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    upload = BytesParser(policy=HTTP).parsebytes(head + body)
    pairs: list[tuple[str, object]] = []
    for part in upload.iter_parts() if upload.is_multipart() else ():
        pairs.extend(_fields(part))
    return urlencode(pairs)


def _fields(part: Message) -> list[tuple[str, object]]:
    name = str(part.get_param("name", header="content-disposition"))
    content = part.get_payload(decode=True)
    content = content if isinstance(content, bytes) else b""
    filename = part.get_filename()
    if filename is None:
        return [(name, content.decode("utf-8", "replace"))]
    short = PurePath(filename.replace("\\", "/")).name
    return [
        (f"{name}[filename]", short),
        (f"{name}[size]", len(content)),
        (f"{name}[type]", _type(short, content)),
    ]


def _type(filename: str, content: bytes) -> str:
    """Name a type by how the content begins, else by how the name ends."""
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            return kind
    ending = PurePath(filename).suffix.removeprefix(".").lower()
    return _LIKE.get(ending, ending)
