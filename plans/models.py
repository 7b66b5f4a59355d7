"""The tables of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from uuid_utils.compat import uuid7

from plans.terms import PlanTerms


class Meter(models.Model):
    """What usage events count: their quantity, or the property of them that `field` names."""

    class Aggregation(models.TextChoices):
        """How events become a total."""

        SUM = "SUM"
        COUNT = "COUNT"
        MAX = "MAX"
        LAST = "LAST"
        UNIQUE = "UNIQUE"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    aggregation = models.CharField(
        max_length=8, choices=Aggregation.choices, default=Aggregation.SUM
    )
    unit = models.CharField(max_length=40, blank=True, default="")
    field = models.CharField("property", max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(aggregation="UNIQUE") | ~Q(field=""), name="unique_of_a_property"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Feature(models.Model):
    """Something a plan switches on or limits."""

    class Kind(models.TextChoices):
        """Whether it is on or off, counted, or a setting for the caller."""

        SWITCH = "SWITCH"
        LIMIT = "LIMIT"
        CONFIG = "CONFIG"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.SWITCH)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.code


class PlanQuerySet(models.QuerySet["Plan"]):
    """Questions about plans."""

    def readable(self) -> Self:
        """With the current version at hand."""
        return self.select_related("current")

    def on_sale(self, organization_id: str | None = None) -> Self:
        """What a customer of that organization may subscribe to, cheapest tier first."""
        allowed = Q(is_public=True)
        if organization_id is not None:
            allowed |= Q(allowed_organizations__contains=[organization_id])
        return self.filter(allowed, is_disabled=False, retired_at=None).order_by("tier", "name")


class Plan(models.Model):
    """What is on sale under one name. Its terms are its versions; the newest is `current`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    tier = models.PositiveIntegerField(default=0)
    pa_plan_id = models.CharField("payment provider's id", max_length=255, blank=True, default="")
    is_public = models.BooleanField(default=True)
    allowed_organizations = ArrayField(models.CharField(max_length=255), null=True, blank=True)
    is_disabled = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    current = models.ForeignKey(
        "plans.PlanVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_by = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()
    updated_by = models.CharField(max_length=255, default="", blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(retired_at=None) | Q(retired_at__gte=F("created_at")),
                name="plan_retired_after_creation",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def terms(self) -> PlanTerms:
        """The terms a new subscription gets."""
        if self.current is None:  # only between the two inserts of `services.create`
            raise ValueError("The plan has no version yet.")
        return self.current.parsed


class PlanVersion(models.Model):
    """One version of a plan's terms. Never edited: a trigger refuses it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    terms: models.JSONField[Any, Any] = models.JSONField()
    created_by = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="one_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.number}"

    @property
    def parsed(self) -> PlanTerms:
        """The terms as a value. They never change, so that one reading of them serves all."""
        terms = _PARSED.get(self.pk)
        if terms is None:
            terms = PlanTerms.from_json(self.terms)
            if len(_PARSED) >= _MOST_PARSED:
                _PARSED.clear()
            _PARSED[self.pk] = terms
        return terms


def terms_of(version_ids: Iterable[UUID]) -> dict[UUID, PlanTerms]:
    """What versions say, by their ids; only those that nobody has read before are fetched."""
    wanted = set(version_ids)
    found = {pk: _PARSED[pk] for pk in wanted & _PARSED.keys()}
    if unread := wanted - found.keys():
        versions = PlanVersion.objects.filter(pk__in=unread)
        found |= {version.pk: version.parsed for version in versions}
    return found


_PARSED: Final[dict[UUID, PlanTerms]] = {}
_MOST_PARSED: Final = 10_000


class Coupon(models.Model):
    """A discount that may be redeemed: a percentage, or an amount for each period.

    `redemptions` counts how often it was; `plan_ids` are the plans it is restricted to.
    """

    class Duration(models.TextChoices):
        """For how many periods it holds: one, `periods`, or all."""

        ONCE = "ONCE"
        REPEATING = "REPEATING"
        FOREVER = "FOREVER"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=64)
    percent_off = models.DecimalField(max_digits=15, decimal_places=12, null=True, blank=True)
    amount_off = models.DecimalField(max_digits=27, decimal_places=12, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    duration = models.CharField(max_length=12, choices=Duration.choices, default=Duration.ONCE)
    periods = models.PositiveIntegerField(null=True, blank=True)
    max_redemptions = models.PositiveIntegerField(null=True, blank=True)
    redemptions = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    plan_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("code"), name="one_coupon_per_code_whatever_its_case"),
            models.CheckConstraint(
                condition=Q(percent_off__gt=0, percent_off__lte=100, amount_off=None, currency="")
                | Q(percent_off=None, amount_off__gt=0) & ~Q(currency=""),
                name="coupon_takes_a_percentage_or_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(duration="REPEATING", periods__gt=0)
                | Q(periods=None) & ~Q(duration="REPEATING"),
                name="a_repeating_coupon_says_how_often",
            ),
            models.CheckConstraint(
                condition=Q(max_redemptions=None) | Q(redemptions__lte=F("max_redemptions")),
                name="coupon_redeemed_within_its_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.code
