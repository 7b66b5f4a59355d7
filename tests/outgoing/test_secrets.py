"""Secrets: shown once, kept encrypted, two at a time while they change, and under other keys."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from billing.core.delivering import FailureKind
from billing.core.errors import InvalidError
from billing.models import DeliveryTry, WebhookEndpoint
from billing.services import delivering, webhook_endpoints
from customers.models import Customer
from tests.outgoing.conftest import ALICES, BOBS, happens, listens
from tests.outgoing.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def secret_of(endpoint: WebhookEndpoint) -> str:
    """What it was when it was made."""
    secret: str = endpoint.plain_secret  # type: ignore[attr-defined]  # see `listens`
    return secret


def test_until_the_overlap_is_over_both_sign(ear: Receiver, alice: Customer, now: datetime) -> None:
    endpoint = listens(ear, now=now)
    _, newer = webhook_endpoints.rotate_secret(
        endpoint.pk, overlap_hours=1, by="test", now=now - HOUR / 2
    )
    happens(alice, ALICES)
    delivering.run(now=now)

    [request] = ear.requests
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    assert request.is_signed_by(secret_of(endpoint))
    assert request.is_signed_by(newer)
    assert not request.is_signed_by("whsec_" + "A" * 43 + "=")

    WebhookEndpoint.objects.update(former_secret_until=now)
    happens(alice, BOBS)
    delivering.run(now=now)

    request = ear.requests[-1]
    assert not request.is_signed_by(secret_of(endpoint))
    assert request.is_signed_by(newer)


def test_without_an_overlap_the_one_before_is_void_at_once(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    endpoint = listens(ear, now=now)
    _, newer = webhook_endpoints.rotate_secret(endpoint.pk, overlap_hours=0, by="test", now=now)
    happens(alice, ALICES)
    delivering.run(now=now)

    [request] = ear.requests
    assert not request.is_signed_by(secret_of(endpoint))
    assert request.is_signed_by(newer)
    with pytest.raises(InvalidError):
        webhook_endpoints.rotate_secret(endpoint.pk, overlap_hours=169, by="test", now=now)


def test_a_body_that_was_touched_is_not_signed(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    endpoint = listens(ear, now=now)
    happens(alice, ALICES)
    delivering.run(now=now)
    [request] = ear.requests
    webhook = Webhook(secret_of(endpoint))

    assert webhook.verify(request.body, request.headers) == request.said
    with pytest.raises(Exception, match="signature"):
        webhook.verify(request.body.replace(b"sandbox", b"gateway"), request.headers)


def test_what_is_stored_says_nothing(ear: Receiver, now: datetime) -> None:
    endpoint = listens(ear, now=now)
    webhook_endpoints.rotate_secret(endpoint.pk, by="test", now=now)

    with connection.cursor() as cursor:
        cursor.execute("SELECT billing_webhookendpoint::text FROM billing_webhookendpoint")
        [(stored,)] = cursor.fetchall()

    assert secret_of(endpoint).removeprefix("whsec_")[:16] not in stored
    assert "whsec_" not in stored


def test_it_outlives_its_key(
    ear: Receiver, alice: Customer, now: datetime, settings: Settings
) -> None:
    endpoint = listens(ear, now=now)
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another " * 8, [old]
    happens(alice, ALICES)
    delivering.run(now=now)
    assert ear.requests[0].is_signed_by(secret_of(endpoint))

    webhook_endpoints.reseal(now=now)
    settings.SECRET_KEY_FALLBACKS = []
    happens(alice, BOBS)
    delivering.run(now=now)

    assert ear.requests[1].is_signed_by(secret_of(endpoint))
    endpoint.refresh_from_db()
    stored = endpoint.secret
    webhook_endpoints.reseal(now=now)
    endpoint.refresh_from_db()
    assert endpoint.secret == stored


def test_one_that_cannot_be_read_any_more_holds_up_nobody_else(
    ear: Receiver, alice: Customer, now: datetime, settings: Settings
) -> None:
    listens(ear, now=now, description="lost")
    settings.SECRET_KEY = "another " * 8
    listens(ear, now=now, description="found")
    happens(alice, ALICES)

    delivering.run(now=now)

    tries = DeliveryTry.objects.values_list("delivery__endpoint__description", "failure")
    assert sorted(tries) == [("found", ""), ("lost", FailureKind.SECRET)]
    webhook_endpoints.reseal(now=now)  # leaves it, for the key may come back


def test_a_former_secret_is_forgotten_when_it_signs_no_more(ear: Receiver, now: datetime) -> None:
    endpoint = listens(ear, now=now)
    webhook_endpoints.rotate_secret(endpoint.pk, overlap_hours=1, by="test", now=now)

    webhook_endpoints.reseal(now=now + 2 * HOUR)

    endpoint.refresh_from_db()
    assert (endpoint.former_secret, endpoint.former_secret_until) == ("", None)
