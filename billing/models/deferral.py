"""Revenue that was invoiced before it is earned."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from billing.core.money import Money
from billing.models.credit_note import CreditNoteLine
from billing.models.invoice import InvoiceLine
from customers.models import Customer


class Deferral(models.Model):
    """A part of a line that is earned day by day, from `starts_on` up to but without `ends_on`.

    Negative where a credit takes back what is still to be earned. What is earned by a day is the
    amount times the days gone over all days, rounded. The amount never changes: a trigger.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="deferrals")
    credit_line = models.ForeignKey(
        CreditNoteLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    account = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    recognized_until_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on"))
                & Q(recognized_until_on__gte=F("starts_on"))
                & Q(recognized_until_on__lte=F("ends_on"))
                & ~Q(amount_minor=0),
                name="deferral_has_days",
            ),
        ]
        indexes = [
            models.Index(
                fields=["recognized_until_on"],
                condition=Q(recognized_until_on__lt=F("ends_on")),
                name="deferral_to_recognize",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.starts_on} – {self.ends_on}"

    @property
    def amount(self) -> Money:
        """What is deferred."""
        return Money(self.amount_minor, self.currency)
