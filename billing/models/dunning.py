"""What is done about invoices that are not paid, and what was done."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.core.dunning import DunningReason, DunningStatus, FinalAct
from billing.models.choices import choices, one_of
from billing.models.invoice import Invoice
from billing.models.seller import Seller
from customers.models import Customer
from plans.models import Plan


class DunningPolicy(models.Model):
    """When a declined charge is tried again, what the customer is told, and how it ends.

    `retry_after_days` are the days after each decline, in order. `notices` are
    `{"after_days", "subject", "text"}`, counted from the first failure, as is `final_after_days`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=64, unique=True)
    retry_after_days: models.Field[list[int], list[int]] = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True
    )
    grace_days = models.PositiveSmallIntegerField(default=7)
    notices: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    final_act = models.CharField(max_length=12, choices=choices(FinalAct), default=FinalAct.NOTHING)
    final_after_days = models.PositiveSmallIntegerField(default=30)
    is_default = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, editable=False)  # the database counts

    class Meta:
        verbose_name_plural = "dunning policies"
        constraints = [
            one_of("final_act", FinalAct, name="final_act_known"),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_dunning"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanDunning(models.Model):
    """That a plan's subscribers are dunned by a policy of their own."""

    plan = models.OneToOneField(Plan, primary_key=True, on_delete=models.CASCADE, related_name="+")
    policy = models.ForeignKey(DunningPolicy, on_delete=models.PROTECT, related_name="plans")

    def __str__(self) -> str:
        return f"{self.policy_id} for {self.plan_id}"


class BillingProfile(models.Model):
    """What is agreed with one customer beside their subscription; without a row, the usual.

    Credit is bought by itself when less than `top_up_threshold_minor` is left.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    seller = models.ForeignKey(
        Seller, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    dunning_policy = models.ForeignKey(
        DunningPolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_dunned = models.BooleanField(default=True)
    top_up_currency = models.CharField(max_length=3, blank=True, default="")
    top_up_threshold_minor = models.BigIntegerField(null=True, blank=True)
    top_up_amount_minor = models.BigIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    top_up_currency="", top_up_threshold_minor=None, top_up_amount_minor=None
                )
                | Q(top_up_threshold_minor__gte=0, top_up_amount_minor__gt=0)
                & ~Q(top_up_currency=""),
                name="top_up_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.customer_id)


class DunningRun(models.Model):
    """One invoice's way from the first failure to its end. `terms` are the policy's, as it began.

    Retries themselves stand on the invoice (`next_charge_at`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="dunning_runs")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    policy_name = models.CharField(max_length=64)
    terms: models.JSONField[Any, Any] = models.JSONField()
    reason = models.CharField(max_length=8, choices=choices(DunningReason))
    status = models.CharField(
        max_length=12, choices=choices(DunningStatus), default=DunningStatus.RUNNING
    )
    due_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=255, blank=True, default="")
    note = models.CharField(max_length=255, blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)  # the database counts

    class Meta:
        constraints = [
            one_of("reason", DunningReason, name="dunning_reason_known"),
            one_of("status", DunningStatus, name="dunning_status_known"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(status=DunningStatus.RUNNING),
                name="one_dunning_run_per_invoice",
            ),
            models.CheckConstraint(
                condition=Q(status=DunningStatus.RUNNING, ended_at=None)
                | (~Q(status=DunningStatus.RUNNING) & Q(ended_at__isnull=False, due_at=None)),
                name="an_ended_run_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="dunning_due"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_name}: {self.status.lower()}"


class DunningNotice(models.Model):
    """What a customer was told about an unpaid invoice; mailed by a worker."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(DunningRun, on_delete=models.PROTECT, related_name="notices")
    position = models.PositiveIntegerField()
    subject = models.CharField(max_length=255)
    text = models.TextField()
    created_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="notice_given_once"),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(mailed_at=None), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return self.subject
