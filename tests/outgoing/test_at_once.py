"""Many at once: slow receivers beside quick ones, two workers, and one that is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import datetime, timedelta
from threading import Event
from typing import Final
from uuid import UUID

import pytest
from django.db import connections, transaction

from billing.models import Delivery, DeliveryTry
from billing.services import delivering, locks, webhook_endpoints
from customers.models import Customer
from tests.outgoing.conftest import ALICES, happens, listens
from tests.outgoing.receiver import Receiver, failing, receiver, slow, slow_to_take
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

FORK: Final = multiprocessing.get_context("fork")
TOO_LATE: Final = delivering.LEASE + timedelta(seconds=1)


def states() -> list[str]:
    """Of all deliveries, in order."""
    return list(Delivery.objects.order_by("position").values_list("status", flat=True))


def test_a_slow_one_keeps_nobody_waiting(alice: Customer, now: datetime) -> None:
    with receiver(slow_to_take) as sleeper, receiver() as ear:
        listens(sleeper, now=now)
        listens(ear, now=now)
        happens(alice, *(an_object(number) for number in range(40)))

        def look() -> int:
            for _ in range(40):
                ear.waits_for_one()
            told = len(sleeper.requests)
            sleeper.released.set()
            return told

        sent, asleep = at_once(lambda: delivering.run(now=now), look)

    assert (sent, asleep) == (80, delivering.SHARE)


def test_one_that_failed_last_is_tried_once_a_run(alice: Customer, now: datetime) -> None:
    with receiver(failing) as ear:
        listens(ear, now=now)
        happens(alice, *(an_object(number) for number in range(20)))
        delivering.run(now=now)
        before = len(ear.requests)
        assert before <= delivering.SHARE + 1  # a share that all failed, and a look at it

        assert delivering.run(now=now) == 1

        assert len(ear.requests) == before + 1


def test_two_workers_at_once_send_each_once(ear: Receiver, alice: Customer, now: datetime) -> None:
    listens(ear, now=now)
    happens(alice, *(an_object(number) for number in range(30)))

    counts = at_once(lambda: delivering.work(now=now), lambda: delivering.work(now=now))

    assert sum(count for count in counts if isinstance(count, int)) == 30
    told = [request.headers["webhook-id"] for request in ear.requests]
    assert len(told) == len(set(told)) == 30
    assert states() == ["DELIVERED"] * 30


def test_a_second_worker_leaves_it_to_the_first(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    listens(ear, now=now)
    happens(alice, ALICES)

    with locks.alone("outgoing", "deliver"):
        [count] = at_once(lambda: delivering.run(now=now))

    assert (count, ear.requests) == (0, [])


def test_what_a_killed_worker_had_in_its_hands_is_sent_again(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    listens(ear, now=now)
    happens(alice, ALICES, ALICES)
    ear.is_in(slow)
    connections.close_all()
    worker = FORK.Process(target=_work, args=(now,))
    worker.start()
    ear.waits_for_one()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()

    assert delivering.run(now=now) == 0  # as far as anybody knows, it is on its way
    assert delivering.run(now=now + TOO_LATE) == 2

    first, again, second = (request.headers["webhook-id"] for request in ear.requests)
    assert first == again != second
    assert states() == ["DELIVERED"] * 2


def test_a_failure_heard_late_does_not_undo_a_success(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    """The first worker hangs for longer than its lease; the second one gets through."""
    listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(slow)

    def overtake() -> int:
        ear.waits_for_one()
        try:
            return delivering.work(now=now + TOO_LATE)
        finally:
            ear.released.set()

    assert at_once(lambda: delivering.work(now=now), overtake) == [1, 1]

    assert states() == ["DELIVERED"]
    assert sorted(DeliveryTry.objects.values_list("failure", flat=True)) == ["", "BROKEN"]


def test_what_is_deleted_while_it_is_sent_is_forgotten(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    endpoint = listens(ear, now=now)
    happens(alice, ALICES)
    ear.is_in(slow_to_take)

    def delete() -> None:
        ear.waits_for_one()
        webhook_endpoints.delete(endpoint.pk)
        ear.released.set()

    assert at_once(lambda: delivering.run(now=now), delete) == [1, None]

    assert not Delivery.objects.exists()


def test_deleting_an_endpoint_undoes_nothing_that_it_was_to_be_told_of(
    ear: Receiver, alice: Customer, now: datetime
) -> None:
    endpoint = listens(ear, now=now)
    is_told, is_deleting = Event(), Event()

    def tell() -> None:
        with transaction.atomic():
            happens(alice, ALICES)
            is_told.set()
            assert is_deleting.wait(10)

    def delete() -> None:
        assert is_told.wait(10)
        is_deleting.set()
        webhook_endpoints.delete(endpoint.pk)

    assert at_once(tell, delete) == [None, None]

    assert not Delivery.objects.exists()


def an_object(number: int) -> UUID:
    """An object of its own."""
    return UUID(int=ALICES.int + number)


def _work(now: datetime) -> None:
    """A worker process, with connections of its own."""
    settings = connections.databases["default"]
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": False}
    del connections["default"]
    delivering.run(now=now)
