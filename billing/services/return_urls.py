"""Where browsers may be sent back to: what an operator has allowed, and our own pages."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from billing.core import origins
from billing.core.errors import InvalidError

NOT_ALLOWED: Final = "return_url_not_allowed"
WHY: Final = "Its origin is not among those that RETURN_ORIGINS allows."


def is_allowed(url: str) -> bool:
    """Whether an address leads to an origin that is allowed."""
    own = origins.origin(settings.PUBLIC_URL)
    is_own = own is not None and origins.origin(url) == own
    return is_own or origins.allows(settings.RETURN_ORIGINS, url)


def require(**urls: str) -> None:
    """Refuse addresses that lead elsewhere.

    :param urls: by the fields they stand in.
    :raises InvalidError: with code `return_url_not_allowed`, naming the fields.
    """
    faults = {name: [WHY] for name, url in urls.items() if not is_allowed(url)}
    if faults:
        raise InvalidError(f"{', '.join(faults)}: {WHY}", code=NOT_ALLOWED, errors=faults)
