"""What moving subscribers would mean, before they are moved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.core.money import Money
from billing.models import JournalEntry, ScheduledChange
from billing.queries import prospects
from billing.queries.moves import Difference
from plans.prices import Price, UsageModel
from plans.terms import ChangeTime, Interval, UsageTerms
from tests.services.ahead import CALLS, subscriber
from tests.services.moving import effect, figures, move, reprices
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_effect_supposes_usage_as_in_the_last_period(world: World) -> None:
    world.at("2026-03-01")
    world.sells("Pro", "10.00", usage=CALLS)
    alice = subscriber(world, "alice")
    world.uses(alice, 100)
    world.at("2026-04-02").uses(alice, 40)
    dearer = UsageTerms("api_calls", Price(UsageModel.PER_UNIT, Decimal("0.20")))
    reprices(world, usage=[dearer.to_json()])

    # 1 May: 10.00 ahead and April's usage, which is as it was; 1 June: 100 used, at 0.20.
    assert figures(effect(world)) == {"USD": ("40.00", "50.00")}
    # Now: 40 at 0.10 at once, and what 29 of 30 days are supposed to count at 0.20 on 1 May.
    assert figures(effect(world, when=ChangeTime.NOW)) == {"USD": ("20.00", "33.33")}


def test_the_effect_by_currency_and_for_some(world: World) -> None:
    world.at("2026-04-01")
    for name, amount, currency in (("Yen", "500", "JPY"), ("Dinars", "1.234", "KWD")):
        world.sells(name, amount, currency=currency)
    people = [subscriber(world, "alice", "Yen"), subscriber(world, "bob", "Yen")]
    subscriber(world, "charlie", "Dinars")
    reprices(world, "Yen", amount="600")
    reprices(world, "Dinars", amount="1.5")

    everybody, one = effect(world, plan="Yen"), effect(world, people[0], plan="Yen")

    assert (everybody.movable, figures(everybody)) == (2, {"JPY": ("1000", "1200")})
    assert (one.movable, figures(one)) == (1, {"JPY": ("500", "600")})
    assert figures(effect(world, plan="Dinars")) == {"KWD": ("1.234", "1.500")}


def test_a_month_becomes_a_year(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice = subscriber(world, "alice")
    reprices(world, amount="100.00", interval=Interval.YEAR)

    assert figures(effect(world)) == {"USD": ("10.00", "100.00")}
    move(world)

    world.at("2026-07-01")
    assert [total for _, _, total in world.bills(alice)] == ["10.00", "100.00"]


def test_the_effect_is_what_comes_and_stores_nothing(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00", usage=CALLS)
    people = [subscriber(world, name) for name in ("alice", "bob")]
    world.at("2026-04-10")
    reprices(world, amount="12.50")
    before = (ScheduledChange.objects.count(), JournalEntry.objects.count())

    found = effect(world)

    assert (ScheduledChange.objects.count(), JournalEntry.objects.count()) == before
    move(world)
    world.at("2026-06-01")
    totals = [total for person in people for _, _, total in world.bills(person)[1:]]
    assert totals == ["12.50"] * 4
    assert found.sums == {"USD": Difference(Money(4000, "USD"), Money(5000, "USD"))}


def test_the_effect_is_read_in_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospects, "CHUNK", 2)
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    for number in range(5):
        subscriber(world, f"person-{number}")
    reprices(world, amount="12.00")

    found = effect(world)

    assert (found.movable, figures(found)) == (5, {"USD": ("50.00", "60.00")})
