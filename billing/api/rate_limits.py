"""How often one may call: counted in Redis, where all processes count together.

A call counts for its token and the endpoint's class, or for its address where no valid token came.
While Redis does not answer, everybody passes: a limit keeps floods off, and is not worth an outage.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from billing import clock
from billing.core.rate_classes import RateClass
from billing.models import ApiToken

logger = logging.getLogger(__name__)

LIMIT: Final = "X-RateLimit-Limit"
REMAINING: Final = "X-RateLimit-Remaining"
RESET: Final = "X-RateLimit-Reset"
_STANDING: Final = "bursar.rate_limit"
# In seconds. Redis is waited for in three steps at most: to connect, to greet, to ask.
_STEP: Final = 0.08
_LEFT_ALONE: Final = 5
_LOGGED_EVERY: Final = 60
_HOST_BITS: Final = 64  # of an IPv6 address: the rest is one subscriber's


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands after a call.

    :param wait: whole seconds until the window ends.
    :param resets_at: when that is, in Unix seconds.
    """

    limit: int
    remaining: int
    wait: int
    resets_at: int
    is_exceeded: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """As every answer tells it."""
        told = {LIMIT: self.limit, REMAINING: self.remaining, RESET: self.resets_at}
        return {name: str(number) for name, number in told.items()}


class RateLimitedError(APIException):
    """More calls than may be in a window."""

    status_code = 429
    default_code = "rate_limited"

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many calls. Try again in {wait} seconds.")
        self.wait = wait


class Counter:
    """Counts in fixed windows, each of which begins with its first call."""

    def __init__(self, url: str) -> None:
        self._storage = RedisStorage(url, key_prefix="rate", **_patience())
        self._asks_again_at = self._logs_again_at = time.monotonic()

    def hit(self, limit: RateLimitItem, key: str) -> tuple[int, int] | None:
        """Count a call: how many there were in its window, and its milliseconds to come.

        None while Redis does not answer. After a failure it is left alone for a few seconds, so
        that no more calls wait for it.
        """
        began = time.monotonic()
        if began < self._asks_again_at:
            return None
        name = limit.key_for(key)
        try:
            count = self._storage.incr(name, limit.get_expiry())
            if time.monotonic() - began > _STEP:
                return count, limit.get_expiry() * 1000
            redis: Any = self._storage.get_connection()  # typed as far as `limits` reaches itself
            left = redis.pttl(self._storage.prefixed_key(name))
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return None
        return count, max(int(left), 0)

    def _leave_alone(self, error: Exception) -> None:
        now = time.monotonic()
        self._asks_again_at = now + _LEFT_ALONE
        if now >= self._logs_again_at:
            self._logs_again_at = now + _LOGGED_EVERY
            logger.error("Redis does not answer, calls pass uncounted: %s.", type(error).__name__)


def count(request: HttpRequest | Request, rate_class: RateClass, token: ApiToken | None) -> None:
    """Count a call, once.

    :raises RateLimitedError: if it is one too many.
    """
    limit: RateLimitItem = settings.RATE_LIMITS[rate_class]
    key = f"{rate_class}:{_address(request) if token is None else token.pk}"
    found = _counter(settings.REDIS_URL).hit(limit, key)
    times, left = (0, limit.get_expiry() * 1000) if found is None else found
    standing = Standing(
        limit=limit.amount,
        remaining=max(limit.amount - times, 0),
        wait=max(math.ceil(left / 1000), 1),
        resets_at=math.ceil(clock.now().timestamp() + left / 1000),
        is_exceeded=times > limit.amount,
    )
    request.META[_STANDING] = standing
    if standing.is_exceeded:
        raise RateLimitedError(standing.wait)


def standing(request: HttpRequest) -> Standing | None:
    """How whoever made this call stands; None where it was not counted."""
    found: Standing | None = request.META.get(_STANDING)
    return found


def _address(request: HttpRequest | Request) -> str:
    """Whom a call comes from, as the outermost of our proxies saw it."""
    told = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    proxies = settings.TRUSTED_PROXIES
    passed = told[-proxies] if 0 < proxies <= len(told) else ""
    return _network(passed) or _network(request.META.get("REMOTE_ADDR", "")) or "unknown"


def _network(text: str) -> str:
    """An address, of IPv6 what one subscriber has all of; nothing where it is none."""
    try:
        known = ip_address(text)
    except ValueError:
        return ""
    if isinstance(known, IPv6Address):
        network = int(known) >> _HOST_BITS << _HOST_BITS
        return str(known.ipv4_mapped or IPv6Address(network))
    return str(known)


@cache
def _counter(url: str) -> Counter:
    return Counter(url)


def _patience() -> dict[str, Any]:
    """How a connection waits: shortly, once, and without telling who we are."""
    return {
        "socket_timeout": _STEP,
        "socket_connect_timeout": _STEP,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
    }
