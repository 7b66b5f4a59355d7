"""`/reports`: over all customers, for operators."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.fields import MONTH, Amount, Answer, Instant, Strict
from billing.api.openapi import problems
from billing.api.pages import PageQuery
from billing.core.processors.mrr import MOVEMENTS
from billing.core.rate_classes import RateClass
from billing.queries import reports
from billing.queries.reports import BUCKETS, Aged, Month

_EXAMPLE: Final = {
    "currency": "USD",
    "owed": "25.00",
    "not_due": "0.00",
    "days_1_30": "25.00",
    "days_31_60": "0.00",
    "days_61_90": "0.00",
    "days_over_90": "0.00",
}


class MrrQuery(Strict):
    """Which months."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": serializers.RegexField(MONTH, required=False, help_text="Like `2026-01`."),
            "to": serializers.RegexField(MONTH, required=False, help_text="Included."),
        }


class AgedOutput(Answer):
    """What is owed in one currency: not due yet, and so many days overdue."""

    currency = serializers.CharField(source="owed.currency")
    owed = Amount()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """A field for each bucket."""
        return {**super().get_fields(), **{bucket: Amount(source="*") for bucket in BUCKETS}}

    def to_representation(self, row: Aged) -> dict[str, Any]:
        """Each part beside its name."""
        shown = super().to_representation(row)
        parts = [Amount().to_representation(part) for part in row.parts]
        return {**shown, **dict(zip(BUCKETS, parts, strict=True))}


class AgedCustomerOutput(AgedOutput):
    """The same of one customer."""

    customer = serializers.UUIDField()
    organization_id = serializers.CharField()


@extend_schema_serializer(component_name="Ageing")
class AgeingOutput(Answer):
    """Receivables by how late they are. `as_of` is when the newest entry in it was sealed."""

    as_of = Instant(allow_null=True)
    totals = AgedOutput(many=True)
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    customers = AgedCustomerOutput(many=True)


class MrrMonthOutput(Answer):
    """A month's movements in one currency, and what recurs by the month at its end."""

    month = serializers.CharField()
    currency = serializers.CharField(source="closing.currency")
    mrr = Amount(source="closing")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """A field for each movement."""
        moved = {name: Amount(source=f"movements.{name}") for name in MOVEMENTS}
        return {**super().get_fields(), **moved}


@extend_schema_serializer(component_name="Mrr")
class MrrOutput(Answer):
    """Monthly recurring revenue. `as_of` is when the newest entry in it was sealed."""

    as_of = Instant(allow_null=True)
    months = MrrMonthOutput(many=True)


class Ageing(Endpoint):
    """Who owes how much since when."""

    rate_class = RateClass.REPORT
    operator_only = frozenset({"GET"})
    filters = PageQuery

    @extend_schema(
        operation_id="getAgeing",
        summary="What customers owe, by how late it is",
        description=(
            "Operators only. Totals by currency, then customers, who owes most first. Instalments "
            "count each by its own day."
        ),
        parameters=[PageQuery],
        responses={200: AgeingOutput, **problems(400, 403)},
        examples=[
            OpenApiExample(
                "One customer",
                {
                    "as_of": "2026-05-20T09:00:00Z",
                    "totals": [_EXAMPLE],
                    "total": 1,
                    "limit": 10,
                    "offset": 0,
                    "customers": [
                        {
                            "customer": "0198d5a2-0000-7000-8000-000000000001",
                            "organization_id": "org_alice",
                            **_EXAMPLE,
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Add them up."""
        query, now = self.filtered(), clock.now()
        count, rows = reports.ageing_by_customer(
            now=now, offset=query["offset"], limit=query["limit"]
        )
        return Response(
            {
                "as_of": _instant(reports.AGEING),
                "totals": AgedOutput.all_of(reports.ageing(now=now)),
                "total": count,
                "limit": query["limit"],
                "offset": query["offset"],
                "customers": AgedCustomerOutput.all_of(rows),
            }
        )


class Mrr(Endpoint):
    """What recurs, month by month."""

    rate_class = RateClass.REPORT
    operator_only = frozenset({"GET"})
    filters = MrrQuery

    @extend_schema(
        operation_id="getMrr",
        summary="Monthly recurring revenue, and what moved it",
        description=(
            "Operators only. Recurring charges brought to a month: a year's by 12, a week's by "
            "52/12, a day's by 365/12; without usage, and before coupons. What is paused or "
            "canceled has churned. Months in which nothing moved are left out."
        ),
        parameters=[MrrQuery],
        responses={200: MrrOutput, **problems(400, 403)},
        examples=[
            OpenApiExample(
                "A first month",
                {
                    "as_of": "2026-05-20T09:00:00Z",
                    "months": [
                        {
                            "month": "2026-04",
                            "currency": "USD",
                            "mrr": "180.00",
                            "new": "180.00",
                            "expansion": "0.00",
                            "contraction": "0.00",
                            "churn": "0.00",
                            "reactivation": "0.00",
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Add them up."""
        query = self.filtered()
        months: list[Month] = reports.mrr_by_month(
            first=query.get("from", ""), last=query.get("to", "9999-12")
        )
        return Response({"as_of": _instant(reports.MRR), "months": MrrMonthOutput.all_of(months)})


def _instant(processor: str) -> str | None:
    at = reports.digested_at(processor)
    return None if at is None else Instant().to_representation(at)
