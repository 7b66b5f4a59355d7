"""`/meters` and `/features`: what plans can speak of."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Strict, Text
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from plans import services
from plans.models import Feature, Meter

_CODE: Final = r"^[-a-zA-Z0-9_]+$"
_AGGREGATIONS: Final = ("sum", "count", "max", "last", "unique")


class Code(serializers.RegexField):
    """Letters, digits, hyphens and underscores, at most 64."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_CODE, max_length=64, **options)


class MeterInput(Strict):
    """What usage events count: their quantity, or the property of theirs that `field` names."""

    code = Code()
    name = Text(max_length=120, required=False)
    aggregation = serializers.ChoiceField(_AGGREGATIONS, default="sum", required=False)
    unit = Text(max_length=40, allow_blank=True, default="", required=False)
    field = Text(
        max_length=64,
        allow_null=True,
        default=None,
        required=False,
        help_text="A property of the events. `unique` needs one; null for their quantity.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Unique values are values of something."""
        if attrs["aggregation"] == "unique" and attrs["field"] is None:
            raise serializers.ValidationError(
                {"field": ["Name the property whose unique values are counted."]}, "required"
            )
        return attrs


@extend_schema_serializer(component_name="Meter")
class MeterOutput(Answer):
    """A meter."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    aggregation = serializers.ChoiceField(_AGGREGATIONS)
    unit = serializers.CharField()
    field = serializers.CharField(allow_null=True)

    def to_representation(self, meter: Meter) -> dict[str, Any]:
        """With lower-case codes."""
        return {
            **super().to_representation(meter),
            "aggregation": meter.aggregation.lower(),
            "field": meter.field or None,
        }


class FeatureInput(Strict):
    """Something a plan switches on or limits."""

    code = Code()
    kind = serializers.ChoiceField(
        [kind.lower() for kind in Feature.Kind.values], default="switch", required=False
    )


@extend_schema_serializer(component_name="Feature")
class FeatureOutput(Answer):
    """A feature."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    kind = serializers.ChoiceField([kind.lower() for kind in Feature.Kind.values])

    def to_representation(self, feature: Feature) -> dict[str, Any]:
        """With lower-case codes."""
        return {**super().to_representation(feature), "kind": feature.kind.lower()}


class Meters(Endpoint):
    """All meters."""

    operator_only = frozenset({"POST"})
    filters = PageQuery

    @extend_schema(
        operation_id="listMeters",
        summary="List the meters",
        description="By code.",
        parameters=[PageQuery],
        responses={200: listing("meters", MeterOutput, "Meter"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = Meter.objects.order_by("code")
        return page("meters", rows, self.filtered(), show=MeterOutput.all_of)

    @extend_schema(
        operation_id="createMeter",
        summary="Make a meter",
        description=(
            "Operators only; what a meter counts is settled for good. Over the period, `sum` adds "
            "quantities up, `max` takes the greatest and `last` the latest of them, `count` counts "
            "events, and `unique` counts different values of the property `field`. With a `field`, "
            "the others take it for the quantity; an event without it is rejected."
        ),
        request=MeterInput,
        responses={201: MeterOutput, **problems(400, 403, 409, 422)},
        examples=[
            OpenApiExample(
                "API calls",
                {"code": "api_calls", "name": "API calls", "aggregation": "sum", "unit": "call"},
                request_only=True,
            ),
            OpenApiExample(
                "Active users",
                {
                    "code": "active_users",
                    "name": "Active users",
                    "aggregation": "unique",
                    "unit": "user",
                    "field": "user_id",
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(MeterInput)
        meter = services.create_meter(
            fields["code"],
            name=fields.get("name") or fields["code"],
            aggregation=fields["aggregation"].upper(),
            unit=fields["unit"],
            field=fields["field"] or "",
        )
        return Response(MeterOutput.of(meter), status=201)


class Features(Endpoint):
    """All features."""

    operator_only = frozenset({"POST"})
    filters = PageQuery

    @extend_schema(
        operation_id="listFeatures",
        summary="List the features",
        description="By code.",
        parameters=[PageQuery],
        responses={200: listing("features", FeatureOutput, "Feature"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = Feature.objects.order_by("code")
        return page("features", rows, self.filtered(), show=FeatureOutput.all_of)

    @extend_schema(
        operation_id="createFeature",
        summary="Make a feature",
        description="Operators only.",
        request=FeatureInput,
        responses={201: FeatureOutput, **problems(400, 403, 409, 422)},
        examples=[OpenApiExample("A switch", {"code": "sso", "kind": "switch"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(FeatureInput)
        feature = services.create_feature(fields["code"], kind=fields["kind"].upper())
        return Response(FeatureOutput.of(feature), status=201)
