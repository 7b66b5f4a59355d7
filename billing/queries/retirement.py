"""Whom it would hit if a plan were retired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billing.models import ScheduledChange, Subscription


@dataclass(frozen=True, slots=True)
class Impact:
    """What hangs on a plan.

    :param subscriptions: how many that are not canceled are on it, in any version; they stay.
    :param changes: those still to come that lead to it, in the order they are due. A retired plan
        cannot be changed to.
    """

    subscriptions: int
    changes: Sequence[ScheduledChange]


def impact(plan_id: UUID) -> Impact:
    """What retiring the plan would mean now."""
    return Impact(
        subscriptions=Subscription.objects.live().filter(plan_version__plan=plan_id).count(),
        changes=list(ScheduledChange.objects.pending().filter(plan_version__plan=plan_id)),
    )
