"""Notifications that we send: to whom, of what, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from uuid_utils.compat import uuid7

from billing.core.delivering import DeliveryStatus, FailureKind
from billing.models.choices import choices, one_of
from customers.models import Customer

LONGEST_URL: Final = 2048
_PENDING: Final = Q(status=DeliveryStatus.PENDING)


class WebhookEndpoint(models.Model):
    """A receiver of notifications. Its secrets are encrypted.

    `types` are names or patterns like `invoice.*`; none is all. Until `former_secret_until` the
    secret before signs too. `failing_since_at` is the first failure after the last success. One
    that we disabled has a reason; `reported_at` is when operators were told of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    url = models.CharField("URL", max_length=LONGEST_URL)
    types: models.Field[list[str], list[str]] = ArrayField(
        models.CharField(max_length=64), default=list, blank=True
    )
    description = models.CharField(max_length=255, blank=True, default="")
    is_enabled = models.BooleanField("enabled", default=True)
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, default="", editable=False)
    former_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=255, blank=True, default="", editable=False)
    reported_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.CharField(max_length=255, blank=True, default="", editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_by = models.CharField(max_length=255, blank=True, default="", editable=False)
    updated_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_enabled=True, disabled_at=None, disabled_reason="")
                | Q(is_enabled=False, disabled_at__isnull=False),
                name="an_endpoint_that_is_disabled_says_since_when",
            ),
            models.CheckConstraint(
                condition=Q(former_secret="", former_secret_until=None)
                | ~Q(former_secret="") & Q(former_secret_until__isnull=False),
                name="a_former_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url.partition("?")[0]


class OutgoingEvent(models.Model):
    """Something the world is told, as it is sent, to the letter. It names a customer by id only.

    `position` orders what happened to one object: it is given in the transaction that holds the
    object's lock.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    position = models.BigIntegerField()
    type = models.CharField(max_length=64)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    object_kind = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    body = models.TextField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["recorded_at"], name="outgoing_event_age")]

    def __str__(self) -> str:
        return self.type


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Questions about deliveries."""

    def pending(self) -> Self:
        """Those to be sent, now or later."""
        return self.filter(_PENDING)

    def due(self, now: datetime) -> Self:
        """Those to be sent by now, by their own time."""
        return self.pending().filter(Q(due_at=None) | Q(due_at__lte=now))

    def first_in_line(self) -> Self:
        """Without those before which something about the same object is still to be sent."""
        return self.exclude(Exists(_ahead()))

    def behind(self, now: datetime) -> Self:
        """Those before which something waits for its time."""
        return self.filter(Exists(_ahead().filter(due_at__gt=now)))


class Delivery(models.Model):
    """One event on its way to one endpoint.

    `due_at` is when it is sent next, None for at once. Whoever sends it puts that ahead by a
    lease, so that nobody else does, and that somebody does if they die. `tries` counts since it
    was written or sent again by hand. `object_id` and `position` are the event's.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(OutgoingEvent, on_delete=models.CASCADE, related_name="deliveries")
    object_id = models.CharField(max_length=64)
    position = models.BigIntegerField()
    status = models.CharField(
        max_length=9, choices=choices(DeliveryStatus), default=DeliveryStatus.PENDING
    )
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [one_of("status", DeliveryStatus, name="delivery_status_known")]
        indexes = [
            models.Index(fields=["endpoint", "id"], name="delivery_of_endpoint"),
            models.Index(
                fields=["endpoint", "object_id", "position"],
                condition=_PENDING,
                name="delivery_in_line",
            ),
            models.Index(fields=["endpoint", "due_at"], condition=_PENDING, name="delivery_due"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event.type} to {self.endpoint}"


class DeliveryTry(models.Model):
    """One request and what came of it; `failure` is empty where it was taken.

    `answer` is how the body of the answer begins.
    """

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="requests")
    sent_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    failure = models.CharField(max_length=11, choices=choices(FailureKind), blank=True, default="")
    answer = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "delivery tries"
        constraints = [
            models.CheckConstraint(
                condition=Q(failure__in=["", *(kind.value for kind in FailureKind)]),
                name="delivery_failure_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.failure or self.status_code}"


def _ahead() -> DeliveryQuerySet:
    """What is to be sent before a delivery, to the same endpoint about the same object."""
    return Delivery.objects.pending().filter(
        endpoint=OuterRef("endpoint"),
        object_id=OuterRef("object_id"),
        position__lt=OuterRef("position"),
    )
