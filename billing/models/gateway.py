"""Gateways as operators set them, and what passed between them and us."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.core.breaker import Breaker
from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.core.money import Money
from billing.models.choices import choices, one_of


class GatewayRoute(models.Model):
    """How operators have set a gateway, in force for the next charge; and how its calls went.

    Empty lists narrow nothing down. A gateway without a row is as it declares itself.
    """

    name = models.CharField(max_length=32, primary_key=True)
    is_enabled = models.BooleanField("enabled", default=True)
    priority = models.PositiveSmallIntegerField(default=50, help_text="The lowest comes first.")
    weight = models.PositiveSmallIntegerField(
        default=1, help_text="Its share of the set-ups among gateways of the same priority."
    )
    currencies: models.Field[list[str], list[str]] = ArrayField(
        models.CharField(max_length=3), default=list, blank=True, help_text="Empty: all it takes."
    )
    countries: models.Field[list[str], list[str]] = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="Empty: everywhere."
    )
    methods: models.Field[list[str], list[str]] = ArrayField(
        models.CharField(max_length=32), default=list, blank=True, help_text="Empty: all it takes."
    )
    has_failover = models.BooleanField(
        "fails over",
        default=False,
        help_text="Whether another gateway may be tried while this one does not answer.",
    )
    failures = models.PositiveIntegerField(default=0, editable=False)
    opened_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_by = models.CharField(max_length=255, blank=True, default="", editable=False)
    updated_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "gateway"
        constraints = [
            models.CheckConstraint(condition=Q(weight__gte=1), name="a_weight_is_some"),
            models.CheckConstraint(
                condition=Q(opened_at=None, probe_at=None)
                | Q(opened_at__isnull=False, probe_at__isnull=False),
                name="an_open_breaker_is_probed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def breaker(self) -> Breaker:
        """How calls went lately."""
        return Breaker(self.failures, self.opened_at, self.probe_at)


class CallOutcome(StrEnum):
    """What came of asking a gateway.

    UNREACHED: it certainly did not hear it. NO_ANSWER: it may have. REFUSED: it will not.
    """

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"
    UNREACHED = "UNREACHED"
    NO_ANSWER = "NO_ANSWER"


class GatewayCall(models.Model):
    """One question to a gateway and what came of it. Neither question nor answer is kept.

    :param reference: ours: the id of the attempt, refund or checkout session that it is about.
    """

    id = models.BigAutoField(primary_key=True)
    gateway = models.CharField(max_length=32)
    verb = models.CharField(max_length=32)
    reference = models.CharField(max_length=64, blank=True, default="")
    outcome = models.CharField(max_length=10, choices=choices(CallOutcome))
    detail = models.CharField(max_length=255, blank=True, default="")
    took_ms = models.PositiveIntegerField()
    called_at = models.DateTimeField()

    class Meta:
        constraints = [one_of("outcome", CallOutcome, name="call_outcome_known")]
        indexes = [
            models.Index(fields=["reference", "called_at"], name="gateway_call_about"),
            models.Index(fields=["called_at"], name="gateway_call_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.verb} {self.outcome.lower().replace('_', ' ')}"


class GatewayPayout(models.Model):
    """Money that a gateway sent to our bank."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    gateway = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=choices(PayoutStatus))
    created_at = models.DateTimeField()
    arrives_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("status", PayoutStatus, name="payout_status_known"),
            models.UniqueConstraint(fields=["gateway", "external_id"], name="payout_known_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.amount}"

    @property
    def amount(self) -> Money:
        """What was sent."""
        return Money(self.amount_minor, self.currency)


class MovementQuerySet(models.QuerySet["GatewayMovement"]):
    """Questions about movements."""

    def of(self, payout: GatewayPayout) -> Self:
        """Those that make a payout up."""
        return self.filter(payout=payout)


class GatewayMovement(models.Model):
    """One line of a gateway's account with us, in the currency that it settles in.

    `source_external_id` is the charge, refund, dispute or payout at the gateway that it is about.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    gateway = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=choices(MovementKind))
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    source_external_id = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    occurred_at = models.DateTimeField()
    payout = models.ForeignKey(
        GatewayPayout, null=True, blank=True, on_delete=models.PROTECT, related_name="movements"
    )

    objects = MovementQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", MovementKind, name="movement_kind_known"),
            models.UniqueConstraint(fields=["gateway", "external_id"], name="movement_known_once"),
        ]
        indexes = [
            models.Index(fields=["gateway", "source_external_id"], name="movement_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.amount}"

    @property
    def amount(self) -> Money:
        """What it brought, before the fee; negative for what it took."""
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What the gateway kept."""
        return Money(self.fee_minor, self.currency)
