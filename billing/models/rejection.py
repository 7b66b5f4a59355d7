"""Usage that was reported and not counted."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.models.choices import choices
from customers.models import Customer


class Resolution(StrEnum):
    """How an event that was rejected came to its end."""

    COUNTED = "COUNTED"
    DISMISSED = "DISMISSED"


class RejectedUsageQuerySet(models.QuerySet["RejectedUsage"]):
    """Rejected events, and which of them are whose."""

    def about(self, name: str) -> Self:
        """Those of the customer with this id or organization, or that name them so."""
        named = Q(customer_name=name) | Q(customer__organization_id=name)
        with suppress(ValueError):
            named |= Q(customer=UUID(name))
        return self.filter(named)


class RejectedUsage(models.Model):
    """An event that was not taken, kept so that nobody loses usage without knowing.

    It is one row however often it is reported: `digest` names the event, by its customer, id and
    meter where it says them. `event` is what came, in the API's own terms where it could be read;
    it `is_retryable` if so, and if its reporter may report for its customer. `index` is its place
    in the batch it came in last. Its age is judged by `received_at`, when it came first.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    event = models.JSONField()
    is_retryable = models.BooleanField("can be tried again")
    event_id = models.CharField(max_length=255, blank=True, default="")
    customer_name = models.CharField(max_length=255, blank=True, default="")
    meter_code = models.CharField(max_length=255, blank=True, default="")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    index = models.PositiveIntegerField()
    code = models.CharField(max_length=32)
    detail = models.TextField()
    reported_by = models.CharField(max_length=255)
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=1)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=255, blank=True, default="")
    resolution = models.CharField(max_length=9, choices=choices(Resolution), blank=True, default="")

    objects = RejectedUsageQuerySet.as_manager()

    class Meta:
        verbose_name = "event not counted"
        verbose_name_plural = "events not counted"
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolution="")
                | Q(resolved_at__isnull=False, resolution__in=[*map(str, Resolution)]),
                name="a_rejection_is_resolved_somehow",
            ),
        ]
        indexes = [
            models.Index(fields=["code"], condition=Q(resolved_at=None), name="usage_rejected"),
            models.Index(fields=["last_received_at"], name="usage_rejected_last"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.event_id or 'without an id'}"
