"""What a plan looks like in bodies (api.md, section 2)."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import (
    PATTERN,
    Answer,
    Exact,
    Flag,
    Instant,
    Json,
    Neutral,
    Strict,
    Text,
    Word,
    currency,
    decimal,
)
from billing.core import figures
from billing.core.errors import InvalidError
from billing.core.money import Money, exponent
from plans.models import Plan
from plans.terms import (
    MAX_INTERVAL_COUNT,
    MAX_TRIAL_DAYS,
    TIERED,
    Alignment,
    Interval,
    PlanTerms,
    Price,
    Proration,
    Tier,
    UsageModel,
    UsageTerms,
)

# JSON's name → the plan's column.
LISTING: Final = {
    "name": "name",
    "description": "description",
    "tier": "tier",
    "pa_plan_id": "pa_plan_id",
    "metadata": "metadata",
    "public_plan": "is_public",
    "allowed_organizations": "allowed_organizations",
    "disable": "is_disabled",
}
_TERMS: Final = tuple(field.name for field in dataclasses.fields(PlanTerms))
_MAX_AMOUNT: Final = 10**9


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class Limits(serializers.Field[dict[str, str], Any, dict[str, str], Any]):
    """Name → a string for the caller; a number is kept as it is written."""

    default_error_messages = {"invalid": "An object of strings."}

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Strings, and numbers as strings."""
        if not isinstance(data, dict):
            self.fail("invalid")
        return {str(name): self._text(value) for name, value in data.items()}

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        """As it is."""
        return value

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        try:
            return figures.plain(decimal(value))
        except InvalidError:
            self.fail("invalid")


class TierInput(Strict):
    """A price up to and including `up_to` units; null in the last tier, for all above."""

    up_to = Exact(allow_null=True)
    unit_amount = Exact(required=False)
    flat_amount = Exact(required=False)


