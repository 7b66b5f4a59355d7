"""Which gateways there are: one folder here each, offered where it is configured.

A folder has a module `gateway` with a function `build`, which makes the gateway, or gives None
where this installation has no account there.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import cast

import billing.gateways
from billing.core.errors import InvalidError
from billing.gateways.base import Gateway


@cache
def offered() -> Mapping[str, Gateway]:
    """Every gateway that is configured, by its name."""
    folders = [it.name for it in pkgutil.iter_modules(billing.gateways.__path__) if it.ispkg]
    return {name: gateway for name in folders if (gateway := _build(name)) is not None}


def get(name: str) -> Gateway:
    """The gateway of that name.

    :raises InvalidError: if none is configured.
    """
    try:
        return offered()[name]
    except KeyError:
        raise InvalidError(f"There is no gateway {name!r}.", code="unknown_gateway") from None


def _build(folder: str) -> Gateway | None:
    module = import_module(f"billing.gateways.{folder}.gateway")
    return cast("Callable[[], Gateway | None]", module.build)()
