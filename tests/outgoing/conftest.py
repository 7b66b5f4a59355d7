"""A receiver, and what is told it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from billing import clock
from billing.models import Delivery, WebhookEndpoint
from billing.services import outgoing, posting, webhook_endpoints
from customers.models import Customer
from tests import builders
from tests.outgoing.receiver import Receiver, receiver

ALICES, BOBS = (
    UUID("0198d5a2-0000-7000-8000-00000000a11c"),
    UUID("0198d5a2-0000-7000-8000-0000000000b0"),
)


@pytest.fixture
def ear() -> Iterator[Receiver]:
    """A server that takes everything."""
    with receiver() as found:
        yield found


@pytest.fixture
def alice(db: None) -> Customer:
    """A customer."""
    return builders.make_customer("alice")


@pytest.fixture
def now() -> datetime:
    """The real one: receivers look at their clocks."""
    return clock.now()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for longer than half a second."""
    monkeypatch.setattr(posting, "READ_SECONDS", 0.5)


def listens(ear: Receiver | str, *types: str, now: datetime, **more: Any) -> WebhookEndpoint:
    """An endpoint that leads there."""
    url = ear if isinstance(ear, str) else ear.url
    endpoint, secret = webhook_endpoints.create(url, types=types, by="test", now=now, **more)
    endpoint.plain_secret = secret  # type: ignore[attr-defined]  # shown once, to the test too
    return endpoint


def happens(customer: Customer, *to: UUID, type_: str = "payment_method.added") -> list[Delivery]:
    """Something becomes of these objects of theirs, each in a transaction of its own."""
    for object_id in to:
        with transaction.atomic():
            outgoing.announce(
                type_,
                customer_id=customer.pk,
                object_kind="payment_method",
                object_id=object_id,
                data={"gateway": "sandbox"},
                at=datetime(2026, 4, 1, 9, tzinfo=clock.now().tzinfo),
            )
    return list(Delivery.objects.order_by("position"))
