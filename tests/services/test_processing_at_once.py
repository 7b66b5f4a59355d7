"""Processors while facts come in, and several at once."""

from __future__ import annotations

import pytest

from billing.core.errors import ConflictError
from billing.core.processors import all_processors
from billing.models import JournalSeal, Projection
from billing.queries import verification
from billing.services import locks, processing, sealing
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def lives(world: World) -> None:
    """Alice pays for a month."""
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-05-02")


def test_what_is_digested_as_it_comes_equals_its_rebuild(world: World) -> None:
    rows = Projection.objects.order_by("processor", "scope", "key")
    stored = rows.values_list("processor", "scope", "key", "value")
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    for day in ("2026-04-11 15:00", "2026-05-02", "2026-05-20", "2026-06-02"):
        world.at(day)
        if day == "2026-04-11 15:00":
            world.adds_card(alice)
        sealing.seal(now=world.now)
        processing.digest()
    kept = list(stored)

    for name in all_processors():
        assert processing.differences(name) == []
        processing.rebuild(name)
    assert list(stored.all()) == kept


def test_digesting_at_once_takes_every_entry_in_once(world: World) -> None:
    lives(world)
    sealing.seal(now=world.now)

    taken = at_once(*[processing.digest] * 3)

    assert sum(count for count in taken if isinstance(count, int)) == (
        len(all_processors()) * JournalSeal.objects.count()
    )
    assert list(verification.discrepancies()) == []


def test_two_rebuilds_of_one_processor_do_not_meet(world: World) -> None:
    lives(world)
    sealing.seal(now=world.now)
    processing.digest()
    with locks.alone("rebuild", "balances"):
        (refused,) = at_once(lambda: processing.rebuild("balances"))

    assert isinstance(refused, ConflictError)
