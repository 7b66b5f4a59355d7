"""`If-Match`: change only what the caller has seen."""

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
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return
    if etag.strip('"') not in _TAG.findall(given) and etag.strip('"') != given.strip():
        raise PreconditionFailedError("It was changed by someone else.", code="version_mismatch")
