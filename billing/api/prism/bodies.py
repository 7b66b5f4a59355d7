"""What is sent under the contract."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from billing.api.customers import DetailsInput
from billing.api.fields import Strict, Text
from billing.api.plan_shapes import PlanChange, PlanInput

_PLAN: Final = (
    "name",
    "description",
    "pa_plan_id",
    "amount",
    "currency",
    "interval",
    "interval_count",
    "limits",
    "metadata",
    "public_plan",
    "allowed_organizations",
    "disable",
)


class PrismPlanInput(PlanInput):
    """A plan by what the contract knows of one; a month, where no interval is given."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Those fields of `/api/v1` that the contract has, too."""
        return _only_known(super().get_fields())


class PrismPlanChange(PlanChange):
    """What shall be different."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Those fields of `/api/v1` that the contract has, too."""
        return _only_known(super().get_fields())


class PrismCustomerChange(DetailsInput):
    """What can be changed of a customer."""

    country = Text(
        max_length=64,
        allow_blank=True,
        required=False,
        help_text="Kept as it is given; a code or an English name counts for tax.",
    )


class PrismCustomerInput(PrismCustomerChange):
    """A new customer."""

    organization_id = Text(max_length=255)


class PrismSubscriptionInput(Strict):
    """The plan to put a customer on."""

    plan_id = serializers.UUIDField()


def _only_known(
    fields: dict[str, serializers.Field[Any, Any, Any, Any]],
) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {name: fields[name] for name in _PLAN}
