"""What is asked of a gateway until it answers: charges and refunds alike."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from billing.core.lifecycle import AttemptStatus
from billing.models.choices import choices


class Sendable(models.Model):
    """A row whose id is the gateway's idempotency key.

    `ask_at` is when the gateway is asked next, None for at once; `sent_at` when it first may have
    heard of it. Where asking has gone on for too long, an operator decides.
    """

    status = models.CharField(
        max_length=16, choices=choices(AttemptStatus), default=AttemptStatus.CREATED
    )
    external_id = models.CharField(max_length=255, blank=True, default="")
    decline_code = models.CharField(max_length=64, blank=True, default="")
    decline_message = models.CharField(max_length=500, blank=True, default="")
    tries = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    ask_at = models.DateTimeField(null=True, blank=True)
    is_undecided = models.BooleanField("needs decision", default=False)
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def due(now: datetime) -> Q:
    """That a row is to be asked about by now."""
    return Q(ask_at=None) | Q(ask_at__lte=now)


def decided_for_unknown(name: str) -> models.CheckConstraint:
    """That an operator is asked only about what nobody knows."""
    return models.CheckConstraint(
        condition=Q(is_undecided=False) | Q(status=AttemptStatus.UNKNOWN), name=name
    )
