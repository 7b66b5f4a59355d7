"""`/subscriptions`: who is on which plan, and what ends, pauses or resumes it."""

from __future__ import annotations

from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.change_shapes import ChangeOutput, RedemptionOutput, When, open_changes
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Exact, Instant, Strict, Text, Word
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.plans import visible_plan
from billing.api.tokens import caller
from billing.core.changes import Act
from billing.core.lifecycle import SubscriptionStatus
from billing.models import BillingPeriod, Redemption, Subscription
from billing.models.subscription import BilledBy
from billing.services import schedule, subscriptions
from billing.services.schedule import Wish
from billing.services.subscriptions import Order
from plans.terms import MAX_QUANTITY, MAX_TRIAL_DAYS


class Quantity(serializers.IntegerField):
    """A whole number of units."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_QUANTITY, **options)


class SubscriptionInput(Strict):
    """Put a customer on a plan."""

    customer = serializers.UUIDField()
    plan_id = serializers.UUIDField()
    quantity = Quantity(
        default=None, required=False, allow_null=True, help_text="Null for the least that is sold."
    )
    trial_days = serializers.IntegerField(
        min_value=0,
        max_value=MAX_TRIAL_DAYS,
        allow_null=True,
        default=None,
        required=False,
        help_text="Instead of the plan's own; 0 for none. Operators only.",
    )
    coupon = Text(
        default=None, required=False, allow_null=True, max_length=64, help_text="Its code."
    )
    starts_at = Instant(
        default=None, required=False, allow_null=True, help_text="Null for now; not in the past."
    )


class SubscribedPlanOutput(Answer):
    """The plan, in the version whose terms hold."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()


@extend_schema_serializer(component_name="Subscription")
class SubscriptionOutput(Answer):
    """A subscription. `incomplete` waits for a payment method."""

    id = serializers.UUIDField()
    customer = serializers.UUIDField(source="customer_id")
    plan = SubscribedPlanOutput()
    status = Word(SubscriptionStatus)
    quantity = Exact()
    trial_start = Instant(allow_null=True)
    trial_end = Instant(allow_null=True)
    billing_anchor = Instant(allow_null=True)
    current_period_start = Instant(allow_null=True)
    current_period_end = Instant(allow_null=True)
    cancel_at = Instant(allow_null=True)
    canceled_at = Instant(allow_null=True)
    billed_by = Word(BilledBy)
    sub_id = serializers.CharField()
    scheduled_changes = ChangeOutput(many=True)
    coupons = RedemptionOutput(many=True)
    version = serializers.IntegerField()
    created_at = Instant()

    def to_representation(self, subscription: Subscription) -> dict[str, Any]:
        """With its open period, which `readable` below has fetched."""
        period = next(iter(subscription.periods.all()), None)
        same = ("customer_id", "status", "trial_start", "trial_end", "billing_anchor", "cancel_at")
        rest = ("canceled_at", "billed_by", "sub_id", "version", "created_at")
        shown = {
            **{name: getattr(subscription, name) for name in (*same, *rest)},
            "id": subscription.pk,
            "quantity": str(subscription.quantity),
            "plan": {
                "id": subscription.plan_version.plan_id,
                "name": subscription.plan_name,
                "version": subscription.plan_version.number,
            },
            "scheduled_changes": list(subscription.changes.all()),
            "coupons": list(subscription.redemptions.all()),
            "current_period_start": period.starts_at if period else None,
            "current_period_end": period.ends_at if period else None,
        }
        return super().to_representation(shown)


class SubscriptionQuery(PageQuery):
    """Which subscriptions."""

    customer = serializers.UUIDField(required=False)
    status = Word(SubscriptionStatus, required=False)


