"""The journal: every fact, double entry, append-only by trigger."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.core.money import Money
from billing.core.postings import AccountKind, Side
from billing.models.choices import choices, one_of
from billing.models.invoice import Invoice
from customers.models import Customer


class LedgerAccount(models.Model):
    """An account of the chart, by its code."""

    code = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=255, blank=True, default="")
    kind = models.CharField(max_length=12, choices=choices(AccountKind))

    class Meta:
        constraints = [one_of("kind", AccountKind, name="account_kind_known")]

    def __str__(self) -> str:
        return self.code


class JournalEntry(models.Model):
    """One fact. `context` freezes what is needed to understand it alone, and names no person.

    `occurred_at` is when it was true, `recorded_at` when it was written; the idempotency key
    names the fact, so that it cannot be entered twice. `source_kind` and `source_id` are the
    document it came of. What concerns many at once, as revenue recognized, has no customer.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=64)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    source_kind = models.CharField(max_length=16, blank=True, default="")
    source_id = models.UUIDField(null=True, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    idempotency_key = models.CharField(max_length=120, unique=True)
    context: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        verbose_name_plural = "journal entries"
        indexes = [
            models.Index(fields=["customer", "occurred_at"], name="entry_of_customer"),
            models.Index(fields=["occurred_at", "id"], name="entry_in_order"),
        ]

    def __str__(self) -> str:
        return self.kind


class JournalLine(models.Model):
    """One side of an entry; a positive amount. `invoice` is what it is owed or paid on."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=8, choices=choices(Side))
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            one_of("side", Side, name="line_side_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="journal_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.side.lower()} {self.account_id} {self.amount}"

    @property
    def amount(self) -> Money:
        """The line's amount, positive on either side."""
        return Money(self.amount_minor, self.currency)
