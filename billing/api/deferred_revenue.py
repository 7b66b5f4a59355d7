"""`/reports/deferred-revenue`: what was invoiced ahead, and when it is earned."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer
from billing.api.openapi import problems
from billing.api.reports import MrrQuery as MonthsQuery
from billing.core.money import Money
from billing.core.rate_classes import RateClass
from billing.queries import revenue
from billing.queries.revenue import Month

LONGEST: Final = 120
_AHEAD: Final = 12


@extend_schema_serializer(component_name="DeferredMonth")
class DeferredMonthOutput(Answer):
    """A month of one account: opening + added − earned = closing."""

    month = serializers.CharField()
    account = serializers.CharField(help_text="What will be earned: an account of revenue.")
    name = serializers.CharField()
    currency = serializers.CharField()
    opening = Amount()
    added = Amount()
    earned = Amount()
    closing = Amount()

    def to_representation(self, row: Month) -> dict[str, Any]:
        """Amounts in their currency."""
        sums = {
            name: Money(getattr(row, name), row.currency)
            for name in ("opening", "added", "earned", "closing")
        }
        words = {"account": row.account, "name": row.name, "currency": row.currency}
        return super().to_representation({"month": f"{row.month:%Y-%m}", **words, **sums})


@extend_schema_serializer(component_name="DeferredRevenue")
class DeferredRevenueOutput(Answer):
    """The schedule of deferred revenue."""

    months = DeferredMonthOutput(many=True)


class DeferredRevenue(Endpoint):
    """What was invoiced ahead."""

    rate_class = RateClass.REPORT
    operator_only = frozenset({"GET"})
    filters = MonthsQuery

    @extend_schema(
        operation_id="getDeferredRevenue",
        summary="Deferred revenue by month",
        description=(
            "Operators only. What was invoiced ahead is earned by day; a month that is over shows "
            "what its days have earned, one to come what they will. Without `from` and `to` this "
            "month and the twelve after it; 120 months at most."
        ),
        parameters=[MonthsQuery],
        responses={200: DeferredRevenueOutput, **problems(400, 403)},
        examples=[
            OpenApiExample(
                "Half of a month",
                {
                    "months": [
                        {
                            "month": "2026-04",
                            "account": "revenue:0198d5a2-0000-7000-8000-000000000001",
                            "name": "Gold",
                            "currency": "USD",
                            "opening": "0.00",
                            "added": "600.00",
                            "earned": "300.00",
                            "closing": "300.00",
                        }
                    ]
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Reckon it."""
        query = self.filtered()
        since = _month(query.get("from")) or clock.now().date().replace(day=1)
        until = _month(query.get("to")) or _later(since, _AHEAD)
        if not since <= until <= _later(since, LONGEST):
            raise ValidationError({"to": ["From `from` on, 120 months at most."]}, "invalid_months")
        months = revenue.schedule(since, until)
        return Response({"months": DeferredMonthOutput.all_of(months)})


def _month(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(f"{text}-01")


def _later(month: date, count: int) -> date:
    years, index = divmod(month.month - 1 + count, 12)
    return date(min(month.year + years, date.max.year), index + 1, 1)
