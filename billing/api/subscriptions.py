"""`/subscriptions`: who is on which plan."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Exact, Instant, Neutral, Strict, Word
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.plans import visible_plan
from billing.api.tokens import caller
from billing.core.lifecycle import SubscriptionStatus
from billing.models import BillingPeriod, Subscription
from billing.models.subscription import BilledBy
from billing.services import subscriptions
from plans.terms import MAX_TRIAL_DAYS

MAX_QUANTITY: Final = 1_000_000


class Quantity(serializers.IntegerField):
    """A whole number of units, shown as every quantity is: as a string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_QUANTITY, **options)


class SubscriptionInput(Strict):
    """Put a customer on a plan."""

    customer = serializers.UUIDField()
    plan_id = serializers.UUIDField()
    quantity = Quantity(default=1, required=False)
    trial_days = serializers.IntegerField(
        min_value=0,
        max_value=MAX_TRIAL_DAYS,
        allow_null=True,
        default=None,
        required=False,
        help_text="Instead of the plan's own; 0 for none. Operators only.",
    )
    coupon = Neutral(None)
    starts_at = Neutral(None)


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
    scheduled_changes = Neutral([])
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
        rows = own(request, _readable()).order_by("-created_at", "-pk")
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
            quantity=fields["quantity"],
            trial_days=fields["trial_days"],
        )
        return Response(SubscriptionOutput.of(_readable().get(pk=started.pk)), status=201)


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
        row = find(request, _readable(), subscription_id, noun="subscription")
        return Response(SubscriptionOutput.of(row))


def _readable() -> QuerySet[Subscription]:
    """With everything that is shown at hand."""
    open_periods = Prefetch("periods", BillingPeriod.objects.filter(closed_at=None))
    return Subscription.objects.select_related("plan_version").prefetch_related(open_periods)
