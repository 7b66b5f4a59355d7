"""`If-Match`: change only what the caller has seen. `If-None-Match`: tell them only what is new."""

from __future__ import annotations

import re
from typing import Final

from rest_framework.request import Request

from billing.api.errors import PreconditionFailedError

_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')


def require_match(request: Request, etag: str) -> None:
    """Refuse where `If-Match` came and does not name this state. Call it under the row's lock.

    :raises PreconditionFailedError: then.
    """
    tags = _tags(request)
    if tags and etag.strip('"') not in tags:
        raise _mismatch()


def is_known(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this state: then the caller has it already."""
    given = request.headers.get("If-None-Match", "").strip()
    return given == "*" or etag.strip('"') in (_TAG.findall(given) or [given])


def expected_version(request: Request) -> int | None:
    """The version that `If-Match` names, for a command that compares it; None for any.

    :raises PreconditionFailedError: if what it names can be no version.
    """
    tags = _tags(request)
    versions = [int(tag) for tag in tags if tag.isascii() and tag.isdigit()]
    if tags and not versions:
        raise _mismatch()
    return max(versions, default=None)


def _tags(request: Request) -> list[str]:
    """What `If-Match` names, with or without quotes; nothing where anything will do."""
    given = request.headers.get("If-Match", "*").strip()
    return [] if given == "*" else _TAG.findall(given) or [given]


def _mismatch() -> PreconditionFailedError:
    return PreconditionFailedError("It was changed by someone else.", code="version_mismatch")
