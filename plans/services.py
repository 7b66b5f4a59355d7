"""Commands on the catalogue. Terms are superseded, never edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from plans.models import Coupon, Feature, Meter, Plan, PlanVersion
from plans.prices import LARGEST
from plans.terms import InvalidTermsError, PlanTerms

_FEATURE_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_COUPON_PLANS: Final = 100
MAX_TIMES: Final = 2**31 - 1  # what the column holds
# How a plan is shown: what may be changed without another version.
LISTING: Final[tuple[str, ...]] = (
    "name",
    "description",
    "tier",
    "pa_plan_id",
    "is_public",
    "allowed_organizations",
    "is_disabled",
    "metadata",
)


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """What a coupon takes off, for how long, and who may redeem it.

    Either `percent_off`, above 0 and at most 100, or `amount_off` in `currency`.

    :param periods: for how many; with REPEATING, and only then.
    :param plans: the ids of the plans it is restricted to; empty for all.
    :raises InvalidTermsError: naming every field at fault.
    """

    percent_off: Decimal | None = None
    amount_off: Decimal | None = None
    currency: str = ""
    duration: str = Coupon.Duration.ONCE
    periods: int | None = None
    max_redemptions: int | None = None
    expires_at: datetime | None = None
    plans: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        faults = _coupon_faults(self)
        if faults:
            raise InvalidTermsError(faults)


@transaction.atomic
def create_meter(
    code: str, *, name: str, aggregation: str, unit: str = "", field: str = ""
) -> Meter:
    """Make a meter; what it counts is settled for good.

    :param field: the property of events that it reads; empty for their quantity.
    :raises ValidationError: if it would count unique values of nothing; with code `meter_exists`
        if there is one of that code.
    """
    if aggregation == Meter.Aggregation.UNIQUE and not field:
        raise ValidationError({"field": "Name the property whose unique values are counted."})
    meter, is_new = Meter.objects.get_or_create(
        code=code,
        defaults={"name": name, "aggregation": aggregation, "unit": unit, "field": field},
    )
    if not is_new:
        raise ValidationError(f"There is a meter {code!r} already.", code="meter_exists")
    return meter


@transaction.atomic
def create_feature(code: str, *, kind: str) -> Feature:
    """Make a feature.

    :raises ValidationError: with code `feature_exists` if there is one of that code.
    """
    feature, is_new = Feature.objects.get_or_create(code=code, defaults={"kind": kind})
    if not is_new:
        raise ValidationError(f"There is a feature {code!r} already.", code="feature_exists")
    return feature


@transaction.atomic
def create(
    name: str, *, terms: PlanTerms, by: str, now: datetime, listing: Mapping[str, Any] | None = None
) -> Plan:
    """Put a plan on sale.

    :param listing: how it is shown: any of `LISTING` but the name.
    :raises ValidationError: if the terms name a meter that does not exist.
    """
    _require_meters(terms)
    _register_features(terms)
    plan = Plan(name=name, created_by=by, created_at=now, **_only_editable(listing or {}))
    plan.save(force_insert=True)
    plan.current = _publish(plan, terms, by=by, now=now)
    plan.save(update_fields=["current"])
    return plan


@transaction.atomic
def update(
    plan_id: UUID,
    *,
    by: str,
    now: datetime,
    terms: PlanTerms | None = None,
    listing: Mapping[str, Any] | None = None,
    seen: Plan | None = None,
) -> Plan:
    """Change how a plan is shown, and its terms by a new version.

    Existing subscriptions stay on the terms they started with.

    :param seen: the plan as the caller last saw it; None if they do not mind.
    :raises ValidationError: if it is retired, or the terms name something unknown; with code
        `changed_meanwhile` if it is not as it was seen.
    """
    plan = Plan.objects.select_for_update().get(pk=plan_id)
    if seen is not None and (plan.version, plan.updated_at) != (seen.version, seen.updated_at):
        raise ValidationError("Somebody changed it at the same moment.", code="changed_meanwhile")
    if plan.retired_at is not None:
        raise ValidationError("A retired plan cannot be changed.", code="plan_retired")
    for name, value in _only_editable(listing or {}).items():
        setattr(plan, name, value)
    if terms is not None and terms != plan.terms:
        _require_meters(terms)
        _register_features(terms)
        plan.version += 1
        plan.current = _publish(plan, terms, by=by, now=now)
    plan.updated_by, plan.updated_at = by, now
    plan.save()
    return plan


@transaction.atomic
def retire(plan_id: UUID, *, by: str, now: datetime) -> Plan:
    """Take a plan off sale for good. It stays readable, and its subscriptions go on."""
    plan = Plan.objects.select_for_update().get(pk=plan_id)
    if plan.retired_at is None:
        plan.retired_at = plan.updated_at = now
        plan.updated_by = by
        plan.save(update_fields=["retired_at", "updated_at", "updated_by"])
    return plan


@transaction.atomic
def create_coupon(code: str, *, terms: CouponTerms, by: str, now: datetime) -> Coupon:
    """Make a coupon; what it takes off is settled for good.

    Its code is given once and for all, whatever the case of its letters: people type it.

    :raises ValidationError: with code `coupon_exists` if there is one of that code, be it retired;
        if it is restricted to a plan that does not exist.
    """
    if coupon_named(code) is not None:
        raise ValidationError(f"There is a coupon {code!r} already.", code="coupon_exists")
    if Plan.objects.filter(pk__in=terms.plans).count() < len(set(terms.plans)):
        raise ValidationError({"plans": "There is no such plan."})
    return Coupon.objects.create(
        code=code,
        percent_off=terms.percent_off,
        amount_off=terms.amount_off,
        currency=terms.currency,
        duration=terms.duration,
        periods=terms.periods,
        max_redemptions=terms.max_redemptions,
        expires_at=terms.expires_at,
        plan_ids=list(dict.fromkeys(terms.plans)),
        created_by=by,
        created_at=now,
    )


@transaction.atomic
def retire_coupon(coupon_id: UUID, *, now: datetime) -> Coupon:
    """Let nobody redeem it any more. Whoever has it keeps it."""
    coupon = Coupon.objects.select_for_update().get(pk=coupon_id)
    if coupon.retired_at is None:
        coupon.retired_at = now
        coupon.save(update_fields=["retired_at"])
    return coupon


def coupon_named(code: str) -> Coupon | None:
    """The coupon of that code, whatever the case of its letters."""
    return Coupon.objects.filter(code__iexact=code).first()


def _coupon_faults(terms: CouponTerms) -> dict[str, list[str]]:
    """Each field at fault with its sentences."""
    percent, amount = terms.percent_off, terms.amount_off
    is_repeating = terms.duration == Coupon.Duration.REPEATING
    checks = [
        ("percent_off", (percent is None) != (amount is None), "Either this or an amount."),
        ("percent_off", percent is None or 0 < percent <= 100, "Above 0 and at most 100."),
        ("amount_off", amount is None or 0 < amount < LARGEST, "Above 0."),
        ("currency", (amount is None) == (not terms.currency), "With an amount, and only then."),
        ("duration", terms.duration in Coupon.Duration.values, "There is no such duration."),
        (
            "periods",
            (terms.periods is not None) == is_repeating,
            "For how many periods: with a repeating coupon, and only then.",
        ),
        ("periods", _may_be_stored(terms.periods), "At least 1."),
        ("max_redemptions", _may_be_stored(terms.max_redemptions), "At least 1."),
        ("plans", len(terms.plans) <= MAX_COUPON_PLANS, "At most 100 plans."),
    ]
    faults: dict[str, list[str]] = {}
    for name, is_sound, sentence in checks:
        if not is_sound:
            faults.setdefault(name, []).append(sentence)
    return faults


def _may_be_stored(times: int | None) -> bool:
    return times is None or 1 <= times <= MAX_TIMES


def _publish(plan: Plan, terms: PlanTerms, *, by: str, now: datetime) -> PlanVersion:
    return PlanVersion.objects.create(
        plan=plan, number=plan.version, terms=terms.to_json(), created_by=by, created_at=now
    )


def _only_editable(listing: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = set(listing) - set(LISTING)
    if unknown:
        raise ValidationError(dict.fromkeys(unknown, "Cannot be set."))
    return listing


def _require_meters(terms: PlanTerms) -> None:
    unknown = set(terms.meters) - set(Meter.objects.values_list("code", flat=True))
    if unknown:
        raise ValidationError({"usage": f"Unknown meter: {', '.join(sorted(unknown))}."})


def _register_features(terms: PlanTerms) -> None:
    """Make the features that the terms speak of first: a switch where it is on or off."""
    odd = [code for code in terms.features if not _FEATURE_CODE.fullmatch(code)]
    if odd:
        raise ValidationError(
            {"features": "A feature is named by 1 to 64 letters, digits, hyphens, underscores."}
        )
    Feature.objects.bulk_create(
        [
            Feature(
                code=code,
                kind=Feature.Kind.SWITCH if isinstance(value, bool) else Feature.Kind.CONFIG,
            )
            for code, value in sorted(terms.features.items())
        ],
        ignore_conflicts=True,
    )