class PriceInput(Strict):
    """How a quantity is priced."""

    model = Word(UsageModel)
    included = Exact(required=False)
    unit_amount = Exact(required=False)
    tiers: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=TierInput(), required=False, allow_null=True, max_length=100
    )
    package_size = Exact(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Every model but the tiered ones says what a unit costs."""
        if attrs["model"] not in TIERED and "unit_amount" not in attrs:
            raise serializers.ValidationError({"unit_amount": ["It is required."]}, "required")
        return attrs


class UsageInput(PriceInput):
    """The price of what one meter counts."""

    meter = Text(max_length=64)


class TierOutput(Answer):
    """One tier of a price."""

    up_to = Exact(allow_null=True)
    unit_amount = Exact()
    flat_amount = Exact()


class PriceOutput(Answer):
    """How a quantity is priced; what the model does not have is left out."""

    model = Word(UsageModel)
    included = Exact(required=False)
    unit_amount = Exact(required=False)
    tiers = TierOutput(many=True, required=False)
    package_size = Exact(required=False)


class UsageOutput(PriceOutput):
    """The price of what one meter counts."""

    meter = serializers.CharField()


class PlanInput(Strict):
    """A plan. Everything but `name`, `currency` and `amount` may be left out."""

    name = Text(max_length=120)
    description = Text(max_length=10_000, allow_blank=True, required=False)
    tier = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    pa_plan_id = Text(max_length=255, allow_blank=True, required=False)
    currency = Text(validators=[currency])
    amount = Exact(help_text="The recurring charge per interval, with the currency's decimals.")
    interval = Word(Interval, required=False)
    interval_count = serializers.IntegerField(
        min_value=1, max_value=MAX_INTERVAL_COUNT, required=False
    )
    alignment = Word(Alignment, required=False)
    billed = Neutral("in_arrears")
    trial_days = serializers.IntegerField(min_value=0, max_value=MAX_TRIAL_DAYS, required=False)
    quantity_unit = Text(max_length=40, allow_null=True, required=False)
    quantity_pricing = PriceInput(required=False, allow_null=True)
    usage: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=UsageInput(), required=False, max_length=100
    )
    minimum = Exact(required=False, allow_null=True)
    proration = Word(Proration, required=False)
    first_day_counts = Flag(required=False)
    features = Json(required=False)
    limits = Limits(required=False)
    metadata = Json(required=False)
    public_plan = Flag(required=False)
    allowed_organizations = serializers.ListField(
        child=Text(max_length=255), allow_null=True, required=False, max_length=1000
    )
    disable = Flag(required=False)
    billed_by = Neutral("engine")

    def validate_amount(self, value: Decimal) -> Decimal:
        """Keep an interval's charge within what an invoice can ask for."""
        if value >= _MAX_AMOUNT:
            raise serializers.ValidationError("Less than 1,000,000,000.", "too_large")
        return value


class PlanChange(PlanInput):
    """What shall be different. Not DRF's `partial`, which would let prices come without meters."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Nothing is required."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


@extend_schema_serializer(component_name="Plan")
class PlanOutput(Answer):
    """A plan in its current version. Money in the plan's currency; rates with up to 12 decimals."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    tier = serializers.IntegerField()
    pa_plan_id = serializers.CharField()
    version = serializers.IntegerField()
    currency = serializers.CharField()
    amount = serializers.RegexField(PATTERN)
    interval = Word(Interval)
    interval_count = serializers.IntegerField()
    alignment = Word(Alignment)
    billed = Neutral("in_arrears")
    trial_days = serializers.IntegerField()
    quantity_unit = serializers.CharField(allow_null=True)
    quantity_pricing = PriceOutput(allow_null=True)
    usage = UsageOutput(many=True)
    minimum = Exact(allow_null=True)
    proration = Word(Proration)
    first_day_counts = Flag()
    features = Json()
    limits = Limits()
    metadata = Json()
    public_plan = Flag()
    allowed_organizations = serializers.ListField(child=serializers.CharField(), allow_null=True)
    disable = Flag()
    billed_by = Neutral("engine")
    created_by = serializers.CharField()
    created_at = Instant()
    updated_by = serializers.CharField()
    updated_at = Instant(allow_null=True)

    def to_representation(self, plan: Plan) -> dict[str, Any]:
        """The listing beside the terms; a customer is not told of others and their operators."""
        terms = plan.terms
        places = exponent(terms.currency)
        pricing, minimum = terms.quantity_pricing, terms.minimum
        listing = {name: getattr(plan, column) for name, column in LISTING.items()}
        shown: dict[str, Any] = {
            **terms.to_json(),
            **listing,
            "id": plan.pk,
            "version": plan.version,
            "amount": figures.rate(terms.amount, places),
            "quantity_pricing": None if pricing is None else _price(pricing, places),
            "minimum": None if minimum is None else figures.rate(minimum, places),
            "usage": [
                {"meter": usage.meter, **_price(usage.price, places)} for usage in terms.usage
            ],
            "created_by": plan.created_by,
            "created_at": plan.created_at,
            "updated_by": plan.updated_by,
            "updated_at": plan.updated_at,
        }
        reader = self.context.get("organization_id")
        if reader is not None:
            shown |= {"created_by": "", "updated_by": "", "metadata": {}}
            shown["allowed_organizations"] = (
                None
                if plan.allowed_organizations is None
                else [name for name in plan.allowed_organizations if name == reader]
            )
        return super().to_representation(shown)


def terms_of(fields: dict[str, Any], current: PlanTerms | None) -> PlanTerms:
    """The terms that a body asks for; what it does not name stays as it is.

    :raises ValidationError: if the amount has more decimals than the currency.
    :raises InvalidTermsError: if they make no sense.
    """
    kept: dict[str, Any] = {}
    if current is not None:
        kept = {name: getattr(current, name) for name in _TERMS}
    given: dict[str, Any] = {name: fields[name] for name in _TERMS if name in fields}
    if "usage" in given:
        given["usage"] = tuple(
            UsageTerms(usage["meter"], _price_of(usage)) for usage in given["usage"]
        )
    if given.get("quantity_pricing") is not None:
        given["quantity_pricing"] = _price_of(given["quantity_pricing"])
    terms = PlanTerms(**(kept | given))
    try:
        Money.parse(terms.amount, terms.currency)
    except InvalidError as failure:
        raise serializers.ValidationError(
            {"amount": [serializers.ErrorDetail(failure.detail, failure.code)]}
        ) from None
    return terms


def _price_of(fields: dict[str, Any]) -> Price:
    return Price(
        model=UsageModel(fields["model"]),
        unit_amount=fields.get("unit_amount", Decimal(0)),
        included=fields.get("included", Decimal(0)),
        tiers=tuple(
            Tier(
                up_to=tier["up_to"],
                unit_amount=tier.get("unit_amount", Decimal(0)),
                flat_amount=tier.get("flat_amount", Decimal(0)),
            )
            for tier in fields.get("tiers") or ()
        ),
        package_size=fields.get("package_size"),
    )


def _price(price: Price, places: int) -> dict[str, Any]:
    """What the model has; the rest would only be asked about."""
    shown: dict[str, Any] = {"model": price.model}
    if price.model == UsageModel.ALLOWANCE:
        shown["included"] = price.included
    if price.package_size is not None:
        shown["package_size"] = price.package_size
    if price.model not in TIERED:
        return shown | {"unit_amount": figures.rate(price.unit_amount, places)}
    tiers = [
        {
            "up_to": tier.up_to,
            "unit_amount": figures.rate(tier.unit_amount, places),
            "flat_amount": figures.rate(tier.flat_amount, places),
        }
        for tier in price.tiers
    ]
    return shown | {"tiers": tiers}
