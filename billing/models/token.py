"""API tokens, of which only the hash is kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.models.choices import choices, one_of
from customers.models import Customer


class Role(StrEnum):
    """OPERATOR: everything. CUSTOMER: one customer's own things."""

    OPERATOR = "OPERATOR"
    CUSTOMER = "CUSTOMER"


class TokenStatus(StrEnum):
    """ACTIVE: taken. EXPIRED, REVOKED: refused, and why."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Questions about tokens."""

    def in_force(self, now: datetime) -> Self:
        """Those that are taken at `now`."""
        return self.unrevoked(now).filter(Q(expires_at=None) | Q(expires_at__gt=now))

    def unrevoked(self, now: datetime) -> Self:
        """Those that nobody has ended by `now`, expired or not."""
        return self.filter(Q(revoked_at=None) | Q(revoked_at__gt=now))

    def standing(self, status: TokenStatus, now: datetime) -> Self:
        """Those that stand so at `now`."""
        if status == TokenStatus.ACTIVE:
            return self.in_force(now)
        if status == TokenStatus.REVOKED:
            is_first = Q(expires_at=None) | Q(expires_at__gte=F("revoked_at"))
            return self.filter(is_first, revoked_at__lte=now)
        is_first = Q(revoked_at=None) | Q(revoked_at__gt=F("expires_at"))
        return self.filter(is_first, expires_at__lte=now)


class ApiToken(models.Model):
    """A bearer token. `prefix` is the part people recognise it by, and it is looked up by.

    `revoked_at` may lie ahead: one that was rotated is taken until then, beside its successor.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=8, choices=choices(Role))
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    is_read_only = models.BooleanField(default=False)
    predecessor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="successors"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()
    revoked_by = models.CharField(max_length=255, blank=True, default="")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("role", Role, name="token_role_known"),
            models.CheckConstraint(
                condition=Q(role=Role.OPERATOR, customer=None)
                | Q(role=Role.CUSTOMER, customer__isnull=False),
                name="token_customer_fits_role",
            ),
            models.UniqueConstraint(
                fields=["predecessor"],
                condition=Q(revoked_at=None),
                name="one_successor_per_token",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def ends_at(self) -> datetime | None:
        """From when on it is refused; None while no end is set."""
        return min(filter(None, (self.expires_at, self.revoked_at)), default=None)

    def status_at(self, now: datetime) -> TokenStatus:
        """How it stands at `now`; of two ends the first counts."""
        ends_at = self.ends_at
        if ends_at is None or ends_at > now:
            return TokenStatus.ACTIVE
        return TokenStatus.REVOKED if ends_at == self.revoked_at else TokenStatus.EXPIRED
