"""The tables of those who pay."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from uuid_utils.compat import uuid7

from customers import countries


def new_anonymous_id() -> str:
    """A name that says nothing: 128 random bits."""
    return f"anon_{secrets.token_hex(16)}"


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail; Django asks for this class by its conventions."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A person who may sign in."""
        user = self.model(email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """An operator with every right."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractUser):
    """A person who signs in, by e-mail address."""

    username = None  # type: ignore[assignment]  # people are known by their e-mail address
    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.email


class TestClock(models.Model):
    """A time of its own for some customers, moved only by advancing it."""

    __test__ = False  # pytest would take it for a test

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    now = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.now:%Y-%m-%d %H:%M} UTC"


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Questions about customers."""

    def readable(self) -> Self:
        """With their details and clock at hand."""
        return self.select_related("details", "test_clock")


class Customer(models.Model):
    """Who pays. Nothing here names a person; `BillingDetails` does.

    With a `tax_exemption`, the reason that documents state, no tax is charged to them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization_id = models.CharField(max_length=255, unique=True)
    anonymous_id = models.CharField(
        max_length=64, unique=True, default=new_anonymous_id, editable=False
    )
    currency = models.CharField(max_length=3, default="USD")
    locale = models.CharField(max_length=16, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    metadata = models.JSONField(default=dict, blank=True)
    tax_exemption = models.CharField(max_length=255, default="", blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    test_clock = models.ForeignKey(
        TestClock, null=True, blank=True, on_delete=models.PROTECT, related_name="customers"
    )
    version = models.PositiveIntegerField(default=1)
    created_by = models.CharField(max_length=255, default="", blank=True)
    created_at = models.DateTimeField()
    updated_by = models.CharField(max_length=255, default="", blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.organization_id

    @property
    def zone(self) -> ZoneInfo:
        """The zone their days are counted in."""
        return ZoneInfo(self.timezone)

    def lives_at(self, now: datetime) -> datetime:
        """Their own present: `now`, or where their test clock stands."""
        return now if self.test_clock is None else self.test_clock.now


def ids_among(names: Iterable[str]) -> list[UUID]:
    """Those of the names by which customers are called that may be their ids."""
    found = []
    for name in names:
        with suppress(ValueError):
            found.append(UUID(name))
    return found


class BillingDetails(models.Model):
    """The person or company behind a customer: all the personal data there is on them.

    `country` is what they wrote; everything goes by `country_code`.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="details"
    )
    name = models.CharField(max_length=255, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=64, blank=True, default="")
    line1 = models.CharField(max_length=255, blank=True, default="")
    line2 = models.CharField(max_length=255, blank=True, default="")
    city = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=255, blank=True, default="")
    postal_code = models.CharField(max_length=32, blank=True, default="")
    country = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name_plural = "billing details"

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def country_code(self) -> str:
        """ISO 3166 alpha-2; empty where what they wrote is no country that we know."""
        return countries.code_of(self.country)


class TaxIdStatus(models.TextChoices):
    """What is known of a tax number: the last answer there was."""

    UNCHECKED = "UNCHECKED"
    VALID = "VALID"
    INVALID = "INVALID"


class TaxIdQuerySet(models.QuerySet["TaxId"]):
    """Questions about tax numbers."""

    def due(self, now: datetime) -> Self:
        """Those the register is to be asked about, the longest due first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")


class TaxId(models.Model):
    """A tax number of a customer, written as its register writes it, and what that said of it.

    `status` is the last answer, of `checked_at`; with `is_stale` the register was due to be asked
    again and could not be. `consultation` proves that it was asked. A number that `confirmed_by`
    vouches for is not asked about. `next_check_at` is None where nobody is to be asked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tax_ids")
    kind = models.CharField(max_length=16)
    value = models.CharField(max_length=64)
    country = models.CharField(max_length=2, default="", blank=True)
    status = models.CharField(
        max_length=9, choices=TaxIdStatus.choices, default=TaxIdStatus.UNCHECKED
    )
    is_stale = models.BooleanField(default=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    consultation = models.CharField(max_length=64, default="", blank=True)
    confirmed_by = models.CharField(max_length=255, default="", blank=True)
    confirmation = models.CharField(max_length=255, default="", blank=True)

    objects = TaxIdQuerySet.as_manager()

    class Meta:
        verbose_name = "tax number"
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind", "value"], name="tax_id_once_per_customer"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=TaxIdStatus.values), name="tax_id_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by="")
                | models.Q(status=TaxIdStatus.VALID, next_check_at=None),
                name="a_confirmed_tax_id_is_valid",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=models.Q(next_check_at__isnull=False),
                name="tax_id_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    @property
    def is_valid(self) -> bool | None:
        """The last answer; None if there was none yet."""
        if self.status == TaxIdStatus.UNCHECKED:
            return None
        return self.status == TaxIdStatus.VALID


class CustomerUser(models.Model):
    """That a person may act for a customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "user"], name="member_once_per_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.customer_id}"
