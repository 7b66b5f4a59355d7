"""Usage events, and the two counts that are kept of them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from billing.models.subscription import BillingPeriod
from customers.models import Customer
from plans.models import Meter


class UsageEvent(models.Model):
    """Something that was used, as it was reported. Immutable: a trigger refuses edits.

    `period` is the billing period it was counted in; None while no period of the customer counts
    its meter at that instant. When one opens that does, it is placed there. An event that was
    withdrawn counts nowhere; one that replaces it has the same `event_id` and the next `revision`.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
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
    revision = models.PositiveSmallIntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "event_id", "revision"], name="usage_event_counted_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0), name="usage_quantity_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "meter", "occurred_at"], name="usage_event_in_time"),
            models.Index(
                fields=["customer", "occurred_at"],
                condition=Q(period=None),
                name="usage_event_unplaced",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} at {self.occurred_at:%Y-%m-%d %H:%M}"


class UsageTotal(models.Model):
    """What one component of a plan counted in a billing period: what rating reads.

    `quantity` is always all of it. `billed_quantity` is what was invoiced: the billing run sets
    and reads it in one statement, so that the row is the gate between counting and closing, and
    a difference between the two is usage that came late, or was corrected. No event is later
    than `latest_at`; of a meter of the latest quantity it is when that was.

    Whoever counts up to `watch_at` or beyond, or down, marks the customer's entitlements (a
    trigger does); None marks them always, until somebody has looked.
    """

    id = models.BigAutoField(primary_key=True)
    period = models.ForeignKey(BillingPeriod, on_delete=models.PROTECT, related_name="totals")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    component = models.CharField(max_length=255)
    aggregation = models.CharField(max_length=8, choices=Meter.Aggregation.choices)
    quantity = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    billed_quantity = models.DecimalField(max_digits=38, decimal_places=12, null=True, blank=True)
    latest_at = models.DateTimeField(null=True, blank=True)
    watch_at = models.DecimalField(max_digits=38, decimal_places=12, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "component"], name="one_total_per_period_and_component"
            ),
        ]
        indexes = [
            models.Index(
                fields=["period"],
                condition=Q(billed_quantity__isnull=False) & ~Q(billed_quantity=F("quantity")),
                name="usage_total_to_adjust",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity}"


class UsageValue(models.Model):
    """A value that a meter of unique values has seen in a component of a period, and how often.

    `day` is the first local day it was seen on.
    """

    id = models.BigAutoField(primary_key=True)
    period = models.ForeignKey(BillingPeriod, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    component = models.CharField(max_length=255)
    value = models.TextField()
    events = models.PositiveBigIntegerField()
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "component", "value"], name="one_row_per_unique_value"
            ),
        ]

    def __str__(self) -> str:
        return self.value


class UsageDay(models.Model):
    """What a meter counted on one of the customer's local days: what charts read.

    The sum, the greatest or the latest quantity of the day, as the meter aggregates; a meter of
    unique values has no days, for a value is new only once.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    quantity = models.DecimalField(max_digits=38, decimal_places=12)
    aggregation = models.CharField(max_length=8, choices=Meter.Aggregation.choices)
    latest_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "meter", "day"], name="one_usage_day_per_meter"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} on {self.day}"
