"""Commands on customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction

from customers import tax_ids, vat
from customers.models import BillingDetails, Customer, CustomerUser, TestClock, User

DETAILS: Final = (
    "name",
    "email",
    "phone",
    "line1",
    "line2",
    "city",
    "state",
    "postal_code",
    "country",
)
TAX_IDS: Final = "tax_ids"
_SETTINGS: Final = ("currency", "locale", "timezone", "metadata", "tax_exemption")


@transaction.atomic
def create(
    organization_id: str,
    *,
    fields: Mapping[str, Any],
    by: str,
    now: datetime,
    test_clock: TestClock | None = None,
) -> Customer:
    """Make a customer.

    :param fields: any of `DETAILS`, currency, locale, timezone, metadata, tax_exemption, and
        tax_ids as pairs of kind and number.
    :raises ValidationError: if the organization has one already, the zone does not exist, or a
        tax number is malformed.
    """
    _require_zone(fields)
    numbers = vat.parsed_all(fields.get(TAX_IDS, ()))
    if Customer.objects.filter(organization_id=organization_id).exists():
        raise ValidationError(
            "This organization has a billing customer already.", code="customer_exists"
        )
    customer = Customer.objects.create(
        organization_id=organization_id,
        test_clock=test_clock,
        created_by=by,
        created_at=now,
        **{name: fields[name] for name in _SETTINGS if name in fields},
    )
    BillingDetails.objects.create(
        customer=customer, **{name: fields[name] for name in DETAILS if name in fields}
    )
    tax_ids.replace(customer, numbers, now=now)
    return customer


@transaction.atomic
def update(
    customer_id: UUID,
    *,
    fields: Mapping[str, Any],
    by: str,
    now: datetime,
    expected_version: int | None = None,
) -> Customer:
    """Change a customer's details, settings or tax numbers; what is not named stays.

    :param fields: as for `create`.
    :param expected_version: what the caller last saw; None if they do not mind.
    :raises ValidationError: with code `version_mismatch` if it has changed since, with
        `customer_erased` if nobody is behind it any more; if the zone
        does not exist or a tax number is malformed.
    """
    _require_zone(fields)
    numbers = vat.parsed_all(fields.get(TAX_IDS, ()))
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    _require_somebody(customer)
    if expected_version is not None and customer.version != expected_version:
        raise ValidationError("It was changed by someone else.", code="version_mismatch")
    details = customer.details
    for name, value in fields.items():
        if name != TAX_IDS:
            setattr(details if name in DETAILS else customer, name, value)
    if TAX_IDS in fields:
        tax_ids.replace(customer, numbers, now=now)
    details.save()
    customer.version += 1
    customer.updated_by, customer.updated_at = by, now
    customer.save()
    return customer


def set_tax_ids(
    customer_id: UUID, ids: Sequence[tuple[str, str]], *, by: str, now: datetime
) -> Customer:
    """Make these a customer's tax numbers, as pairs of kind and number.

    :raises ValidationError: if one is malformed.
    """
    return update(customer_id, fields={TAX_IDS: ids}, by=by, now=now)


def add_member(customer: Customer, user: User) -> CustomerUser:
    """Let a person act for the customer; again is the same as once."""
    _require_somebody(customer)
    member, _ = CustomerUser.objects.get_or_create(customer=customer, user=user)
    return member


def _require_somebody(customer: Customer) -> None:
    if customer.erased_at is not None:
        raise ValidationError("This customer was erased.", code="customer_erased")


def _require_zone(fields: Mapping[str, Any]) -> None:
    zone = fields.get("timezone")
    if zone is not None and zone not in available_timezones():
        raise ValidationError({"timezone": f"{zone!r} is no IANA time zone."})
