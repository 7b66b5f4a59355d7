"""Commands on the catalogue. Terms are superseded, never edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from plans.models import Feature, Meter, Plan, PlanVersion
from plans.terms import PlanTerms

_FEATURE_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
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


@transaction.atomic
def create_meter(code: str, *, name: str, aggregation: str, unit: str = "") -> Meter:
    """Make a meter; what it counts is settled for good.

    :raises ValidationError: with code `meter_exists` if there is one of that code.
    """
    meter, is_new = Meter.objects.get_or_create(
        code=code, defaults={"name": name, "aggregation": aggregation, "unit": unit}
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
