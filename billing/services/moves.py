"""Moving subscribers to the current version of their plan: all, some, at renewal or now."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.core.errors import FAULTS, BillingError, NotFoundError, words
from billing.models import ScheduledChange
from billing.models.schedule import ChangeStatus
from billing.queries import moves
from billing.queries.moves import Objection, Refusal
from billing.services import locks, payments, schedule
from billing.services.schedule import ConflictingChangesError, Wish
from plans.models import Plan
from plans.terms import ChangeCharge, ChangeTime

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Moved:
    """What became of a move.

    :param scheduled: the subscriptions that are moved, or will be.
    :param refused: those that are not, each with what is in the way.
    :param attempts: payment attempts that wait to be collected.
    """

    scheduled: list[UUID] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    attempts: list[UUID] = field(default_factory=list)


def move(
    plan_id: UUID,
    *,
    subscriptions: Sequence[UUID] | None,
    when: ChangeTime | datetime,
    charge: ChangeCharge | None,
    by: str,
    now: datetime,
) -> Moved:
    """Move live subscriptions on older versions of a plan to its current one.

    Quantities, coupons and what else is scheduled stay. Each is moved in a transaction of its
    own: one that cannot be stops nobody, and a move that was interrupted is simply made again.
    A subscription that is on the version, or will be by what is scheduled, is left alone.

    :param subscriptions: those to move; None for all.
    :param charge: what it costs in mid-period; None for the plan's own policy.
    :raises NotFoundError: if there is no such plan.
    """
    plan = Plan.objects.readable().filter(pk=plan_id).first()
    if plan is None:
        raise NotFoundError(f"There is no plan {plan_id}.", code="not_found")
    version = moves.target(plan)
    wish = Wish(when=when, plan_version=version, charge=charge)
    moved = Moved(refused=moves.strangers(version, subscriptions))
    rows = moves.movable(version, subscriptions).order_by("pk")
    for subscription_id in list(rows.values_list("pk", flat=True)):
        try:
            change = _move(subscription_id, wish, by=by, now=now)
        except FAULTS as error:
            moved.refused.append(Refusal(subscription_id, _objections(error)))
            continue
        if change is None:
            continue
        moved.scheduled.append(subscription_id)
        if change.status == ChangeStatus.APPLIED:
            moved.attempts += payments.unsent_of(change.subscription.customer_id)
    return moved


@transaction.atomic
def _move(subscription_id: UUID, wish: Wish, *, by: str, now: datetime) -> ScheduledChange | None:
    """Move one; None where somebody else has meanwhile."""
    locks.subscription(subscription_id)
    if (
        wish.plan_version is None
        or not moves.movable(wish.plan_version, [subscription_id]).exists()
    ):
        return None
    return schedule.change(subscription_id, wish, by=by, now=now)


def _objections(error: Exception) -> list[Objection]:
    """What is in the way, of a subscription that was refused."""
    if isinstance(error, ConflictingChangesError):
        return [
            Objection(
                conflict.code,
                conflict.detail,
                row.due_at,
                None if row is error.asked else row.pk,
            )
            for conflict, row in error.conflicts
        ]
    if isinstance(error, BillingError):
        return [Objection(error.code, error.detail)]
    logger.error("A subscription cannot be moved.", exc_info=error)
    return [Objection(moves.UNFIT, words(error))]
