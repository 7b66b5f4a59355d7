"""What was told of customers' entitlements, and whose may have changed since."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from billing.models.subscription import BillingPeriod
from customers.models import Customer


class EntitlementMark(models.Model):
    """That a customer's entitlements may have changed; left by whatever may have changed them.

    In its transaction, and never shared: so that no mark can be taken away for another's sake.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return f"{self.customer_id}"


class EntitlementState(models.Model):
    """What a customer's integration was last told, and when time alone may change it.

    `told` is feature → what was said of it. `thresholds` is meter → the highest percentage of its
    limit that was told to be reached in `period`.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    told: models.JSONField[Any, Any] = models.JSONField(default=dict)
    period = models.ForeignKey(
        BillingPeriod, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    thresholds: models.JSONField[Any, Any] = models.JSONField(default=dict)
    check_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["check_at"], condition=Q(check_at__isnull=False), name="entitlements_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}"
