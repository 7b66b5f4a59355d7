"""`/gateways`: whom payments go through, and how operators have set that."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.countries import country
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Flag, Instant, Strict, Text, currency
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.preconditions import expected_version
from billing.api.tokens import caller
from billing.core.errors import NotFoundError
from billing.gateways.abilities import ABILITIES, abilities
from billing.gateways.base import Gateway
from billing.models import GatewayRoute
from billing.services import routes

_LARGEST: Final = 2**15 - 1
_MANY: Final = 300


class GatewayChange(Strict):
    """What shall be set; what is not named stays. An empty list narrows nothing down."""

    enabled = Flag(required=False)
    priority = serializers.IntegerField(
        min_value=0, max_value=_LARGEST, required=False, help_text="The lowest comes first."
    )
    weight = serializers.IntegerField(
        min_value=1,
        max_value=_LARGEST,
        required=False,
        help_text="Its share of the set-ups among gateways of the same priority.",
    )
    currencies = serializers.ListField(
        child=Text(validators=[currency]), max_length=_MANY, required=False, help_text="ISO 4217."
    )
    countries = serializers.ListField(
        child=Text(validators=[country]), max_length=_MANY, required=False, help_text="ISO 3166."
    )
    methods = serializers.ListField(
        child=Text(max_length=32),
        max_length=_MANY,
        required=False,
        help_text="Of the `kinds` that it declares.",
    )
    fails_over = Flag(
        required=False,
        help_text="Whether another gateway may be tried while this one does not answer.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """In the words of the routes; each code once."""
        if not attrs:
            raise serializers.ValidationError("Name what shall be set.", "required")
        return {
            _STORED.get(name, name): list(dict.fromkeys(value)) if name in _LISTS else value
            for name, value in attrs.items()
        }


class KindOutput(Answer):
    """A kind of payment method that a gateway takes."""

    kind = serializers.CharField()
    currencies = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Null: all."
    )
    is_pushed = serializers.BooleanField(
        help_text="The payer sends each payment themselves, so that nothing is to be set up."
    )


class BreakerOutput(Answer):
    """How calls went lately. While it is `open`, the gateway is left alone until `probe_at`."""

    state = serializers.ChoiceField(["closed", "open"])
    failures = serializers.IntegerField(help_text="In a row, up to now.")
    opened_at = Instant(allow_null=True)
    probe_at = Instant(allow_null=True)


@extend_schema_serializer(component_name="Gateway")
class GatewayOutput(Answer):
    """A gateway that is configured: as operators have set it, and what it declares of itself.

    `currencies`, `countries` and `methods` narrow down what it declares; empty, they do not.
    """

    name = serializers.CharField()
    title = serializers.CharField()
    enabled = serializers.BooleanField()
    priority = serializers.IntegerField()
    weight = serializers.IntegerField()
    currencies = serializers.ListField(child=serializers.CharField())
    countries = serializers.ListField(child=serializers.CharField())
    methods = serializers.ListField(child=serializers.CharField())
    fails_over = serializers.BooleanField()
    kinds = KindOutput(many=True)
    abilities = serializers.ListField(child=serializers.ChoiceField(list(ABILITIES)))
    breaker = BreakerOutput()
    version = serializers.IntegerField()
    updated_by = serializers.CharField()
    updated_at = Instant(allow_null=True)

    def to_representation(self, pair: tuple[Gateway, GatewayRoute]) -> dict[str, Any]:
        """Of the gateway and its row."""
        gateway, row = pair
        return super().to_representation(
            {
                **{name: getattr(row, name) for name in _SET},
                "title": gateway.capabilities.title,
                "enabled": row.is_enabled,
                "fails_over": row.has_failover,
                "kinds": _kinds(gateway),
                "abilities": abilities(gateway),
                "breaker": _breaker(row),
            }
        )


class Gateways(Endpoint):
    """All that are configured."""

    operator_only = frozenset({"GET"})
    filters = PageQuery

    @extend_schema(
        operation_id="listGateways",
        summary="List payment gateways",
        description="Operators only. Those that are configured, the first to be asked first.",
        parameters=[PageQuery],
        responses={200: listing("gateways", GatewayOutput, "Gateway"), **problems(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        return page("gateways", routes.listed(), self.filtered(), show=GatewayOutput.all_of)


class OneGateway(Endpoint):
    """One gateway."""

    operator_only = frozenset({"GET", "PATCH"})

    @extend_schema(
        operation_id="getGateway",
        summary="Read a payment gateway",
        description="Operators only. Version 1 is that of a gateway as it declares itself.",
        responses={200: GatewayOutput, **problems(403, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        """Read it."""
        return Response(_shown(name))

    @extend_schema(
        operation_id="updateGateway",
        summary="Set a payment gateway",
        description=(
            "Operators only, and in force for the next charge. One that is switched off, or does "
            "not take a charge's currency or country, is passed over for the customer's next "
            "payment method. A kind in `methods` that it does not take is refused: "
            "`unknown_method`."
        ),
        request=GatewayChange,
        parameters=IF_MATCH,
        responses={200: GatewayOutput, **problems(400, 403, 404, 412)},
        examples=[
            OpenApiExample("Switch it off", {"enabled": False}, request_only=True),
            OpenApiExample(
                "First for cards in euro",
                {"priority": 10, "currencies": ["EUR"], "methods": ["card"], "fails_over": True},
                request_only=True,
            ),
        ],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Set it."""
        _shown(name)
        routes.update(
            name,
            self.read(GatewayChange),
            by=caller(request).name,
            now=clock.now(),
            expected_version=expected_version(request),
        )
        return Response(_shown(name))


def _shown(name: str) -> dict[str, Any]:
    """A gateway as it is answered.

    :raises NotFoundError: if none of that name is configured.
    """
    pair = next((pair for pair in routes.listed() if pair[0].name == name), None)
    if pair is None:
        raise NotFoundError(f"There is no gateway {name}.", code="not_found")
    return GatewayOutput.of(pair)


def _kinds(gateway: Gateway) -> list[dict[str, Any]]:
    declared = gateway.capabilities
    found = []
    for kind, terms in declared.kinds.items():
        codes = declared.currencies if terms.currencies is None else terms.currencies
        found.append(
            {
                "kind": kind,
                "currencies": None if codes is None else sorted(codes),
                "is_pushed": terms.is_pushed,
            }
        )
    return found


def _breaker(row: GatewayRoute) -> dict[str, Any]:
    breaker = row.breaker
    return {
        "state": "open" if breaker.is_open else "closed",
        "failures": breaker.failures,
        "opened_at": breaker.opened_at,
        "probe_at": breaker.probe_at,
    }


_STORED: Final = {"enabled": "is_enabled", "fails_over": "has_failover"}
_LISTS: Final = frozenset({"currencies", "countries", "methods"})
_SET: Final = (
    "name",
    "priority",
    "weight",
    *sorted(_LISTS),
    "version",
    "updated_by",
    "updated_at",
)
