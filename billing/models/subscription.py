"""Subscriptions and their billing periods."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.core.lifecycle import LIVE, SubscriptionStatus
from billing.core.periods import Cadence, Period
from billing.core.proration import Share
from billing.models.choices import choices, one_of
from customers.models import Customer, TestClock
from plans.models import PlanVersion
from plans.terms import PlanTerms


class BilledBy(StrEnum):
    """Who rates, invoices and collects."""

    ENGINE = "ENGINE"
    STRIPE = "STRIPE"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Questions about subscriptions."""

    def readable(self) -> Self:
        """With customer and plan at hand."""
        return self.select_related(
            "customer__test_clock", "customer__details", "plan_version__plan"
        )

    def live(self) -> Self:
        """Not canceled."""
        return self.filter(status__in=LIVE)

    def due(self, now: datetime, clock: TestClock | None) -> Self:
        """Those that the cycle must look at, of one test clock's customers or of all others."""
        return self.filter(
            due_at__lte=now,
            billed_by=BilledBy.ENGINE,
            stalled_reason="",
            customer__test_clock=clock,
        )


class Subscription(models.Model):
    """A customer on one version of a plan, whose terms never change.

    `due_at` is the next instant at which the cycle has something to do: the end of the trial or
    of the current period, a scheduled change, or, once it is canceled, the last look for usage
    that was reported late; None while nothing will happen by itself. `starts_at` is when it
    begins, where that is later than its making, and `trial_days` are those of a trial to come.
    `stalled_reason` says why the cycle could not do it; it leaves such a subscription alone until
    an operator lets it go on.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    plan_name = models.CharField(max_length=120)
    quantity = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=16, choices=choices(SubscriptionStatus))
    billed_by = models.CharField(max_length=8, choices=choices(BilledBy), default=BilledBy.ENGINE)
    starts_at = models.DateTimeField(null=True, blank=True)
    trial_days = models.PositiveIntegerField(default=0)
    trial_start = models.DateTimeField(null=True, blank=True)
    trial_end = models.DateTimeField(null=True, blank=True)
    billing_anchor = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    stalled_reason = models.CharField(max_length=500, blank=True, default="")
    past_due_at = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    sub_id = models.CharField("payment provider's id", max_length=255, blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    created_by = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("status", SubscriptionStatus, name="subscription_status_known"),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(status__in=sorted(LIVE)),
                name="one_live_subscription_per_customer",
            ),
            models.CheckConstraint(
                condition=~Q(status=SubscriptionStatus.TRIALING) | Q(trial_end__isnull=False),
                name="trial_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["ACTIVE", "PAST_DUE"]) | Q(billing_anchor__isnull=False),
                name="running_has_an_anchor",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="subscription_due"
            ),
        ]

    def __str__(self) -> str:
        return self.plan_name

    @property
    def plan_terms(self) -> PlanTerms:
        """The terms as a value."""
        return self.plan_version.parsed

    @property
    def cadence(self) -> Cadence:
        """How its periods follow each other."""
        if self.billing_anchor is None:
            raise ValueError("A subscription that has not begun has no cadence.")
        return Cadence.of(self.plan_terms, anchor=self.billing_anchor, zone=self.customer.zone)


class PeriodKind(StrEnum):
    """A trial period is counted but never billed."""

    TRIAL = "TRIAL"
    REGULAR = "REGULAR"


class BillingPeriodQuerySet(models.QuerySet["BillingPeriod"]):
    """Questions about periods."""

    def holding(self, instant: datetime) -> Self:
        """Those that `instant` falls in."""
        return self.filter(starts_at__lte=instant, ends_at__gt=instant)


class BillingPeriod(models.Model):
    """One period of one subscription on one version of a plan, and how far it is charged.

    Usage finds its period by customer, meter and time: `meters` are the codes that are counted in
    it, up to `counts_until`, where it ends or a scheduled change will split it. `filters` say
    which component of the plan an event counts in where a meter has several.

    The recurring charge is settled up to `charged_until`; `recurring_minor` is what it came to so
    far, before discounts. `advance_…` is the charge in advance that is still at work: before and
    after discounts, and the part of the share it is for.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=choices(PeriodKind))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    share_used = models.BigIntegerField()
    share_whole = models.BigIntegerField()
    share_unit = models.CharField(max_length=8)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    meters = ArrayField(models.CharField(max_length=64))
    filters: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    counts_until = models.DateTimeField()
    charged_until = models.DateTimeField()
    recurring_minor = models.BigIntegerField(default=0)
    advance_gross_minor = models.BigIntegerField(null=True, blank=True)
    advance_net_minor = models.BigIntegerField(null=True, blank=True)
    advance_used = models.BigIntegerField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = BillingPeriodQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", PeriodKind, name="period_kind_known"),
            models.UniqueConstraint(
                fields=["subscription", "starts_at"], name="one_period_per_start"
            ),
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(closed_at=None),
                name="one_open_period_per_subscription",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="period_ends_after_its_start"
            ),
            models.CheckConstraint(
                condition=Q(share_used__gte=0, share_whole__gt=0)
                & Q(share_used__lte=F("share_whole")),
                name="share_is_a_part",
            ),
            models.CheckConstraint(
                condition=Q(counts_until__gte=F("starts_at"), counts_until__lte=F("ends_at")),
                name="period_counts_within_itself",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "starts_at"], name="period_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}"

    @property
    def period(self) -> Period:
        """From and to, as a value."""
        return Period(self.starts_at, self.ends_at)

    @property
    def share(self) -> Share:
        """What part of the whole price it is charged."""
        return Share(self.share_used, self.share_whole, self.share_unit)
