"""Failures so far + policy → when to charge again, or that it ends here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """When a declined charge is tried again, and how long access outlives it.

    :param retry_after_days: days after each decline, in order; their number is the retries.
    :param grace_days: how long past due keeps access, from the first decline.
    """

    retry_after_days: tuple[int, ...] = (1, 3, 5, 7)
    grace_days: int = 7


def next_attempt(
    policy: DunningPolicy, *, failures: int, failed_at: datetime, is_hard: bool
) -> datetime | None:
    """When to charge the same payment method again; None when it should not be.

    A hard decline (lost, stolen, closed account) is never retried on the same card; a new card
    is charged at once, which is not for this function to say.

    :param failures: declines so far, this one included.
    """
    if is_hard or failures > len(policy.retry_after_days):
        return None
    return failed_at + timedelta(days=policy.retry_after_days[failures - 1])


def has_grace(policy: DunningPolicy, *, past_due_at: datetime, now: datetime) -> bool:
    """Whether a past-due customer still has access."""
    return now < past_due_at + timedelta(days=policy.grace_days)
