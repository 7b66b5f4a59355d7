"""Rates of tax, as law sets them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class TaxRate(models.Model):
    """What a class of goods and services is taxed at in a place, from one day to another.

    `percent` is a rate; `ends_on` is the last day it holds, and None while no end is known. A
    `region` of a country has its own rates; "" is the whole country.
    """

    id = models.BigAutoField(primary_key=True)
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=16, blank=True, default="")
    tax_class = models.CharField(max_length=32, default="standard")
    percent = models.DecimalField(max_digits=15, decimal_places=12)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["country", "region", "tax_class", "starts_on"], name="one_rate_per_start"
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100), name="tax_rate_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="tax_rate_ends_after_its_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.tax_class} {self.percent.normalize():f} %"
