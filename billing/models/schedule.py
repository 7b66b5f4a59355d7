"""Changes that are still to come, and coupons at work."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.core.changes import Act
from billing.models.choices import choices, one_of
from billing.models.subscription import Subscription
from plans.models import Coupon, PlanVersion
from plans.terms import ChangeCharge


class ChangeStatus(StrEnum):
    """FAILED: it could not be when it was due; an operator tries it again or withdraws it."""

    PENDING = "PENDING"
    APPLIED = "APPLIED"
    WITHDRAWN = "WITHDRAWN"
    FAILED = "FAILED"


class ScheduledChangeQuerySet(models.QuerySet["ScheduledChange"]):
    """Questions about changes."""

    def pending(self) -> Self:
        """Still to come, in order."""
        return self.filter(status=ChangeStatus.PENDING).order_by("due_at", "pk")


class ScheduledChange(models.Model):
    """A change of a subscription: what shall be different from `due_at` on.

    What was changed at once is a row too, applied when it was made. `coupon` is redeemed then.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="changes")
    due_at = models.DateTimeField()
    is_at_period_end = models.BooleanField(default=False)
    plan_version = models.ForeignKey(
        PlanVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    quantity = models.PositiveIntegerField(null=True, blank=True)
    billing_anchor = models.DateTimeField(null=True, blank=True)
    coupon = models.ForeignKey(
        Coupon, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    act = models.CharField(max_length=8, choices=choices(Act), blank=True, default="")
    charge = models.CharField(max_length=8, choices=choices(ChangeCharge), blank=True, default="")
    status = models.CharField(
        max_length=12, choices=choices(ChangeStatus), default=ChangeStatus.PENDING
    )
    reason = models.CharField(max_length=500, blank=True, default="")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=255, blank=True, default="")
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()

    objects = ScheduledChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", ChangeStatus, name="change_status_known"),
            models.UniqueConstraint(
                fields=["subscription", "due_at"],
                condition=Q(status=ChangeStatus.PENDING),
                name="one_pending_change_per_instant",
            ),
            models.CheckConstraint(
                condition=Q(plan_version__isnull=False)
                | Q(quantity__isnull=False)
                | Q(billing_anchor__isnull=False)
                | Q(coupon__isnull=False)
                | ~Q(act="")
                | Q(charge=ChangeCharge.RESET),
                name="change_changes_something",
            ),
            models.CheckConstraint(
                condition=Q(status=ChangeStatus.PENDING) | Q(settled_at__isnull=False),
                name="settled_change_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(status=ChangeStatus.PENDING), name="change_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status.lower()} at {self.due_at:%Y-%m-%d %H:%M}"


class Redemption(models.Model):
    """A coupon at work on a subscription: see `billing.core.discounts.Redemption`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="redemptions"
    )
    periods_left = models.PositiveIntegerField(null=True, blank=True)
    covers_until = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["coupon", "subscription"], name="coupon_once_per_subscription"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coupon}"
