"""`/plans/{id}/moves`: subscribers go over to the current version of their plan."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.change_shapes import ChangedPlanOutput, When
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Flag, Instant, Strict, Word
from billing.api.openapi import problems
from billing.api.permissions import found
from billing.api.tokens import caller
from billing.queries import moves as moving
from billing.services import moves
from plans.models import Plan
from plans.terms import ChangeCharge, ChangeTime

MOST_NAMED: Final = 10_000
_ID: Final = "0198d5a2-0000-7000-8000-00000000000"


class MoveInput(Strict):
    """Whom to move, and when."""

    subscriptions = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=1,
        max_length=MOST_NAMED,
        required=False,
        allow_null=True,
        default=None,
        help_text="Null for all that are live and on an older version.",
    )
    when = When(
        required=False,
        default=ChangeTime.PERIOD_END,
        help_text="At the end of each one's period if it is left out.",
    )
    charge = Word(
        ChangeCharge,
        required=False,
        allow_null=True,
        default=None,
        help_text="What it costs in mid-period; null for the plan's own policy.",
    )
    dry_run = Flag(required=False, default=False, help_text="True: tell what it would do.")


class ObjectionOutput(Answer):
    """What is in the way. `change` is null where it is no other change."""

    code = serializers.CharField()
    detail = serializers.CharField()
    due_at = Instant(allow_null=True)
    change = serializers.UUIDField(allow_null=True)


class RefusalOutput(Answer):
    """A subscription that is not moved."""

    subscription = serializers.UUIDField()
    conflicts = ObjectionOutput(many=True)


class DifferenceOutput(Answer):
    """What the invoices for the time after the move ask for without it, and with it."""

    now = Amount()
    then = Amount()


@extend_schema_serializer(component_name="PlanMove")
class MoveOutput(Answer):
    """What a move did, or would do."""

    dry_run = Flag()
    plan = ChangedPlanOutput()
    subscriptions = serializers.IntegerField(
        help_text="How many it concerned. Who is on the version, or will be by a change that is "
        "scheduled, is left alone and not counted."
    )
    scheduled = serializers.IntegerField(help_text="How many are moved, or will be when it is due.")
    refused = RefusalOutput(many=True)
    effect = serializers.DictField(
        child=DifferenceOutput(),
        help_text="By currency, as reckoned before: the next invoices of those that can be moved, "
        "with usage as in their last period.",
    )


class Moves(Endpoint):
    """Moves to the current version."""

    operator_only = frozenset({"POST"})
    is_atomic = False  # each subscription is moved in a transaction of its own

    @extend_schema(
        operation_id="movePlanSubscriptions",
        summary="Move subscriptions to the plan's current version",
        description=(
            "Operators only. Quantities, coupons and what else is scheduled stay. One that cannot "
            "be moved is told in `refused` and stops nobody. Again is the same as once: a move "
            "that was interrupted is simply made again."
        ),
        request=MoveInput,
        responses={200: MoveOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Everybody at their renewal; what would it do?",
                {"when": "period_end", "dry_run": True},
                request_only=True,
            ),
            OpenApiExample(
                "Its answer",
                {
                    "dry_run": True,
                    "plan": {"id": f"{_ID}1", "name": "Gold", "version": 2},
                    "subscriptions": 12,
                    "scheduled": 11,
                    "refused": [
                        {
                            "subscription": f"{_ID}2",
                            "conflicts": [
                                {
                                    "code": "same_instant",
                                    "detail": "Another change is due then.",
                                    "due_at": "2026-05-01T00:00:00Z",
                                    "change": f"{_ID}3",
                                }
                            ],
                        }
                    ],
                    "effect": {"USD": {"now": "6600.00", "then": "7150.00"}},
                },
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request, plan_id: UUID) -> Response:
        """Move them, or tell what it would do."""
        fields, now = self.read(MoveInput), clock.now()
        plan = found(Plan.objects.readable(), plan_id, noun="plan")
        asked = {name: fields[name] for name in ("subscriptions", "when", "charge")}
        effect = moving.effect(plan, **asked, now=now)
        scheduled, refused = effect.movable, effect.refused
        if not fields["dry_run"]:
            moved = moves.move(plan_id, **asked, by=caller(request).name, now=now)
            tasks.collect_soon(moved.attempts)
            scheduled, refused = len(moved.scheduled), moved.refused
        version = moving.target(plan)
        shown: dict[str, Any] = {
            "dry_run": fields["dry_run"],
            "plan": {"id": plan.pk, "name": plan.name, "version": version.number},
            "subscriptions": scheduled + len(refused),
            "scheduled": scheduled,
            "refused": refused,
            "effect": effect.sums,
        }
        return Response(MoveOutput.of(shown))
