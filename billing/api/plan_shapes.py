"""What a plan looks like in bodies (api.md, section 2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
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
from billing.api.invoice_shapes import TAX_CLASS
from billing.api.price_shapes import (
    PriceInput,
    PriceOutput,
    UsageInput,
    UsageOutput,
    price_of,
    shown_price,
    shown_usage,
    usage_of,
)
from billing.core import figures
from billing.core.errors import InvalidError
from billing.core.money import Money, exponent
from plans.models import Plan, PlanVersion
from plans.terms import (
    DOWNGRADE,
    MAX_INTERVAL_COUNT,
    MAX_QUANTITY,
    MAX_TRIAL_DAYS,
    UPGRADE,
    Alignment,
    Billed,
    ChangeCharge,
    ChangePolicy,
    ChangeTime,
    Interval,
    PlanTerms,
    Proration,
    TrialUsage,
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


class ChangePolicyInput(Strict):
    """When a change takes effect and what it costs, where its request does not say."""

    when = Word(ChangeTime, required=False)
    charge = Word(
        ChangeCharge,
        required=False,
        help_text=(
            "`prorate` credits the unused part and charges the rest at the new price; `full` "
            "credits nothing and charges the new price whole; `reset` begins a new period; `none` "
            "waits for the next one."
        ),
    )


class ChangesInput(Strict):
    """What holds for changes to a dearer and to a cheaper plan."""

    upgrade = ChangePolicyInput(required=False)
    downgrade = ChangePolicyInput(required=False)


class PlanTermsInput(Strict):
    """What a subscription is billed by. Only `currency` and `amount` are required."""

    name = Text(max_length=120, required=False)
    currency = Text(validators=[currency])
    amount = Exact(help_text="The recurring charge per interval, with the currency's decimals.")
    interval = Word(Interval, required=False)
    interval_count = serializers.IntegerField(
        min_value=1, max_value=MAX_INTERVAL_COUNT, required=False
    )
    alignment = Word(Alignment, required=False)
    billed = Word(Billed, required=False)
    trial_days = serializers.IntegerField(min_value=0, max_value=MAX_TRIAL_DAYS, required=False)
    trial_usage = Word(TrialUsage, required=False)
    trial_requires_payment_method = Flag(required=False, source="trial_needs_method")
    quantity_unit = Text(max_length=40, allow_null=True, required=False)
    quantity_pricing = PriceInput(required=False, allow_null=True)
    minimum_quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY, required=False)
    usage: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=UsageInput(), required=False, max_length=100
    )
    minimum = Exact(required=False, allow_null=True)
    proration = Word(Proration, required=False)
    first_day_counts = Flag(required=False)
    changes = ChangesInput(required=False)
    tax_class = Text(max_length=32, required=False, help_text=TAX_CLASS)
    is_tax_included = Flag(required=False, help_text="Whether its prices have the tax in them.")
    is_prepaid = Flag(
        required=False,
        help_text="Whether usage draws the customer's credit down as it happens, and ends with it.",
    )
    features = Json(required=False)
    limits = Limits(required=False)

    def validate_amount(self, value: Decimal) -> Decimal:
        """Keep an interval's charge within what an invoice can ask for."""
        if value >= _MAX_AMOUNT:
            raise serializers.ValidationError("Less than 1,000,000,000.", "too_large")
        return value


class PlanInput(PlanTermsInput):
    """A plan. Everything but `name`, `currency` and `amount` may be left out."""

    name = Text(max_length=120)
    description = Text(max_length=10_000, allow_blank=True, required=False)
    tier = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    pa_plan_id = Text(max_length=255, allow_blank=True, required=False)
    metadata = Json(required=False)
    public_plan = Flag(required=False)
    allowed_organizations = serializers.ListField(
        child=Text(max_length=255), allow_null=True, required=False, max_length=1000
    )
    disable = Flag(required=False)
    billed_by = Neutral("engine")


