"""The steps of whatever is sent to a gateway until it answers, charges and refunds alike.

Each saves its row, in a transaction of the caller's, who holds the locks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from billing.core import asking, lifecycle
from billing.core.lifecycle import AttemptStatus
from billing.models.sending import Sendable

_FIELDS: Final = ("status", "tries", "sent_at", "ask_at", "is_undecided")


def begin(row: Sendable, *, now: datetime) -> bool:
    """It is about to be sent, unless it is settled; whether it may have been heard before."""
    is_repeated = row.status != AttemptStatus.CREATED
    if row.status in lifecycle.UNSENT_ATTEMPTS:
        row.status = lifecycle.ATTEMPT.after(row.status, "send")
        row.tries += 1
        row.sent_at = row.sent_at or now
        row.is_undecided = False
        row.save(update_fields=_FIELDS)
    return is_repeated


def lose_sight(row: Sendable, *, now: datetime) -> None:
    """No answer came: it is asked about again, and after long enough a person decides."""
    if row.status != AttemptStatus.SENDING:
        return
    row.status = lifecycle.ATTEMPT.after(row.status, "lose_sight")
    row.ask_at = asking.again_at(tries=row.tries, now=now)
    row.is_undecided = asking.is_over(sent_at=row.sent_at, now=now)
    row.save(update_fields=_FIELDS)


def hold(row: Sendable, *, now: datetime) -> bool:
    """It was certainly not heard, and waits to be sent; False if somebody else settled it."""
    if row.status != AttemptStatus.SENDING:
        return False
    row.status = lifecycle.ATTEMPT.after(row.status, "hold")
    row.sent_at, row.ask_at = None, asking.again_at(tries=row.tries, now=now)
    row.save(update_fields=_FIELDS)
    return True
