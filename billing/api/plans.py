"""`/plans`: the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import found
from billing.api.plan_shapes import LISTING, PlanChange, PlanInput, PlanOutput, terms_of
from billing.api.preconditions import require_match
from billing.api.tokens import caller
from plans import services
from plans.models import Plan

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
        rows = _visible(request).filter(retired_at=None).order_by("tier", "name", "pk")
        return page("plans", rows, self.filtered(), show=lambda plans: _show(request, plans))

    @extend_schema(
        operation_id="createPlan",
        summary="Put a plan on sale",
        description=(
            "Operators only. Meters and features that it names exist already. What is not "
            "supported so far is refused with code `not_supported`."
        ),
        request=PlanInput,
        responses={201: PlanOutput, **problems(400, 403, 409, 422)},
        examples=[_PREMIUM],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(PlanInput)
        listed = _listing(fields)
        plan = services.create(
            listed.pop("name"),
            terms=terms_of(fields, None),
            by=caller(request).name,
            now=clock.now(),
            listing=listed,
        )
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
        plan = found(_visible(request), plan_id, noun="plan")
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
        fields, now = self.read(PlanChange), clock.now()
        seen = found(Plan.objects.readable(), plan_id, noun="plan")
        shown = PlanOutput.of(seen)
        require_match(request, _etag(shown["version"], shown["updated_at"]))
        terms = terms_of(fields, seen.terms)
        plan = services.update(
            plan_id,
            by=caller(request).name,
            now=now,
            terms=terms,
            listing=_listing(fields),
            seen=seen,
        )
        return Response(_show(request, [plan])[0])

    @extend_schema(
        operation_id="retirePlan",
        summary="Retire a plan",
        description="Operators only. It is off sale for good; its subscriptions go on.",
        request=None,
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, plan_id: UUID) -> Response:
        """Retire it."""
        found(Plan.objects.all(), plan_id, noun="plan")
        services.retire(plan_id, by=caller(request).name, now=clock.now())
        return Response(status=204)


def visible_plan(request: Request, plan_id: UUID) -> Plan:
    """A plan that the caller may know of.

    :raises NotFoundError: if there is none.
    """
    return found(_visible(request), plan_id, noun="plan")


def _visible(request: Request) -> QuerySet[Plan]:
    reader = caller(request)
    rows = Plan.objects.readable()
    return rows if reader.is_operator else rows.on_sale(reader.organization_id)


def _show(request: Request, plans: list[Plan]) -> list[dict[str, Any]]:
    return PlanOutput.all_of(plans, organization_id=caller(request).organization_id)


def _listing(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {column: fields[name] for name, column in LISTING.items() if name in fields}


def _etag(version: int, updated_at: str | None) -> str:
    return f'"{version}-{updated_at or ""}"'
