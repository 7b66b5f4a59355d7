"""Ten processes finalize the invoices of one series at once and are killed at random instants."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.context import ForkProcess
from typing import Final
from uuid import UUID

import pytest
from django.db import connections, transaction

from billing.models import Invoice, InvoiceSeries, JournalEntry
from billing.services import invoices, locks
from tests.world import World, instant

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES: Final = 10
DRAFTS: Final = 120
DEADLINE: Final = 60
FORK: Final = multiprocessing.get_context("fork")


def test_no_number_is_missing_or_doubled(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    people = [alice, *(world.customer(f"customer-{number}") for number in range(9))]
    drafts = [world.drafts(people[n % len(people)], "9.00").pk for n in range(DRAFTS)]
    connections.close_all()
    chance = random.Random(4)  # noqa: S311  # only when somebody is killed depends on it
    ends_at = time.monotonic() + DEADLINE
    running: list[ForkProcess] = []
    killed = 0
    while time.monotonic() < ends_at and _left(drafts):
        running = [process for process in running if process.is_alive()]
        while len(running) < PROCESSES:
            process = FORK.Process(target=_finalize, args=(drafts, chance.random()))
            process.start()
            running.append(process)
        time.sleep(chance.uniform(0, 0.05))
        victim = chance.choice(running)
        if killed < DRAFTS and victim.pid is not None and victim.is_alive():
            os.kill(victim.pid, signal.SIGKILL)
            killed += 1
    for process in running:
        process.join()

    numbers = Invoice.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == list(range(1, DRAFTS + 1))
    assert InvoiceSeries.objects.get().next_number == DRAFTS + 1
    assert JournalEntry.objects.filter(kind="INVOICE_FINALIZED").count() == DRAFTS
    assert killed >= PROCESSES


def _left(drafts: list[UUID]) -> bool:
    return Invoice.objects.filter(pk__in=drafts, number=None).exists()


def _finalize(drafts: list[UUID], seed: float) -> None:
    """In a process of its own: whatever is still a draft, a few at a time, in no order."""
    settings = connections.databases["default"]
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": False}
    del connections["default"]  # the parent's, and its pool's threads are not here
    chance = random.Random(seed)  # noqa: S311
    while left := list(Invoice.objects.filter(pk__in=drafts, number=None)):
        chosen = chance.sample(left, k=min(len(left), chance.randint(1, 4)))
        with transaction.atomic():
            for customer in sorted({row.customer_id for row in chosen}):
                locks.customer(customer)
            found = Invoice.objects.filter(pk__in=[row.pk for row in chosen], number=None)
            invoices.finalize(list(found), now=instant("2026-04-01"))
            time.sleep(chance.uniform(0, 0.02))  # the numbers are taken, and not committed yet
    os._exit(0)
