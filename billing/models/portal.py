"""Visits by link: a product sends its user to the pages without a second login."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.models.choices import choices, one_of
from billing.models.invoice import Invoice
from customers.models import Customer


class PortalPurpose(StrEnum):
    """How far a visit reaches.

    PORTAL: the billing pages. PAYMENT_METHOD: to set one up. INVOICE: to look at one and pay it.
    """

    PORTAL = "PORTAL"
    PAYMENT_METHOD = "PAYMENT_METHOD"
    INVOICE = "INVOICE"


class PortalSessionQuerySet(models.QuerySet["PortalSession"]):
    """Questions about visits."""

    def readable(self) -> Self:
        """With their customer and invoice at hand."""
        return self.select_related("customer__details", "customer__test_clock", "invoice")

    def unopened(self, now: datetime) -> Self:
        """Whose link still waits to be opened."""
        return self.filter(opened_at=None, ended_at=None, expires_at__gt=now)

    def under_way(self, now: datetime) -> Self:
        """Opened, and not over."""
        return self.filter(opened_at__isnull=False, ended_at=None, expires_at__gt=now)


class PortalSession(models.Model):
    """A link into the pages, and the visit that follows when it is opened.

    `expires_at` is until when the link may be opened, and once it was, until when the visit may
    last. The browser that opened it is known by `browser_digest`, the SHA-256 of its cookie. With
    a `success_url` it is a checkout: there the browser is sent when the invoice is paid.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=16, choices=choices(PortalPurpose))
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    return_url = models.URLField(max_length=2000, blank=True, default="")
    success_url = models.URLField(max_length=2000, blank=True, default="")
    browser_digest = models.CharField(max_length=64, blank=True, default="")
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PortalSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("purpose", PortalPurpose, name="portal_purpose_known"),
            models.CheckConstraint(
                condition=Q(purpose=PortalPurpose.INVOICE, invoice__isnull=False)
                | (~Q(purpose=PortalPurpose.INVOICE) & Q(invoice=None, success_url="")),
                name="a_visit_to_an_invoice_names_it",
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None, browser_digest="")
                | (Q(opened_at__isnull=False) & ~Q(browser_digest="")),
                name="an_opened_link_has_its_browser",
            ),
            models.UniqueConstraint(
                fields=["browser_digest"],
                condition=~Q(browser_digest=""),
                name="a_browser_visits_once",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="portal_session_expiry")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.created_at:%Y-%m-%d %H:%M}"
