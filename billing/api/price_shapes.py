"""What a price looks like in bodies (api.md, section 2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import Answer, Exact, Strict, Text, Word
from billing.core import figures
from plans.prices import TIERED, Price, Tier, UsageModel
from plans.terms import UsageTerms


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        },
        "example": {"region": ["eu"]},
    }
)
class Filter(serializers.Field[dict[str, tuple[str, ...]], Any, dict[str, list[str]], Any]):
    """Property → the value it must have, or the values of which it must have one."""

    default_error_messages = {
        "invalid": "An object: the name of a property, and the strings that it may be."
    }

    def to_internal_value(self, data: Any) -> dict[str, tuple[str, ...]]:
        """Each property with its values, each value once."""
        if not isinstance(data, dict):
            self.fail("invalid")
        return {str(name): self._values(value) for name, value in data.items()}

    def to_representation(self, value: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
        """Always as lists."""
        return {name: list(values) for name, values in value.items()}

    def _values(self, value: Any) -> tuple[str, ...]:
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(one, str) and one for one in values):
            self.fail("invalid")
        return tuple(dict.fromkeys(values))


class TierInput(Strict):
    """A price up to and including `up_to` units; null in the last tier, for all above."""

    up_to = Exact(allow_null=True)
    unit_amount = Exact(required=False)
    flat_amount = Exact(required=False)
    package_size = Exact(
        required=False,
        allow_null=True,
        help_text="With it, `unit_amount` is due for each package of so many units begun.",
    )


class PriceInput(Strict):
    """How a quantity is priced."""

    model = Word(UsageModel)
    included = Exact(required=False)
    unit_amount = Exact(required=False)
    tiers: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=TierInput(), required=False, allow_null=True, max_length=100
    )
    package_size = Exact(required=False, allow_null=True)
    percent = Exact(required=False, allow_null=True, help_text="A rate in percent: 2.5 is 2.5 %.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Every model but the tiered ones says what a unit costs, or which part is due."""
        needed = "percent" if attrs["model"] == UsageModel.PERCENTAGE else "unit_amount"
        if attrs["model"] not in TIERED and attrs.get(needed) is None:
            raise serializers.ValidationError({needed: ["It is required."]}, "required")
        return attrs


class UsageInput(PriceInput):
    """The price of what one meter counts, or of the events that a filter lets through."""

    meter = Text(max_length=64)
    filter = Filter(
        required=False,
        help_text=(
            "An event counts in the first component of its meter whose filter fits it; in the one "
            "without a filter if none does."
        ),
    )


class TierOutput(Answer):
    """One tier of a price."""

    up_to = Exact(allow_null=True)
    unit_amount = Exact()
    flat_amount = Exact()
    package_size = Exact(required=False)


class PriceOutput(Answer):
    """How a quantity is priced; what the model does not have is left out."""

    model = Word(UsageModel)
    included = Exact(required=False)
    unit_amount = Exact(required=False)
    tiers = TierOutput(many=True, required=False)
    package_size = Exact(required=False)
    percent = Exact(required=False)


class UsageOutput(PriceOutput):
    """The price of what one meter counts, or of the events that a filter lets through."""

    meter = serializers.CharField()
    filter = Filter(required=False)


def price_of(fields: dict[str, Any]) -> Price:
    """The price that validated fields describe."""
    return Price(
        model=UsageModel(fields["model"]),
        unit_amount=fields.get("unit_amount", Decimal(0)),
        included=fields.get("included", Decimal(0)),
        tiers=tuple(
            Tier(
                up_to=tier["up_to"],
                unit_amount=tier.get("unit_amount", Decimal(0)),
                flat_amount=tier.get("flat_amount", Decimal(0)),
                package_size=tier.get("package_size"),
            )
            for tier in fields.get("tiers") or ()
        ),
        package_size=fields.get("package_size"),
        percent=fields.get("percent"),
    )


def usage_of(fields: dict[str, Any]) -> UsageTerms:
    """The component that validated fields describe."""
    return UsageTerms(fields["meter"], price_of(fields), fields.get("filter", {}))


def shown_price(price: Price, places: int) -> dict[str, Any]:
    """What the model has; the rest would only be asked about.

    :param places: the decimals of the currency.
    """
    shown: dict[str, Any] = {"model": price.model}
    if price.model == UsageModel.ALLOWANCE or price.included:
        shown["included"] = price.included
    if price.package_size is not None:
        shown["package_size"] = price.package_size
    if price.percent is not None:
        shown["percent"] = price.percent
    elif price.model in TIERED:
        shown["tiers"] = [_tier(tier, places) for tier in price.tiers]
    else:
        shown["unit_amount"] = figures.rate(price.unit_amount, places)
    return shown


def shown_usage(usage: UsageTerms, places: int) -> dict[str, Any]:
    """A component as it is answered."""
    shown = {"meter": usage.meter, **shown_price(usage.price, places)}
    return {**shown, "filter": usage.only} if usage.only else shown


def _tier(tier: Tier, places: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "up_to": tier.up_to,
        "unit_amount": figures.rate(tier.unit_amount, places),
        "flat_amount": figures.rate(tier.flat_amount, places),
    }
    return shown if tier.package_size is None else {**shown, "package_size": tier.package_size}
