"""API tokens, of which only the hash is kept."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.models.choices import choices, one_of
from customers.models import Customer


class Role(StrEnum):
    """OPERATOR: everything. CUSTOMER: one customer's own things."""

    OPERATOR = "OPERATOR"
    CUSTOMER = "CUSTOMER"


class ApiToken(models.Model):
    """A bearer token. `prefix` is the part people recognise it by."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=8, choices=choices(Role))
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    is_read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("role", Role, name="token_role_known"),
            models.CheckConstraint(
                condition=Q(role=Role.OPERATOR, customer=None)
                | Q(role=Role.CUSTOMER, customer__isnull=False),
                name="token_customer_fits_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
