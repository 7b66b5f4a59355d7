"""`/billing/plans`: the catalogue, in the contract's notation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import found
from billing.api.plans import change, put_on_sale, retire, visible_plans
from billing.api.prism.bodies import PrismPlanChange, PrismPlanInput
from billing.api.prism.endpoint import PrismEndpoint
from billing.api.prism.shapes import PlanOutput
from billing.api.tokens import caller
from plans.models import Plan
from plans.terms import Billed

_PLAN2 = OpenApiExample(
    "Plan2",
    {
        "name": "Plan2",
        "pa_plan_id": "prod_QEMhQtqmTEiJsl",
        "amount": "5",
        "currency": "EUR",
        "limits": {"MaxComputations": "13"},
        "metadata": {},
        "public_plan": True,
        "allowed_organizations": None,
        "disable": False,
    },
    request_only=True,
)


class PrismPlans(PrismEndpoint):
    """What is on sale."""

    operator_only = frozenset({"POST"})
    filters = PageQuery

    @extend_schema(
        operation_id="listPrismPlans",
        summary="List the plans",
        description=(
            "Oldest first. A customer's token sees what that customer may subscribe to, an "
            "operator's all plans that are not retired."
        ),
        parameters=[PageQuery],
        responses={200: listing("plans", PlanOutput, "PrismPlan"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = visible_plans(request).filter(retired_at=None).order_by("created_at", "pk")
        return page("plans", rows, self.filtered(), show=lambda plans: _show(request, plans))

    @extend_schema(
        operation_id="createPrismPlan",
        summary="Put a plan on sale",
        description=(
            "Operators only. It is billed in advance, from the day on which a customer subscribes. "
            "Under `/api/v1/plans` the same plan has all its other terms."
        ),
        request=PrismPlanInput,
        responses={201: PlanOutput, **problems(400, 403, 409, 422)},
        examples=[_PLAN2],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        plan = put_on_sale(request, {"billed": Billed.IN_ADVANCE, **self.read(PrismPlanInput)})
        return Response(_show(request, [plan])[0], status=201)


class OnePrismPlan(PrismEndpoint):
    """One plan."""

    operator_only = frozenset({"PATCH", "DELETE"})

    @extend_schema(
        operation_id="updatePrismPlan",
        summary="Change a plan",
        description=(
            "Operators only. Other terms make a new version; subscriptions stay on the terms they "
            "started with. What is not named stays as it is."
        ),
        request=PrismPlanChange,
        responses={200: PlanOutput, **problems(400, 403, 404, 409)},
        examples=[OpenApiExample("Dearer", {"amount": "6"}, request_only=True)],
    )
    def patch(self, request: Request, plan_id: UUID) -> Response:
        """Change it."""
        fields = self.read(PrismPlanChange)
        seen = found(Plan.objects.readable(), plan_id, noun="plan")
        return Response(_show(request, [change(request, seen, fields)])[0])

    @extend_schema(
        operation_id="retirePrismPlan",
        summary="Retire a plan",
        description="Operators only. It is off sale for good; its subscriptions go on.",
        request=None,
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, plan_id: UUID) -> Response:
        """Retire it."""
        retire(request, plan_id)
        return Response(status=204)


def _show(request: Request, plans: list[Plan]) -> list[dict[str, Any]]:
    return PlanOutput.all_of(plans, reader=caller(request))