class PlanChange(PlanInput):
    """What shall be different. Not DRF's `partial`, which would let prices come without meters."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Nothing is required."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class ChangePolicyOutput(Answer):
    """When a change takes effect and what it costs."""

    when = Word(ChangeTime)
    charge = Word(ChangeCharge)


class ChangesOutput(Answer):
    """What holds for changes to a dearer and to a cheaper plan."""

    upgrade = ChangePolicyOutput()
    downgrade = ChangePolicyOutput()


@extend_schema_serializer(component_name="PlanTerms")
class PlanTermsOutput(Answer):
    """Terms. Money in the plan's currency; rates with up to 12 decimals."""

    currency = serializers.CharField()
    amount = serializers.RegexField(PATTERN)
    interval = Word(Interval)
    interval_count = serializers.IntegerField()
    alignment = Word(Alignment)
    billed = Word(Billed)
    trial_days = serializers.IntegerField()
    trial_usage = Word(TrialUsage)
    trial_requires_payment_method = Flag(source="trial_needs_method")
    quantity_unit = serializers.CharField(allow_null=True)
    quantity_pricing = PriceOutput(allow_null=True)
    minimum_quantity = serializers.IntegerField()
    usage = UsageOutput(many=True)
    minimum = Exact(allow_null=True)
    proration = Word(Proration)
    first_day_counts = Flag()
    changes = ChangesOutput()
    tax_class = serializers.CharField()
    is_tax_included = Flag()
    is_prepaid = Flag()
    features = Json()
    limits = Limits()


@extend_schema_serializer(component_name="PlanVersion")
class PlanVersionOutput(Answer):
    """One version of a plan's terms, which never change."""

    number = serializers.IntegerField()
    terms = PlanTermsOutput()
    created_by = serializers.CharField()
    created_at = Instant()

    def to_representation(self, version: PlanVersion) -> dict[str, Any]:
        """The version beside what it says."""
        shown = {
            "number": version.number,
            "terms": _shown(version.parsed),
            "created_by": version.created_by,
            "created_at": version.created_at,
        }
        return super().to_representation(shown)


@extend_schema_serializer(component_name="Plan")
class PlanOutput(PlanTermsOutput):
    """A plan in its current version. Money in the plan's currency; rates with up to 12 decimals."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    tier = serializers.IntegerField()
    pa_plan_id = serializers.CharField()
    version = serializers.IntegerField()
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
        listed = listed_for(self.context.get("organization_id"), plan)
        return super().to_representation({**_shown(plan.terms), **listed, "version": plan.version})


def listed_for(reader: str | None, plan: Plan) -> dict[str, Any]:
    """How a plan is listed, as much of it as that organization may know; an operator's is None."""
    same = ("created_by", "created_at", "updated_by", "updated_at")
    shown: dict[str, Any] = {
        **{name: getattr(plan, column) for name, column in LISTING.items()},
        **{name: getattr(plan, name) for name in same},
        "id": plan.pk,
    }
    if reader is None:
        return shown
    allowed = plan.allowed_organizations
    ours = None if allowed is None else [name for name in allowed if name == reader]
    unsaid = {"created_by": "", "updated_by": "", "metadata": {}}
    return shown | unsaid | {"allowed_organizations": ours}


def listing_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of a `PlanInput` say of how it is listed, by the names of services."""
    return {column: fields[name] for name, column in LISTING.items() if name in fields}


def terms_of(fields: dict[str, Any], current: PlanTerms | None = None) -> PlanTerms:
    """The terms that the fields of a `PlanTermsInput` ask for.

    :param current: the terms as they are, where what is not named stays so.
    :raises ValidationError: if the amount has more decimals than the currency.
    :raises InvalidTermsError: if they make no sense.
    """
    kept: dict[str, Any] = {}
    if current is not None:
        kept = {name: getattr(current, name) for name in _TERMS}
    given: dict[str, Any] = {name: fields[name] for name in _TERMS if name in fields}
    if "usage" in given:
        given["usage"] = tuple(usage_of(usage) for usage in given["usage"])
    if given.get("quantity_pricing") is not None:
        given["quantity_pricing"] = price_of(given["quantity_pricing"])
    for name, usual in (("upgrade", UPGRADE), ("downgrade", DOWNGRADE)):
        policy: ChangePolicy = kept.get(name, usual)
        given[name] = dataclasses.replace(policy, **fields.get("changes", {}).get(name, {}))
    terms = PlanTerms(**(kept | given))
    try:
        Money.parse(terms.amount, terms.currency)
    except InvalidError as failure:
        raise serializers.ValidationError(
            {"amount": [serializers.ErrorDetail(failure.detail, failure.code)]}
        ) from None
    return terms


def _shown(terms: PlanTerms) -> dict[str, Any]:
    """Terms in the contract's notation."""
    places = exponent(terms.currency)
    pricing, minimum = terms.quantity_pricing, terms.minimum
    stored = terms.to_json()
    return {
        **stored,
        "amount": figures.rate(terms.amount, places),
        "quantity_pricing": None if pricing is None else shown_price(pricing, places),
        "minimum": None if minimum is None else figures.rate(minimum, places),
        "usage": [shown_usage(usage, places) for usage in terms.usage],
        "changes": {name: stored[name] for name in ("upgrade", "downgrade")},
    }
