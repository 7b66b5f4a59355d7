"""Name → gateway, from settings."""

from __future__ import annotations

from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from billing.core.errors import InvalidError
from billing.gateways.base import Gateway


@cache
def get(name: str) -> Gateway:
    """The gateway of that name.

    :raises InvalidError: if none is configured.
    """
    try:
        path = settings.GATEWAYS[name]
    except KeyError:
        raise InvalidError(f"There is no gateway {name!r}.", code="unknown_gateway") from None
    return cast("Gateway", import_string(path)())


def default() -> Gateway:
    """The gateway that new payment methods are set up at."""
    return get(settings.DEFAULT_GATEWAY)
