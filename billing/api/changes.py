"""`/subscriptions/{id}/changes`: what shall be different, and the timeline that it makes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.change_shapes import ChangeInput, ChangeOutput, StepOutput, When
from billing.api.endpoint import Endpoint
from billing.api.fields import Strict
from billing.api.openapi import problems
from billing.api.pages import PageQuery
from billing.api.permissions import find, found, require_operator
from billing.api.plans import visible_plan
from billing.api.subscriptions import SubscriptionOutput, readable, shown
from billing.api.tokens import caller
from billing.core.errors import InvalidError
from billing.models import ScheduledChange, Subscription
from billing.queries import agreements
from billing.services import coupons, schedule
from billing.services.schedule import Wish
from plans.models import PlanVersion
from plans.terms import ChangeCharge, ChangeTime

_FOR_OPERATORS = ("billing_anchor", "charge")


class Changes(Endpoint):
    """The changes of a subscription."""

    filters = PageQuery

    @extend_schema(
        operation_id="listSubscriptionChanges",
        summary="List a subscription's changes, and its timeline",
        description=(
            "All changes, the newest first; `timeline` has those still to come in order, each with "
            "what the subscription is after it."
        ),
        parameters=[PageQuery],
        responses={
            200: inline_serializer(
                "SubscriptionChangeList",
                {
                    "total": serializers.IntegerField(),
                    "limit": serializers.IntegerField(),
                    "offset": serializers.IntegerField(),
                    "changes": ChangeOutput(many=True),
                    "timeline": StepOutput(many=True),
                },
            ),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, subscription_id: UUID) -> Response:
        """List them."""
        query = self.filtered()
        subscription = find(
            request, Subscription.objects.readable(), subscription_id, noun="subscription"
        )
        rows = _changes(subscription).order_by("-created_at", "-pk")
        limit, offset = query["limit"], query["offset"]
        return Response(
            {
                "total": rows.count(),
                "limit": limit,
                "offset": offset,
                "changes": ChangeOutput.all_of(list(rows[offset : offset + limit])),
                "timeline": StepOutput.all_of(agreements.timeline(subscription)),
            }
        )

    @extend_schema(
        operation_id="changeSubscription",
        summary="Change a subscription, now or later",
        description=(
            "It is checked against everything that is scheduled, in order, as the subscription "
            "will be by then. What contradicts is refused with all `conflicts`: 409."
        ),
        request=ChangeInput,
        responses={201: ChangeOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Upgrade at once",
                {"plan_id": "0198d5a2-0000-7000-8000-000000000002", "when": "now"},
                request_only=True,
            ),
            OpenApiExample(
                "Five seats from the next period",
                {"quantity": 5, "when": "period_end"},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request, subscription_id: UUID) -> Response:
        """Schedule one, or do it."""
        fields = self.read(ChangeInput)
        if not fields["prorate"] or any(fields[name] is not None for name in _FOR_OPERATORS):
            require_operator(request)
        subscription = find(request, readable(), subscription_id, noun="subscription")
        by, now = caller(request).name, clock.now()
        row = schedule.change(subscription.pk, wish_of(request, fields), by=by, now=now)
        tasks.collect_open(subscription.customer_id)
        return Response(ChangeOutput.of(_changes(subscription).get(pk=row.pk)), status=201)


class OneChange(Endpoint):
    """One change."""

    @extend_schema(
        operation_id="getSubscriptionChange",
        summary="Read a change",
        description="What became of it, too.",
        responses={200: ChangeOutput, **problems(404)},
    )
    def get(self, request: Request, subscription_id: UUID, change_id: UUID) -> Response:
        """Read it."""
        return Response(ChangeOutput.of(_one(request, subscription_id, change_id)))

    @extend_schema(
        operation_id="withdrawSubscriptionChange",
        summary="Withdraw a change",
        description="One that is still to come, or has failed.",
        responses={204: None, **problems(403, 404, 409)},
    )
    def delete(self, request: Request, subscription_id: UUID, change_id: UUID) -> Response:
        """Take it off the timeline."""
        row = _one(request, subscription_id, change_id)
        by = caller(request).name
        schedule.withdraw(row.subscription_id, row.pk, by=by, now=clock.now())
        return Response(status=204)


class RetryChange(Endpoint):
    """A change that failed."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="retrySubscriptionChange",
        summary="Try a failed change again",
        description="Operators only. It takes effect now.",
        request=None,
        responses={200: ChangeOutput, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, subscription_id: UUID, change_id: UUID) -> Response:
        """Try it."""
        row = _one(request, subscription_id, change_id)
        by = caller(request).name
        schedule.retry(row.subscription_id, row.pk, by=by, now=clock.now())
        tasks.collect_open(row.subscription.customer_id)
        return Response(ChangeOutput.of(_one(request, subscription_id, change_id)))


class TrialEndInput(Strict):
    """When the trial ends."""

    at = When()


class TrialEnd(Endpoint):
    """The end of a trial."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="moveTrialEnd",
        summary="End a trial early, or extend it",
        description="Operators only. `at` is `now` or an instant.",
        request=TrialEndInput,
        responses={200: SubscriptionOutput, **problems(400, 403, 404, 409, 422)},
        examples=[OpenApiExample("A week more", {"at": "2026-05-08T09:00:00Z"}, request_only=True)],
    )
    def post(self, request: Request, subscription_id: UUID) -> Response:
        """Move it."""
        at = self.read(TrialEndInput)["at"]
        subscription = find(request, readable(), subscription_id, noun="subscription")
        if at == ChangeTime.PERIOD_END:
            raise InvalidError("A trial ends now or at an instant.", code="invalid_time")
        ends_at = None if at == ChangeTime.NOW else at
        by, now = caller(request).name, clock.now()
        schedule.set_trial_end(subscription.pk, ends_at, by=by, now=now)
        tasks.collect_open(subscription.customer_id)
        return Response(shown(subscription.pk))


def wish_of(request: Request, fields: dict[str, Any]) -> Wish:
    """What a body asks for.

    :raises NotFoundError: if there is no such plan for the caller.
    :raises InvalidError: if there is no such coupon.
    """
    code = fields["coupon"]
    return Wish(
        when=fields["when"],
        plan_version=_version(request, fields["plan_id"]),
        quantity=fields["quantity"],
        coupon=None if code is None else coupons.find(code),
        billing_anchor=fields["billing_anchor"],
        charge=fields["charge"] or (None if fields["prorate"] else ChangeCharge.NONE),
    )


def _version(request: Request, plan_id: UUID | None) -> PlanVersion | None:
    if plan_id is None:
        return None
    plan = visible_plan(request, plan_id)
    if plan.current is not None:
        plan.current.plan = plan
    return plan.current


def _one(request: Request, subscription_id: UUID, change_id: UUID) -> ScheduledChange:
    subscription = find(request, readable(), subscription_id, noun="subscription")
    return found(_changes(subscription), change_id, noun="change")


def _changes(subscription: Subscription) -> QuerySet[ScheduledChange]:
    rows = ScheduledChange.objects.filter(subscription=subscription)
    return rows.select_related("subscription", "plan_version__plan", "coupon")
