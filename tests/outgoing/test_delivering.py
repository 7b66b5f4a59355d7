"""Notifications on their way: taken, refused, late, in order, twice at most where somebody died."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

import pytest
from django.core import mail
from django.test import override_settings

from billing import tasks
from billing.core.delivering import DeliveryStatus, FailureKind
from billing.models import Delivery, DeliveryTry, WebhookEndpoint
from billing.services import delivering, notices, sweep, webhook_endpoints
from customers.models import Customer, User
from tests.outgoing.conftest import ALICES, BOBS, happens, listens
from tests.outgoing.receiver import (
    Mood,
    Receiver,
    answering,
    closing_half_way,
    endless,
    failing,
    receiver,
    slow,
    taking,
    trickling,
    trickling_body,
)

pytestmark = pytest.mark.django_db(transaction=True)

DAY: Final = timedelta(days=1)


def states() -> list[str]:
    """Of all deliveries, in order."""
    return list(Delivery.objects.order_by("position").values_list("status", flat=True))


def test_it_is_sent_signed_and_kept(ear: Receiver, alice: Customer, now: datetime) -> None:
    endpoint = listens(ear, now=now)
    [delivery] = happens(alice, ALICES)

    assert delivering.run(now=now) == 1

    [request] = ear.requests
    assert request.path == "/hooks"
    assert request.headers["webhook-id"] == str(delivery.event_id)
    assert request.headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert request.is_signed_by(endpoint.plain_secret)  # type: ignore[attr-defined]
    assert request.body.decode() == delivery.event.body
    assert request.said == {
        "id": str(delivery.event_id),
        "type": "payment_method.added",
        "version": 1,
        "timestamp": "2026-04-01T09:00:00Z",
        "data": {
            "object": "payment_method",
            "id": str(ALICES),
            "customer": str(alice.pk),
            "gateway": "sandbox",
            "url": f"/api/v1/payment-methods/{ALICES}",
        },
    }
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries, delivery.due_at) == ("DELIVERED", 1, None)
    [one] = DeliveryTry.objects.all()
    assert (one.status_code, one.failure, one.answer) == (200, "", "thank you")
    assert delivering.run(now=now) == 0


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    "case",
    [
        (failing, FailureKind.STATUS, 500),
        (answering(404), FailureKind.STATUS, 404),
        (answering(302, Location="http://127.0.0.1:1/"), FailureKind.REDIRECT, 302),
        (closing_half_way, FailureKind.BROKEN, None),
        (slow, FailureKind.TIMEOUT, None),
        (trickling, FailureKind.TIMEOUT, None),
    ],
    ids=["500", "404", "redirect", "half-way", "slow", "trickling"],
)
def test_what_is_not_taken_is_sent_again_the_same(
    ear: Receiver, alice: Customer, now: datetime, case: tuple[Mood, FailureKind, int | None]
) -> None:
    mood, *seen = case
    endpoint = listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(mood)

    delivering.run(now=now)

    [one] = DeliveryTry.objects.all()
    assert [one.failure, one.status_code] == seen
    assert one.took_ms < 5000
    delivery = Delivery.objects.get()
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.due_at is not None
    assert timedelta(seconds=5) <= delivery.due_at - now <= timedelta(seconds=8)
    assert delivering.run(now=now) == 0  # not yet
    assert delivering.run(now=delivery.due_at) == 1
    first, second = ear.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert second.is_signed_by(endpoint.plain_secret)  # type: ignore[attr-defined]
    assert states() == ["DELIVERED"]


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("mood", [trickling_body, endless])
def test_a_status_is_an_answer_whatever_follows(
    ear: Receiver, alice: Customer, now: datetime, mood: Mood
) -> None:
    listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(mood)

    delivering.run(now=now)

    [one] = DeliveryTry.objects.all()
    assert (one.failure, one.status_code) == ("", 200)
    assert 0 < len(one.answer) <= 1024


def test_nobody_there_is_a_failure_too(alice: Customer, now: datetime) -> None:
    with receiver() as gone:
        listens(gone, now=now)
    happens(alice, ALICES)

    delivering.run(now=now)

    assert DeliveryTry.objects.get().failure == FailureKind.UNREACHABLE


def test_an_answer_that_is_no_text_is_kept_as_far_as_it_can(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(answering(200, b"\x00\xff" + "ö".encode() + b"x" * 5000))

    delivering.run(now=now)

    answer = DeliveryTry.objects.get().answer
    assert answer.startswith("��öxxx")
    assert len(answer.encode()) < 1100


def test_what_happened_to_an_object_is_told_in_order(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(failing)
    delivering.run(now=now)
    rows = happens(alice, ALICES, BOBS, ALICES)

    delivering.run(now=now + timedelta(seconds=1))
    assert states() == ["PENDING", "PENDING", "DELIVERED", "PENDING"]

    delivering.run(now=now + timedelta(seconds=10))
    assert states() == ["DELIVERED"] * 4
    first, second, other, third = (str(row.event_id) for row in rows)
    told = [request.headers["webhook-id"] for request in ear.requests]
    assert told == [first, other, first, second, third]


def test_after_the_last_try_it_is_given_up_and_the_next_goes_on(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    listens(ear, now=now)
    first, second = happens(alice, ALICES, ALICES)
    ear.is_in(*[failing] * 10)
    waits = []
    at = now
    for _ in range(10):
        WebhookEndpoint.objects.update(failing_since_at=None)  # others are taken meanwhile
        assert delivering.run(now=at) >= 1
        first.refresh_from_db()
        if first.due_at is not None:
            waits.append(first.due_at - at)
            at = first.due_at

    assert first.status == DeliveryStatus.FAILED
    assert DeliveryTry.objects.filter(delivery=first).count() == 10
    assert [wait.total_seconds() // 1 for wait in waits] == sorted(
        wait.total_seconds() // 1 for wait in waits
    )
    assert 3 * DAY < at - now < 3.6 * DAY
    delivering.run(now=at + timedelta(minutes=2))
    second.refresh_from_db()
    assert second.status == DeliveryStatus.DELIVERED


def test_one_that_failed_for_three_days_is_left_alone_and_operators_are_told(
    alice: Customer, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    User.objects.create_superuser("root@example.org", "secret")
    with receiver(failing) as ear, caplog.at_level(logging.ERROR):
        endpoint = listens(f"{ear.url}?key=hidden", now=now)
        happens(alice, ALICES, BOBS)
        delivering.run(now=now)
        delivering.run(now=now + 2 * DAY)
        endpoint.refresh_from_db()
        assert endpoint.is_enabled

        delivering.run(now=now + 3 * DAY + timedelta(minutes=1))

        endpoint.refresh_from_db()
        assert not endpoint.is_enabled
        assert endpoint.disabled_reason == "Everything sent to it failed for three days."
        assert str(endpoint.pk) in caplog.text
        assert "hidden" not in caplog.text
        tried = len(ear.requests)
        delivering.run(now=now + 4 * DAY)
        assert len(ear.requests) == tried

    assert sweep.sweep(now=now).disabled == [endpoint.pk]
    tasks.report_endpoint(endpoint_id=str(endpoint.pk))
    tasks.report_endpoint(endpoint_id=str(endpoint.pk))
    [message] = mail.outbox
    assert message.to == ["root@example.org"]
    assert endpoint.disabled_reason in message.body
    assert str(endpoint.pk) in message.body
    assert "hidden" not in message.body
    assert sweep.sweep(now=now).disabled == []


def test_whom_to_mail_can_be_set(alice: Customer, now: datetime) -> None:
    User.objects.create_superuser("root@example.org", "secret")

    with override_settings(OPERATOR_EMAILS=["ops@example.org"]):
        assert notices.operators() == ["ops@example.org"]
    assert notices.operators() == ["root@example.org"]


def test_one_that_took_something_in_between_is_not_given_up(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    endpoint = listens(ear, now=now)
    ear.is_in(failing, taking, failing)
    happens(alice, ALICES)
    delivering.run(now=now)
    happens(alice, BOBS)
    delivering.run(now=now + timedelta(seconds=1))

    delivering.run(now=now + 4 * DAY)

    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    assert endpoint.failing_since_at is not None


def test_one_that_is_gone_is_left_alone_at_once_and_can_come_back(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    endpoint = listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(answering(410))

    delivering.run(now=now)

    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason[:15]) == (False, "It answered 410")
    happens(alice, BOBS)  # nobody listens
    assert states() == ["PENDING"]
    assert delivering.run(now=now + DAY) == 0

    webhook_endpoints.update(endpoint.pk, {"is_enabled": True}, by="test", now=now + DAY)

    assert delivering.run(now=now + DAY) == 1
    assert states() == ["DELIVERED"]
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.disabled_reason) == (None, "")


def test_the_task_sends_what_is_due(ear: Receiver, alice: Customer, now: datetime) -> None:
    listens(ear, now=now)
    happens(alice, ALICES)

    tasks.deliver()

    assert states() == ["DELIVERED"]
