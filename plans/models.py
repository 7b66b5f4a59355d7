"""The tables of the catalogue."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from plans.terms import PlanTerms


class Meter(models.Model):
    """What usage events count."""

    class Aggregation(models.TextChoices):
        """How events become a total."""

        SUM = "SUM"
        COUNT = "COUNT"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    aggregation = models.CharField(
        max_length=8, choices=Aggregation.choices, default=Aggregation.SUM
    )
    unit = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

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
        """The terms as a value."""
        return PlanTerms.from_json(self.terms)
