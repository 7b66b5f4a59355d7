"""Notifications from gateways, each once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class GatewayEvent(models.Model):
    """That a gateway said something happened to one of its objects.

    The payload is not kept: it is never believed (the object is fetched anew) and may hold what
    the customer typed on the gateway's page.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    gateway = models.CharField(max_length=32)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=120)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=255)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "event_id"], name="gateway_event_stored_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=Q(handled_at=None),
                name="gateway_event_unhandled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind}"
