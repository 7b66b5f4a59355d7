"""`GET /healthz`: do all parts work, and which one doesn't?"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from billing import tasks

_SECONDS: Final = 2
OK, FAILING, UNKNOWN = "ok", "failing", "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """A part, how to see whether it works, and the part without which that cannot be seen."""

    name: str
    works: Callable[[], bool]
    seen_through: str = ""


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 when all parts work, else 503 and the names of those that don't. Says nothing of why."""
    found: dict[str, str] = {}
    for part in PARTS:
        is_visible = found.get(part.seen_through, OK) == OK
        found[part.name] = _state(part) if is_visible else UNKNOWN
    failing = [name for name, state in found.items() if state == FAILING]
    return JsonResponse(
        {"status": FAILING if failing else OK, "failing": failing, "parts": found},
        status=HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK,
    )


def _state(part: Part) -> str:
    try:
        return OK if part.works() else FAILING
    except Exception:  # whatever it is, the part does not work
        return FAILING


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _redis() -> bool:
    cache.set("bursar:healthz", "1", timeout=_SECONDS)
    return bool(cache.get("bursar:healthz") == "1")


def _worker() -> bool:
    """Any worker that answers will do."""
    return bool(current_app.control.broadcast("ping", reply=True, timeout=_SECONDS, limit=1))


def _beat() -> bool:
    """Beat asks for a heartbeat every few seconds, which a worker writes down."""
    return cache.get(tasks.HEARTBEAT_KEY) is not None


def _stripe() -> bool:
    """Any answer will do: without a key it is a refusal."""
    try:
        with urllib.request.urlopen(settings.STRIPE_API_BASE, timeout=_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True


PARTS: Final = (
    Part("postgresql", _database),
    Part("redis", _redis),
    Part("worker", _worker, seen_through="redis"),
    Part("beat", _beat, seen_through="worker"),
    Part("stripe", _stripe),
)
