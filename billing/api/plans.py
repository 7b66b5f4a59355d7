"""`/plans`: the catalogue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Instant
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import found
from billing.api.plan_shapes import (
    PlanChange,
    PlanInput,
    PlanOutput,
    PlanVersionOutput,
    listing_of,
    terms_of,
)
from billing.api.preconditions import require_match
from billing.api.tokens import caller
from billing.queries import retirement
from plans import services
from plans.models import Plan, PlanVersion

_PREMIUM = OpenApiExample(
    "Premium",
    {
        "name": "Premium",
        "tier": 2,
        "currency": "USD",
        "amount": "180.00",
        "interval": "month",
        "alignment": "calendar",
        "first_day_counts": False,
        "trial_days": 14,
        "usage": [
            {
                "meter": "api_calls",
                "model": "allowance",
                "included": "400",
                "unit_amount": "1.80",
            }
        ],
    },
    request_only=True,
)


class _PlanEndpoint(Endpoint):
    def etag(self, shown: dict[str, Any]) -> str:
        """A plan changes without a new version, too: in how it is listed."""
        return _etag(shown["version"], shown["updated_at"])


class Plans(_PlanEndpoint):
    """What is on sale."""

    operator_only = frozenset({"POST"})
    filters = PageQuery

    @extend_schema(
        operation_id="listPlans",
        summary="List the plans",
        description=(
            "Cheapest tier first. A customer's token sees what that customer may subscribe to, "
            "an operator's all plans that are not retired."
        ),
        parameters=[PageQuery],
        responses={200: listing("plans", PlanOutput, "Plan"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = visible_plans(request).filter(retired_at=None).order_by("tier", "name", "pk")
        return page("plans", rows, self.filtered(), show=lambda plans: _show(request, plans))

    @extend_schema(
        operation_id="createPlan",
        summary="Put a plan on sale",
        description=(
            "Operators only. The meters that it names exist already. `usage` holds any number of "
            "components: one for each meter, or several of one meter that differ in their "
            "`filter`."
        ),
        request=PlanInput,
        responses={201: PlanOutput, **problems(400, 403, 409, 422)},
        examples=[_PREMIUM],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        plan = put_on_sale(request, self.read(PlanInput))
        return Response(_show(request, [plan])[0], status=201)


class OnePlan(_PlanEndpoint):
    """One plan."""

    operator_only = frozenset({"PATCH", "DELETE"})

    @extend_schema(
        operation_id="getPlan",
        summary="Read a plan",
        description="Retired plans stay readable for operators.",
        responses={200: PlanOutput, **problems(404)},
    )
    def get(self, request: Request, plan_id: UUID) -> Response:
        """Read it."""
        plan = found(visible_plans(request), plan_id, noun="plan")
        return Response(_show(request, [plan])[0])

    @extend_schema(
        operation_id="updatePlan",
        summary="Change a plan",
        description=(
            "Operators only. Other terms make a new `version`; subscriptions stay on the terms "
            "they started with. What is not named stays as it is."
        ),
        request=PlanChange,
        parameters=IF_MATCH,
        responses={200: PlanOutput, **problems(400, 403, 404, 409, 412)},
        examples=[OpenApiExample("Dearer", {"amount": "190.00"}, request_only=True)],
    )
    def patch(self, request: Request, plan_id: UUID) -> Response:
        """Change it."""
        fields = self.read(PlanChange)
        seen = found(Plan.objects.readable(), plan_id, noun="plan")
        shown = PlanOutput.of(seen)
        require_match(request, _etag(shown["version"], shown["updated_at"]))
        return Response(_show(request, [change(request, seen, fields)])[0])

    @extend_schema(
        operation_id="retirePlan",
        summary="Retire a plan",
        description="Operators only. It is off sale for good; its subscriptions go on.",
        request=None,
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, plan_id: UUID) -> Response:
        """Retire it."""
        retire(request, plan_id)
        return Response(status=204)


class PlanVersions(Endpoint):
    """What a plan said before."""

    operator_only = frozenset({"GET"})
    filters = PageQuery

    @extend_schema(
        operation_id="listPlanVersions",
        summary="List the versions of a plan",
        description="Operators only. The newest first, each with its terms.",
        parameters=[PageQuery],
        responses={
            200: listing("versions", PlanVersionOutput, "PlanVersion"),
            **problems(400, 403, 404),
        },
    )
    def get(self, request: Request, plan_id: UUID) -> Response:
        """List them."""
        plan = found(Plan.objects.all(), plan_id, noun="plan")
        rows = PlanVersion.objects.filter(plan=plan).order_by("-number")
        return page("versions", rows, self.filtered(), show=PlanVersionOutput.all_of)


class LeadingChangeOutput(Answer):
    """A change that is still to come and leads to the plan."""

    id = serializers.UUIDField()
    subscription = serializers.UUIDField(source="subscription_id")
    due_at = Instant()


@extend_schema_serializer(component_name="PlanRetirement")
class RetirementOutput(Answer):
    """Whom it would hit if a plan were retired."""

    subscriptions = serializers.IntegerField(
        help_text="How many that are not canceled are on the plan, in any version. They stay."
    )
    scheduled_changes = LeadingChangeOutput(
        many=True, help_text="Changes that lead to the plan, and would fail when they are due."
    )

    def to_representation(self, impact: retirement.Impact) -> dict[str, Any]:
        """The number, and the changes in the order they are due."""
        return super().to_representation(
            {"subscriptions": impact.subscriptions, "scheduled_changes": impact.changes}
        )


class PlanRetirement(Endpoint):
    """What retiring a plan would mean."""

    operator_only = frozenset({"GET"})

    @extend_schema(
        operation_id="previewPlanRetirement",
        summary="See whom retiring a plan would hit",
        description="Operators only. Nothing is retired by looking.",
        responses={200: RetirementOutput, **problems(403, 404)},
    )
    def get(self, request: Request, plan_id: UUID) -> Response:
        """Look."""
        plan = found(Plan.objects.all(), plan_id, noun="plan")
        return Response(RetirementOutput.of(retirement.impact(plan.pk)))


def put_on_sale(request: Request, fields: dict[str, Any]) -> Plan:
    """Make the plan that the fields of a `PlanInput` describe."""
    listed = listing_of(fields)
    return services.create(
        listed.pop("name"),
        terms=terms_of(fields),
        by=caller(request).name,
        now=clock.now(),
        listing=listed,
    )


def change(request: Request, seen: Plan, fields: dict[str, Any]) -> Plan:
    """Change a plan, as it was seen, to what the fields of a `PlanChange` say."""
    return services.update(
        seen.pk,
        by=caller(request).name,
        now=clock.now(),
        terms=terms_of(fields, seen.terms),
        listing=listing_of(fields),
        seen=seen,
    )


def retire(request: Request, plan_id: UUID) -> None:
    """Take a plan off sale.

    :raises NotFoundError: if there is none.
    """
    found(Plan.objects.all(), plan_id, noun="plan")
    services.retire(plan_id, by=caller(request).name, now=clock.now())


def visible_plan(request: Request, plan_id: UUID) -> Plan:
    """A plan that the caller may know of.

    :raises NotFoundError: if there is none.
    """
    return found(visible_plans(request), plan_id, noun="plan")


def visible_plans(request: Request) -> QuerySet[Plan]:
    """Those that the caller may know of."""
    reader = caller(request)
    rows = Plan.objects.readable()
    return rows if reader.is_operator else rows.on_sale(reader.organization_id)


def _show(request: Request, plans: list[Plan]) -> list[dict[str, Any]]:
    return PlanOutput.all_of(plans, organization_id=caller(request).organization_id)


def _etag(version: int, updated_at: str | None) -> str:
    return f'"{version}-{updated_at or ""}"'
