"""A gateway's own settings, so that its folder is all that there is of it."""

from __future__ import annotations

from django.conf import settings
from environs import Env

_env = Env()


def option(name: str, default: str = "") -> str:
    """A setting from the environment; what the Django settings say of it wins."""
    found = getattr(settings, name, None)
    return _env.str(name, default) if found is None else str(found)
