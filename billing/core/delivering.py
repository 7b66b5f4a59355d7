"""When a notification is sent again, and when its receiver is given up."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class DeliveryStatus(StrEnum):
    """PENDING: to be sent, for the first time or again. FAILED: given up; operators may resend."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class FailureKind(StrEnum):
    """Why a try failed.

    STATUS: an answer other than 2xx. REDIRECT: 3xx, which is never followed. UNREACHABLE: no
    connection. BROKEN: it ended before an answer. TIMEOUT: the answer took too long. TLS: its
    certificate does not hold. FORBIDDEN: the address is none that we send to. SECRET: its secret
    cannot be read any more, so nothing can be signed.
    """

    STATUS = "STATUS"
    REDIRECT = "REDIRECT"
    UNREACHABLE = "UNREACHABLE"
    BROKEN = "BROKEN"
    TIMEOUT = "TIMEOUT"
    TLS = "TLS"
    FORBIDDEN = "FORBIDDEN"
    SECRET = "SECRET"  # noqa: S105  # the name of a failure


GONE: Final = 410  # the receiver's own word that nothing shall be sent there any more
# As the Standard Webhooks specification recommends: three days in all.
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
FAILING_FOR: Final = timedelta(days=3)
_JITTER_PERMILLE: Final = 100


def again_at(tries: int, *, seed: str, now: datetime) -> datetime | None:
    """When to try again after so many tries in vain; None if that was the last.

    :param seed: what spreads those that failed together, by up to a tenth of the wait.
    """
    if tries > len(WAITS):
        return None
    wait = WAITS[tries - 1]
    digest = hashlib.sha256(f"{seed}:{tries}".encode()).digest()
    permille = int.from_bytes(digest[:4]) % (_JITTER_PERMILLE + 1)
    return now + wait + wait * permille / 1000


def is_dead(*, failing_since: datetime | None, now: datetime) -> bool:
    """Whether a receiver has taken nothing for so long that it is left alone."""
    return failing_since is not None and now - failing_since >= FAILING_FOR
