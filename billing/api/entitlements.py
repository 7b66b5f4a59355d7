"""`/customers/{id}/entitlements` and `/entitlement-checks`: what customers may do now."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named, require_own
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Exact, Instant, Strict, Text
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.tokens import caller
from billing.core.entitlements import Entitlement, Reason, said
from billing.core.rate_classes import RateClass
from billing.queries import entitlements

FRESH: Final = 1  # seconds that an answer may be kept unasked
MAX_CHECKS: Final = 100


@extend_schema_serializer(component_name="Entitlement")
class EntitlementOutput(Answer):
    """Whether one feature or meter may be used now, and why not."""

    feature = serializers.CharField()
    granted = serializers.BooleanField()
    reason = serializers.ChoiceField([reason.value for reason in Reason])
    limit = Exact(allow_null=True)
    used = Exact(allow_null=True)
    remaining = Exact(allow_null=True)
    resets_at = Instant(allow_null=True)

    def to_representation(self, entitlement: Entitlement) -> dict[str, Any]:
        """As it is said wherever it leaves Bursar."""
        return {"feature": entitlement.feature, **said(entitlement)}


class Entitlements(Endpoint):
    """Everything that a customer's plan speaks of."""

    rate_class = RateClass.CHECK
    filters = PageQuery

    @extend_schema(
        operation_id="listEntitlements",
        summary="What a customer may do now",
        description="Every feature, limit and meter of their plan, in its order.",
        parameters=[PageQuery],
        responses={
            200: listing("entitlements", EntitlementOutput, "Entitlement"),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """List them."""
        customer = customer_named(request, customer_id)
        rights = entitlements.of(customer, now=clock.now())
        return page(
            "entitlements", rights.entitlements, self.filtered(), show=EntitlementOutput.all_of
        )


class OneEntitlement(Endpoint):
    """One feature or meter."""

    rate_class = RateClass.CHECK
    is_tagged_by_content = True

    @extend_schema(
        operation_id="getEntitlement",
        summary="Whether a customer may use a feature or meter now",
        description=(
            "What no plan of theirs speaks of is not granted: `not_in_plan`. Made to be asked "
            "before every request: the answer is what is true when it is read, may be kept for "
            "one second, and with `If-None-Match` costs no body while it has not changed. "
            "`entitlement.changed` notifies of what changes meanwhile."
        ),
        responses={
            200: EntitlementOutput,
            304: OpenApiResponse(description="It is what `If-None-Match` names."),
            **problems(404),
        },
        examples=[
            OpenApiExample(
                "Within the allowance",
                {
                    "feature": "api_calls",
                    "granted": True,
                    "reason": "subscribed",
                    "limit": "1500",
                    "used": "100",
                    "remaining": "1400",
                    "resets_at": "2026-05-01T00:00:00Z",
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request, customer_id: UUID, feature: str) -> Response:
        """Check it."""
        require_own(request, customer_id)
        answer = entitlements.check(customer_id, feature, now=clock.now())
        return Response(
            EntitlementOutput.of(answer), headers={"Cache-Control": f"private, max-age={FRESH}"}
        )


class EntitlementCheckInput(Strict):
    """One question."""

    customer = Text(max_length=255, help_text="The customer's id, or the organization's.")
    feature = Text(max_length=255, help_text="The code of a feature, a limit or a meter.")


class EntitlementChecksInput(Strict):
    """Up to 100 questions, about as many customers."""

    checks = serializers.ListField(
        child=EntitlementCheckInput(), min_length=1, max_length=MAX_CHECKS
    )


@extend_schema_serializer(component_name="EntitlementCheck")
class EntitlementCheckOutput(EntitlementOutput):
    """An answer, with the customer by the name they were asked for."""

    customer = serializers.CharField()


@extend_schema_serializer(component_name="EntitlementChecks")
class EntitlementChecksOutput(Answer):
    """The answers, in the order of the questions."""

    entitlements = EntitlementCheckOutput(many=True)


class EntitlementChecks(Endpoint):
    """Many at once."""

    rate_class = RateClass.CHECK
    is_only_reading = True

    @extend_schema(
        operation_id="checkEntitlements",
        summary="Whether customers may use features or meters now",
        description=(
            "The answers come in the order of the questions, from one reading of all. Nothing is "
            "granted to a customer that the caller cannot know of: `unknown_customer`."
        ),
        request=EntitlementChecksInput,
        responses={200: EntitlementChecksOutput, **problems(400)},
        examples=[
            OpenApiExample(
                "Two features of one customer",
                {
                    "checks": [
                        {"customer": "org_alice", "feature": "sso"},
                        {"customer": "org_alice", "feature": "api_calls"},
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Check them."""
        asked = [
            (each["customer"], each["feature"])
            for each in self.read(EntitlementChecksInput)["checks"]
        ]
        answers = entitlements.checks(
            asked, only_customer=caller(request).customer_id, now=clock.now()
        )
        shown = [
            {"customer": name, **EntitlementOutput.of(answer)}
            for (name, _), answer in zip(asked, answers, strict=True)
        ]
        return Response({"entitlements": shown})
