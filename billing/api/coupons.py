"""`/coupons`: discounts that may be redeemed."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Exact, Instant, Strict, Text, Word, currency
from billing.api.meters import Code
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.tokens import caller
from billing.core import figures
from billing.core.errors import InvalidError, NotFoundError
from billing.core.money import Money, exponent
from plans import services
from plans.models import Coupon
from plans.services import MAX_COUPON_PLANS, MAX_TIMES, CouponTerms


class Duration(StrEnum):
    """For how many periods a coupon holds: one, some, or all."""

    ONCE = "ONCE"
    REPEATING = "REPEATING"
    FOREVER = "FOREVER"


class CouponInput(Strict):
    """A discount: either `percent_off`, or `amount_off` of each period with its `currency`."""

    code = Code(help_text="What people type. It is given once, whatever the case of its letters.")
    percent_off = Exact(required=False, allow_null=True, help_text="Above 0 and at most 100.")
    amount_off = Exact(
        required=False, allow_null=True, help_text="Money, with the currency's decimals."
    )
    currency = Text(validators=[currency], required=False, allow_null=True)
    duration = Word(Duration, required=False)
    periods = serializers.IntegerField(
        min_value=1,
        max_value=MAX_TIMES,
        required=False,
        allow_null=True,
        help_text="For how many periods; with `repeating`, and only then.",
    )
    max_redemptions = serializers.IntegerField(
        min_value=1, max_value=MAX_TIMES, required=False, allow_null=True
    )
    expires_at = Instant(
        required=False, allow_null=True, help_text="From then on nobody can redeem it."
    )
    plans = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        max_length=MAX_COUPON_PLANS,
        help_text="The plans it is restricted to; null for all.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An amount has no more decimals than its currency."""
        amount, code = attrs.get("amount_off"), attrs.get("currency")
        if amount is not None and code:
            try:
                Money.parse(amount, code)
            except InvalidError as failure:
                raise serializers.ValidationError(
                    {"amount_off": [failure.detail]}, failure.code
                ) from None
        return attrs


@extend_schema_serializer(component_name="Coupon")
class CouponOutput(Answer):
    """A coupon, and how often it was redeemed."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    percent_off = Exact(allow_null=True)
    amount_off = Exact(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    duration = Word(Duration)
    periods = serializers.IntegerField(allow_null=True)
    max_redemptions = serializers.IntegerField(allow_null=True)
    expires_at = Instant(allow_null=True)
    plans = serializers.ListField(child=serializers.UUIDField(), allow_null=True)
    redemptions = serializers.IntegerField()
    created_at = Instant()
    retired_at = Instant(allow_null=True)

    def to_representation(self, coupon: Coupon) -> dict[str, Any]:
        """What does not apply is null."""
        same = ("code", "percent_off", "duration", "periods", "max_redemptions", "expires_at")
        counted = ("redemptions", "created_at", "retired_at")
        amount = coupon.amount_off
        shown = {
            **{name: getattr(coupon, name) for name in (*same, *counted)},
            "id": coupon.pk,
            "amount_off": (
                None if amount is None else figures.rate(amount, exponent(coupon.currency))
            ),
            "currency": coupon.currency or None,
            "plans": coupon.plan_ids or None,
        }
        return super().to_representation(shown)


class Coupons(Endpoint):
    """All coupons."""

    operator_only = frozenset({"GET", "POST"})
    filters = PageQuery
    identity = "code"

    @extend_schema(
        operation_id="listCoupons",
        summary="List the coupons",
        description="Operators only. Those that are not retired, by code.",
        parameters=[PageQuery],
        responses={200: listing("coupons", CouponOutput, "Coupon"), **problems(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        rows = Coupon.objects.filter(retired_at=None).order_by("code")
        return page("coupons", rows, self.filtered(), show=CouponOutput.all_of)

    @extend_schema(
        operation_id="createCoupon",
        summary="Make a coupon",
        description=(
            "Operators only. What it takes off is settled for good. Its code can be given once: "
            "`Welcome` and `WELCOME` are the same, and a retired coupon keeps its code."
        ),
        request=CouponInput,
        responses={201: CouponOutput, **problems(400, 403, 409, 422)},
        examples=[
            OpenApiExample(
                "Three months at a fifth off",
                {
                    "code": "WELCOME",
                    "percent_off": "20",
                    "duration": "repeating",
                    "periods": 3,
                    "max_redemptions": 500,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(CouponInput)
        code = fields.pop("code")
        coupon = services.create_coupon(
            code, terms=_terms(fields), by=caller(request).name, now=clock.now()
        )
        return Response(CouponOutput.of(coupon), status=201)


class OneCoupon(Endpoint):
    """One coupon."""

    operator_only = frozenset({"GET", "DELETE"})

    @extend_schema(
        operation_id="getCoupon",
        summary="Read a coupon",
        description="Operators only. Retired coupons stay readable.",
        responses={200: CouponOutput, **problems(403, 404)},
    )
    def get(self, request: Request, code: str) -> Response:
        """Read it."""
        return Response(CouponOutput.of(found_coupon(code)))

    @extend_schema(
        operation_id="retireCoupon",
        summary="Retire a coupon",
        description="Operators only. Nobody can redeem it any more; whoever has it keeps it.",
        request=None,
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, code: str) -> Response:
        """Retire it."""
        services.retire_coupon(found_coupon(code).pk, now=clock.now())
        return Response(status=204)


def found_coupon(code: str) -> Coupon:
    """The coupon of that code, whatever the case of its letters.

    :raises NotFoundError: if there is none.
    """
    coupon = services.coupon_named(code)
    if coupon is None:
        raise NotFoundError(f"There is no coupon {code}.", code="not_found")
    return coupon


def _terms(fields: dict[str, Any]) -> CouponTerms:
    """What the body says; null is as if it were not said."""
    said = {name: value for name, value in fields.items() if value is not None}
    said["plans"] = tuple(said.get("plans", ()))
    return CouponTerms(**said)
