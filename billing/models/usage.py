"""Usage events, and the two counts that are kept of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing.models.subscription import BillingPeriod
from customers.models import Customer
from plans.models import Meter


class UsageEvent(models.Model):
    """Something that was used, as it was reported. Immutable: a trigger refuses edits.

    `period` is the billing period it was counted in; None while no period of the customer counts
    its meter at that instant. When one opens that does, it is placed there.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=255)
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField()
    quantity = models.DecimalField(max_digits=38, decimal_places=12)
    properties = models.JSONField(default=dict)
    day = models.DateField()
    period = models.ForeignKey(
        BillingPeriod, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "event_id"], name="usage_event_counted_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0), name="usage_quantity_not_negative"
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "occurred_at"],
                condition=Q(period=None),
                name="usage_event_unplaced",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} at {self.occurred_at:%Y-%m-%d %H:%M}"


class UsageTotal(models.Model):
    """What a meter counted in a billing period: what rating and entitlements read.

    The row is also the gate between counting and closing: the billing run closes it and reads
    `quantity` in one statement, and what is counted afterwards goes to `late_quantity`.
    """

    id = models.BigAutoField(primary_key=True)
    period = models.ForeignKey(BillingPeriod, on_delete=models.PROTECT, related_name="totals")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    late_quantity = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    is_closed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "meter"], name="one_total_per_period_and_meter"
            ),
            models.CheckConstraint(
                condition=Q(is_closed=True) | Q(late_quantity=0),
                name="only_a_closed_total_is_late",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity}"


class UsageDay(models.Model):
    """What a meter counted on one of the customer's local days: what charts read."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    quantity = models.DecimalField(max_digits=38, decimal_places=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "meter", "day"], name="one_usage_day_per_meter"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} on {self.day}"
