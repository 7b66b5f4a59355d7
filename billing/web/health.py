"""`GET /healthz`: do all parts work, and which one doesn't?"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from billing import tasks

_SECONDS: Final = 2


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 when all parts work, else 503; either names each part. Says nothing of why."""
    parts = {name: _works(check) for name, check in CHECKS.items()}
    is_well = all(parts.values())
    return JsonResponse(
        {
            "status": "ok" if is_well else "failing",
            "failing": [name for name, works in parts.items() if not works],
            "parts": {name: "ok" if works else "failing" for name, works in parts.items()},
        },
        status=HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _works(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # whatever it is, the part does not work
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _redis() -> bool:
    cache.set("bursar:healthz", "1", timeout=_SECONDS)
    return bool(cache.get("bursar:healthz") == "1")


def _workers() -> bool:
    """Beat sends a heartbeat every few seconds, and a worker writes it down."""
    return cache.get(tasks.HEARTBEAT_KEY) is not None


def _stripe() -> bool:
    """Any answer will do: without a key it is a refusal."""
    try:
        with urllib.request.urlopen(settings.STRIPE_API_BASE, timeout=_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True


CHECKS: Final[dict[str, Callable[[], bool]]] = {
    "postgresql": _database,
    "redis": _redis,
    "worker and beat": _workers,
    "stripe": _stripe,
}