class Subscriptions(Endpoint):
    """All subscriptions."""

    filters = SubscriptionQuery

    @extend_schema(
        operation_id="listSubscriptions",
        summary="List subscriptions",
        description="Newest first, of one customer or in one status where asked.",
        parameters=[SubscriptionQuery],
        responses={
            200: listing("subscriptions", SubscriptionOutput, "Subscription"),
            **problems(400, 404),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, readable()).order_by("-created_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return page("subscriptions", rows, query, show=SubscriptionOutput.all_of)

    @extend_schema(
        operation_id="createSubscription",
        summary="Put a customer on a plan",
        description=(
            "On the plan's terms as they are now, with its trial if it has one. Without a trial, "
            "billing begins at once if there is a payment method or the plan is free."
        ),
        request=SubscriptionInput,
        responses={201: SubscriptionOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Subscribe",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "plan_id": "0198d5a2-0000-7000-8000-000000000002",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Start one."""
        fields = self.read(SubscriptionInput)
        customer = customer_named(request, fields["customer"])
        plan = visible_plan(request, fields["plan_id"])
        if fields["trial_days"] is not None:
            require_operator(request)
        started = subscriptions.start(
            customer.pk,
            plan,
            by=caller(request).name,
            now=clock.now(),
            order=Order(
                quantity=fields["quantity"],
                trial_days=fields["trial_days"],
                starts_at=fields["starts_at"],
                coupon=fields["coupon"] or "",
            ),
        )
        tasks.collect_open(customer.pk)
        return Response(shown(started.pk), status=201)


class OneSubscription(Endpoint):
    """One subscription."""

    @extend_schema(
        operation_id="getSubscription",
        summary="Read a subscription",
        description="With its current period.",
        responses={200: SubscriptionOutput, **problems(404)},
    )
    def get(self, request: Request, subscription_id: UUID) -> Response:
        """Read it."""
        row = find(request, readable(), subscription_id, noun="subscription")
        return Response(SubscriptionOutput.of(row))


class TimeInput(Strict):
    """When."""

    when = When(default=None, required=False, allow_null=True)


class _Act(Endpoint):
    """What is done to a subscription as a whole."""

    act: ClassVar[Act]

    def post(self, request: Request, subscription_id: UUID) -> Response:
        """Do it, now or later."""
        fields = self.read(TimeInput)
        found = find(request, readable(), subscription_id, noun="subscription")
        wish = Wish(act=self.act, when=fields["when"])
        schedule.change(found.pk, wish, by=caller(request).name, now=clock.now())
        tasks.collect_open(found.customer_id)
        return Response(shown(found.pk))


_AT_ONCE = OpenApiExample("At once", {"when": "now"}, request_only=True)
_ANSWERS: Final[dict[Any, Any]] = {200: SubscriptionOutput, **problems(400, 403, 404, 409, 422)}


@extend_schema_view(
    post=extend_schema(
        operation_id="cancelSubscription",
        summary="Cancel a subscription",
        description=(
            "At the end of the period, unless `when` says `now` or an instant. What was used is "
            "billed then, and what was paid ahead for the rest is credited by the plan's policy."
        ),
        request=TimeInput,
        responses=_ANSWERS,
        examples=[_AT_ONCE],
    )
)
class Cancel(_Act):
    """End it."""

    act = Act.CANCEL


@extend_schema_view(
    post=extend_schema(
        operation_id="pauseSubscription",
        summary="Pause a subscription",
        description="Now, unless `when` says otherwise. Meanwhile nothing is granted or due.",
        request=TimeInput,
        responses=_ANSWERS,
        examples=[_AT_ONCE],
    )
)
class Pause(_Act):
    """Let it rest."""

    act = Act.PAUSE


@extend_schema_view(
    post=extend_schema(
        operation_id="resumeSubscription",
        summary="Resume a paused subscription",
        description="Now, unless `when` says otherwise. The rest of the interval is prorated.",
        request=TimeInput,
        responses=_ANSWERS,
        examples=[_AT_ONCE],
    )
)
class Resume(_Act):
    """Let it go on."""

    act = Act.RESUME


def readable() -> QuerySet[Subscription]:
    """With everything that is shown at hand."""
    return Subscription.objects.select_related("plan_version").prefetch_related(
        Prefetch("periods", BillingPeriod.objects.filter(closed_at=None)),
        Prefetch("changes", open_changes()),
        Prefetch("redemptions", Redemption.objects.select_related("coupon").order_by("created_at")),
    )


def shown(subscription_id: UUID) -> dict[str, Any]:
    """A subscription as it is answered."""
    return SubscriptionOutput.of(readable().get(pk=subscription_id))
