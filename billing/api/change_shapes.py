"""What a change of a subscription looks like in bodies (api.md, section 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import Answer, Exact, Flag, Instant, Strict, Text, Word, instant
from billing.core.changes import Act
from billing.core.lifecycle import SubscriptionStatus
from billing.core.schedule import Step
from billing.models import Redemption, ScheduledChange
from billing.models.schedule import ChangeStatus
from plans.terms import MAX_QUANTITY, ChangeCharge, ChangeTime


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "enum": ["now", "period_end"]},
            {"type": "string", "format": "date-time"},
        ]
    }
)
class When(serializers.Field[Any, Any, str, Any]):
    """`now`, `period_end`, or an instant."""

    default_error_messages = {"invalid": "“now”, “period_end”, or an instant with its offset."}

    def to_internal_value(self, data: Any) -> ChangeTime | datetime:
        """One of the two times, or the instant in UTC."""
        if isinstance(data, str) and data.upper() in ChangeTime.__members__:
            return ChangeTime(data.upper())
        if (value := instant(data)) is None:
            self.fail("invalid")
        return value

    def to_representation(self, value: Any) -> str:
        """A time as it is asked for: never answered, but told as what holds where none is."""
        return str(value).lower()


class ChangeInput(Strict):
    """What shall be different; one thing at least."""

    plan_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    quantity = serializers.IntegerField(
        min_value=1, max_value=MAX_QUANTITY, required=False, allow_null=True, default=None
    )
    coupon = Text(
        max_length=64, required=False, allow_null=True, default=None, help_text="Its code."
    )
    billing_anchor = Instant(
        required=False,
        allow_null=True,
        default=None,
        help_text="What periods are counted from then on: the billing day moves. Operators only.",
    )
    when = When(
        required=False,
        allow_null=True,
        default=None,
        help_text="Null for what the plan says of an upgrade or a downgrade.",
    )
    prorate = Flag(
        required=False,
        default=True,
        help_text="False: nothing is credited or charged before the next period. Operators only.",
    )
    charge = Word(
        ChangeCharge,
        required=False,
        allow_null=True,
        default=None,
        help_text="Instead of the plan's own policy. Operators only.",
    )


class ChangedPlanOutput(Answer):
    """The plan, in the version that will hold."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()


@extend_schema_serializer(component_name="SubscriptionChange")
class ChangeOutput(Answer):
    """A change. A `failed` one could not be when it was due; `reason` says why."""

    id = serializers.UUIDField()
    subscription = serializers.UUIDField()
    status = Word(ChangeStatus)
    due_at = Instant()
    is_at_period_end = Flag()
    plan = ChangedPlanOutput(allow_null=True)
    quantity = Exact(allow_null=True)
    coupon = serializers.CharField(allow_null=True)
    billing_anchor = Instant(allow_null=True)
    act = Word(Act, allow_null=True)
    charge = Word(ChangeCharge, allow_null=True)
    reason = serializers.CharField()
    created_by = serializers.CharField()
    created_at = Instant()
    settled_at = Instant(allow_null=True)

    def to_representation(self, row: ScheduledChange) -> dict[str, Any]:
        """A row with its plan and coupon at hand."""
        same = ("status", "due_at", "is_at_period_end", "billing_anchor", "reason")
        rest = ("created_by", "created_at", "settled_at")
        version = row.plan_version
        shown = {
            **{name: getattr(row, name) for name in (*same, *rest)},
            "id": row.pk,
            "subscription": row.subscription_id,
            "plan": None
            if version is None
            else {"id": version.plan_id, "name": version.plan.name, "version": version.number},
            "quantity": None if row.quantity is None else str(row.quantity),
            "coupon": row.coupon.code if row.coupon else None,
            "act": row.act or None,
            "charge": row.charge or None,
        }
        return super().to_representation(shown)


class AfterOutput(Answer):
    """What the subscription is after a change."""

    status = Word(SubscriptionStatus)
    plan = serializers.CharField()
    quantity = Exact()
    period_end = Instant(allow_null=True)


class StepConflictOutput(Answer):
    """Why a change cannot be: a stable code and a sentence."""

    code = serializers.CharField()
    detail = serializers.CharField()


class StepOutput(Answer):
    """A change on the timeline, and the subscription after it."""

    change = serializers.UUIDField()
    at = Instant()
    after = AfterOutput()
    conflict = StepConflictOutput(allow_null=True)

    def to_representation(self, pair: tuple[Step, ScheduledChange]) -> dict[str, Any]:
        """A step of the timeline beside the row of its change."""
        step, row = pair
        after, conflict = step.after, step.conflict
        shown = {
            "change": row.pk,
            "at": step.change.at,
            "after": {
                "status": after.status,
                "plan": after.plan.name,
                "quantity": str(after.quantity),
                "period_end": after.stay.period.end if after.stay else None,
            },
            "conflict": None
            if conflict is None
            else {"code": conflict.code, "detail": conflict.detail},
        }
        return super().to_representation(shown)


class RedemptionOutput(Answer):
    """A coupon at work; `periods_left` is null for one that holds for ever."""

    coupon = serializers.CharField()
    periods_left = serializers.IntegerField(allow_null=True)
    covers_until = Instant(allow_null=True)

    def to_representation(self, row: Redemption) -> dict[str, Any]:
        """A row with its coupon at hand."""
        shown = {
            "coupon": row.coupon.code,
            "periods_left": row.periods_left,
            "covers_until": row.covers_until,
        }
        return super().to_representation(shown)


def open_changes() -> QuerySet[ScheduledChange]:
    """What is still to come, and what failed and waits for an operator, in order."""
    rows = ScheduledChange.objects.filter(status__in=[ChangeStatus.PENDING, ChangeStatus.FAILED])
    return rows.select_related("plan_version__plan", "coupon").order_by("due_at", "pk")
