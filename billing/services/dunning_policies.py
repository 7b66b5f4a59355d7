"""Commands on dunning policies. Runs that have begun keep the terms they began with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core import dunning
from billing.core.dunning import DunningPolicy
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.models import DunningPolicy as PolicyRow
from billing.models import PlanDunning
from billing.queries.dunning import value_of
from billing.services import journal
from plans.models import Plan


@dataclass(frozen=True, slots=True)
class Use:
    """Where a policy applies; None leaves it as it is.

    :param is_default: whether it is for all who have no other.
    :param plans: the plans whose subscribers are dunned by it; they leave their former one.
    """

    is_default: bool | None = None
    plans: Sequence[UUID] | None = None


@transaction.atomic
def create(
    policy: DunningPolicy, *, by: str, now: datetime, use: Use = Use(is_default=False)
) -> PolicyRow:
    """Make a policy.

    :raises InvalidError: if it makes no sense, or a plan does not exist.
    :raises ConflictError: if the name is taken.
    """
    return _put(PolicyRow(), policy, use, by=by, now=now)


@transaction.atomic
def change(
    policy_id: UUID, policy: DunningPolicy, *, by: str, now: datetime, use: Use = Use()
) -> None:
    """Change a policy for all runs to come.

    :raises NotFoundError: if there is none.
    :raises InvalidError: if it makes no sense, or a plan does not exist.
    :raises ConflictError: if the name is taken.
    """
    row = PolicyRow.objects.filter(pk=policy_id).first()
    if row is None:
        raise NotFoundError(f"There is no dunning policy {policy_id}.", code="not_found")
    _put(row, policy, use, by=by, now=now)


def _put(row: PolicyRow, policy: DunningPolicy, use: Use, *, by: str, now: datetime) -> PolicyRow:
    dunning.require_sound(policy)
    if PolicyRow.objects.filter(name=policy.name).exclude(pk=row.pk).exists():
        raise ConflictError("There is a policy of this name already.", code="name_taken")
    if use.is_default:  # whoever is it now waits here for the other who takes it over
        PolicyRow.objects.filter(is_default=True).exclude(pk=row.pk).update(is_default=False)
    row.name, row.grace_days = policy.name, policy.grace_days
    row.retry_after_days = list(policy.retry_after_days)
    row.notices = dunning.notices_to_json(policy.notices)
    row.final_act, row.final_after_days = policy.final_act, policy.final_after_days
    if use.is_default is not None:
        row.is_default = use.is_default
    row.save()
    if use.plans is not None:
        _apply_to(row, use.plans)
    journal.post(
        journal.Fact(
            kind="DUNNING_POLICY_SET",
            key=f"dunning_policy:{row.pk}:{uuid7()}",
            customer_id=None,
            occurred_at=now,
            context={
                "policy": str(row.pk),
                "terms": value_of(row).to_json(),
                "is_default": row.is_default,
                "plans": sorted(str(plan) for plan in row.plans.values_list("plan_id", flat=True)),
                "by": by,
            },
        )
    )
    return row


def _apply_to(row: PolicyRow, plans: Sequence[UUID]) -> None:
    known = set(Plan.objects.filter(pk__in=plans).values_list("pk", flat=True))
    unknown = [str(plan) for plan in plans if plan not in known]
    if unknown:
        raise InvalidError(
            "A plan does not exist.",
            code="unknown_plan",
            errors={"plans": [f"There is no plan {plan}." for plan in unknown]},
        )
    PlanDunning.objects.filter(policy=row).exclude(plan__in=known).delete()
    PlanDunning.objects.bulk_create(
        [PlanDunning(plan_id=plan, policy=row) for plan in sorted(known)],
        update_conflicts=True,
        unique_fields=["plan"],
        update_fields=["policy"],
    )
