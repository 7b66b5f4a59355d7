"""Commands on customers, of whom the world is told.

The `customers` application lies below and knows nobody to tell: it is called through here, so that
what it does and what is told of it are one transaction. A test sees that nobody goes past.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.services import outgoing
from customers import services
from customers.models import Customer, TestClock


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

    :param fields: as `customers.services.create` takes them.
    :raises ValidationError: as it does.
    """
    customer = services.create(
        organization_id, fields=fields, by=by, now=now, test_clock=test_clock
    )
    _tell("created", customer, {}, at=customer.lives_at(now))
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
    :raises ValidationError: as `customers.services.update` does.
    """
    customer = services.update(
        customer_id, fields=fields, by=by, now=now, expected_version=expected_version
    )
    _tell("updated", customer, {"changed": sorted(fields)}, at=customer.lives_at(now))
    return customer


def _tell(type_: str, customer: Customer, data: Mapping[str, Any], *, at: datetime) -> None:
    outgoing.announce(
        f"customer.{type_}",
        customer_id=customer.pk,
        object_kind="customer",
        object_id=customer.pk,
        data=data,
        at=at,
    )
