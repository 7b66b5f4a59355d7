"""`/customers/{id}/billing-profile`: what is agreed with one customer beside their subscription."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Exact, Flag, Strict, Text, currency
from billing.api.openapi import IF_MATCH, problems
from billing.api.preconditions import expected_version
from billing.api.tokens import caller
from billing.core.errors import InvalidError
from billing.core.money import Money
from billing.models import BillingProfile
from billing.services import profiles
from billing.services.profiles import TopUp


class TopUpInput(Strict):
    """Credit that is bought by itself when less than `threshold` is left."""

    currency = Text(validators=[currency])
    threshold = Exact(help_text="Money, with the currency's decimals.")
    amount = Exact(help_text="Money, with the currency's decimals.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Amounts have no more decimals than their currency."""
        parsed = {}
        for name in ("threshold", "amount"):
            try:
                parsed[name] = Money.parse(attrs[name], attrs["currency"])
            except InvalidError as failure:
                raise serializers.ValidationError({name: [failure.detail]}, failure.code) from None
        return parsed


class ProfileChange(Strict):
    """What can be agreed; null is the usual."""

    seller = serializers.UUIDField(
        allow_null=True, required=False, help_text="In whose name their invoices are written."
    )
    dunning_policy = serializers.UUIDField(allow_null=True, required=False)
    is_dunned = Flag(required=False, help_text="Whether anything is done by itself about debts.")
    top_up = TopUpInput(allow_null=True, required=False)


class TopUpOutput(Answer):
    """Credit that is bought by itself."""

    currency = serializers.CharField()
    threshold = Amount()
    amount = Amount()


@extend_schema_serializer(component_name="BillingProfile")
class ProfileOutput(Answer):
    """A profile; the usual, where nothing is agreed."""

    customer = serializers.UUIDField(source="customer_id")
    seller = serializers.UUIDField(source="seller_id", allow_null=True)
    dunning_policy = serializers.UUIDField(source="dunning_policy_id", allow_null=True)
    is_dunned = serializers.BooleanField()
    top_up = TopUpOutput(allow_null=True, source="_top_up")
    version = serializers.IntegerField()

    def to_representation(self, row: BillingProfile) -> dict[str, Any]:
        """With the top-up as money."""
        same = ("customer_id", "seller_id", "dunning_policy_id", "is_dunned", "version")
        shown = {name: getattr(row, name) for name in same}
        return super().to_representation({**shown, "_top_up": _top_up(row)})


class OneBillingProfile(Endpoint):
    """One customer's profile."""

    operator_only = frozenset({"PATCH"})

    @extend_schema(
        operation_id="getBillingProfile",
        summary="Read a customer's billing profile",
        description="Version 1 is that of a customer with whom nothing is agreed yet.",
        responses={200: ProfileOutput, **problems(404)},
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Read it."""
        customer = customer_named(request, customer_id)
        return Response(ProfileOutput.of(profiles.of(customer.pk)))

    @extend_schema(
        operation_id="updateBillingProfile",
        summary="Agree on something else with a customer",
        description=(
            "Operators only. What is not named stays. With `is_dunned` false, retries, notices "
            "and final acts rest for all their invoices, and go on where they stood when it is "
            "true again."
        ),
        request=ProfileChange,
        parameters=IF_MATCH,
        responses={200: ProfileOutput, **problems(400, 403, 404, 409, 412)},
        examples=[
            OpenApiExample(
                "Top up",
                {"top_up": {"currency": "EUR", "threshold": "10.00", "amount": "50.00"}},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, customer_id: UUID) -> Response:
        """Change it."""
        customer_named(request, customer_id)
        fields = self.read(ProfileChange)
        if fields.get("top_up") is not None:
            fields["top_up"] = TopUp(**fields["top_up"])
        profile = profiles.change(
            customer_id,
            fields=fields,
            by=caller(request).name,
            now=clock.now(),
            expected_version=expected_version(request),
        )
        return Response(ProfileOutput.of(profile))


def _top_up(row: BillingProfile) -> dict[str, Any] | None:
    if row.top_up_threshold_minor is None or row.top_up_amount_minor is None:
        return None
    return {
        "currency": row.top_up_currency,
        "threshold": Money(row.top_up_threshold_minor, row.top_up_currency),
        "amount": Money(row.top_up_amount_minor, row.top_up_currency),
    }
