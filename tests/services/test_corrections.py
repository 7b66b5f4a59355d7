"""Events are withdrawn and replaced, before and after their period is closed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError

from billing.core.errors import InvalidError, NotFoundError
from billing.models import JournalEntry, UsageEvent
from billing.services import corrections, usage
from billing.services.usage import Report
from customers.models import Customer
from tests.services.metered import (
    adjusted,
    closed,
    counted,
    days,
    open_period,
    report,
    subscriber,
    values,
)
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    """On a plan with a meter of every kind, since 1 April 2026; it is the 11th."""
    customer = subscriber(world.at("2026-04-01"))
    world.at("2026-04-11 15:00")
    return customer


def withdraw(world: World, event_id: str, customer: str = "alice") -> UsageEvent:
    return corrections.withdraw(customer, event_id, by="test", now=world.now)


def replace(world: World, instead: Report, **options: Any) -> UsageEvent:
    return corrections.replace(instead, by="test", now=world.now, **options)


# What three events of each kind make, without the second, and with another instead of it.
EVENTS = [
    ("a", "5", "2026-04-09 08:00", "ann"),
    ("b", "9", "2026-04-09 09:00", "bob"),
    ("c", "7", "2026-04-09 08:30", "ann"),
]
CASES: list[tuple[str, str, str, str]] = [
    ("tokens", "21", "12", "15"),
    ("jobs", "3", "2", "3"),
    ("peak", "9", "7", "7"),
    ("seats", "9", "7", "3"),
    ("users", "2", "1", "1"),
]


def used(world: World, meter: str) -> None:
    usage.record(
        [report(name, meter, quantity, at, user=user) for name, quantity, at, user in EVENTS],
        now=world.now,
    )


def only(meter: str, total: str) -> dict[str, Decimal]:
    return {meter: Decimal(total)}


@pytest.mark.parametrize(("meter", "before", "without", "_instead"), CASES)
def test_what_is_withdrawn_counts_nowhere(
    world: World, alice: Customer, *, meter: str, before: str, without: str, _instead: str
) -> None:
    used(world, meter)
    assert counted(open_period(alice)) == only(meter, before)

    event = withdraw(world, "b")

    assert (event.withdrawn_at, event.withdrawn_by) == (world.now, "test")
    assert counted(open_period(alice)) == only(meter, without)
    if meter == "users":
        assert {key: row[0] for key, row in values(open_period(alice)).items()} == {
            ("users", "ann"): 2
        }
    else:
        assert days(alice, meter) == {"04-09": Decimal(without)}


@pytest.mark.parametrize(("meter", "_before", "without", "instead"), CASES)
def test_what_is_replaced_counts_as_it_is_now(
    world: World, alice: Customer, *, meter: str, _before: str, without: str, instead: str
) -> None:
    used(world, meter)

    event = replace(world, report("b", meter, "3", "2026-04-09 10:00", user="ann"))

    assert (event.event_id, event.revision, event.withdrawn_at) == ("b", 1, None)
    assert counted(open_period(alice)) == only(meter, instead)
    if meter != "users":
        assert days(alice, meter) == {"04-09": Decimal(instead)}
    withdraw(world, "b")
    assert counted(open_period(alice)) == only(meter, without)


@pytest.mark.parametrize(("meter", "before", "without", "instead"), CASES)
def test_a_correction_of_a_closed_period_is_a_difference(
    world: World, alice: Customer, *, meter: str, before: str, without: str, instead: str
) -> None:
    used(world, meter)
    closed(open_period(alice))

    withdraw(world, "b")
    assert adjusted(alice) == {meter: (Decimal(before), Decimal(without))}
    replace(world, report("b", meter, "3", "2026-04-09 10:00", user="ann"))

    changed = {meter: (Decimal(without), Decimal(instead))} if without != instead else {}
    assert adjusted(alice) == changed
    assert adjusted(alice) == {}


@pytest.mark.parametrize(("meter", "_before", "_without", "_instead"), CASES)
def test_withdrawing_all_leaves_nothing_and_counting_begins_anew(
    world: World, alice: Customer, *, meter: str, _before: str, _without: str, _instead: str
) -> None:
    used(world, meter)
    for name in ("b", "a", "c"):
        withdraw(world, name)

    period = open_period(alice)
    assert (counted(period), values(period), days(alice, meter)) == ({}, {}, {})
    usage.record([report("d", meter, "1", "2026-04-02", user="ann")], now=world.now)
    assert counted(period) == {meter: Decimal(1)}


def test_withdrawing_again_and_reporting_again_change_nothing(
    world: World, alice: Customer
) -> None:
    used(world, "tokens")
    first = withdraw(world, "b")
    world.at("2026-04-12")

    assert withdraw(world, "b").withdrawn_at == first.withdrawn_at
    receipt = usage.record([report("b", quantity="9")], now=world.now)

    assert (receipt.accepted, receipt.duplicates) == (0, 1)
    assert counted(open_period(alice)) == {"tokens": Decimal(12)}
    assert JournalEntry.objects.filter(kind="USAGE_WITHDRAWN").count() == 1


def test_replacing_by_the_same_changes_nothing(world: World, alice: Customer) -> None:
    used(world, "tokens")
    instead = report("b", "tokens", "3", model="large")
    first = replace(world, instead)

    assert first.occurred_at == instant("2026-04-09 09:00")  # as before
    assert replace(world, instead) == first
    assert UsageEvent.objects.filter(event_id="b").count() == 2


def test_a_replacement_brings_back_what_was_withdrawn(world: World, alice: Customer) -> None:
    used(world, "tokens")
    withdraw(world, "b")

    event = replace(world, report("b", "tokens", "9", user="bob"))

    assert event.revision == 1
    assert counted(open_period(alice)) == {"tokens": Decimal(21)}


def test_a_replacement_moves_to_another_period_meter_and_component(
    world: World, alice: Customer
) -> None:
    used(world, "tokens")
    april = open_period(alice)
    world.at("2026-05-03")
    usage.record([report("d", "users", user="bob", model="huge")], now=world.now)

    replace(world, report("b", "users", at="2026-05-02", user="ann", model="large"))
    replace(world, report("c", "tokens", "7", at="2026-04-09 08:30", model="large"))

    assert counted(april) == {"tokens": Decimal(5), "tokens[model=large|huge]": Decimal(7)}
    assert counted(open_period(alice)) == {"users[model=large|huge]": Decimal(2)}
    assert days(alice, "tokens") == {"04-09": Decimal(12)}
    assert adjusted(alice) == {
        "tokens": (Decimal(21), Decimal(5)),
        "tokens[model=large|huge]": (Decimal(0), Decimal(7)),
    }


def test_the_first_day_of_a_value_moves_when_its_event_is_withdrawn(
    world: World, alice: Customer
) -> None:
    usage.record(
        [
            report("a", "users", at="2026-04-05", user="ann"),
            report("b", "users", at="2026-04-07", user="ann"),
            report("c", "users", at="2026-04-06", user="ann", model="large"),
            report("d", "users", at="2026-04-06", user="bob"),
        ],
        now=world.now,
    )

    withdraw(world, "a")

    assert f"{values(open_period(alice))['users', 'ann'][1]}" == "2026-04-07"


def test_an_event_that_waits_is_withdrawn_and_never_counted(world: World) -> None:
    subscriber(world.at("2026-04-11"), "bob")  # so that there is a plan
    alice = world.customer("alice")
    usage.record([report("a", quantity="3"), report("b", quantity="4")], now=world.now)

    withdraw(world, "a")
    replace(world, report("b", "tokens", "5"))

    assert days(alice, "tokens") == {"04-11": Decimal(5)}
    world.adds_card(alice)
    world.subscribes(alice, "Metered")
    assert counted(open_period(alice)) == {"tokens": Decimal(5)}


def test_what_is_old_can_be_withdrawn_but_not_replaced(world: World, alice: Customer) -> None:
    used(world, "tokens")
    april = open_period(alice)
    world.at("2026-07-01")

    with pytest.raises(InvalidError) as refused:
        replace(world, report("b", "tokens", "3"))
    assert refused.value.code == "too_old"
    assert counted(april) == {"tokens": Decimal(21)}

    withdraw(world, "b")
    assert counted(april) == {"tokens": Decimal(12)}


@pytest.mark.parametrize(
    ("instead", "code"),
    [
        (report("b", "nothing"), "unknown_meter"),
        (report("b", "users"), "missing_property"),
        (report("b", "tokens", "-1"), "invalid_quantity"),
        (report("b", "tokens", at="2026-04-12"), "in_the_future"),
    ],
)
def test_a_replacement_that_cannot_be_counted_changes_nothing(
    world: World, alice: Customer, *, instead: Report, code: str
) -> None:
    used(world, "tokens")

    with pytest.raises(InvalidError) as refused:
        replace(world, instead)

    assert refused.value.code == code
    assert counted(open_period(alice)) == {"tokens": Decimal(21)}


def test_what_never_was_and_what_is_a_strangers(world: World, alice: Customer) -> None:
    bob = subscriber(world, "bob")
    used(world, "tokens")
    attempts: list[Callable[[], object]] = [
        lambda: withdraw(world, "z"),
        lambda: withdraw(world, "b", "bob"),
        lambda: withdraw(world, "b", "nobody"),
        lambda: corrections.withdraw("alice", "b", by="test", now=world.now, only_customer=bob.pk),
        lambda: replace(world, report("z")),
        lambda: replace(world, report("b", customer="bob")),
        lambda: replace(world, report("b", quantity="1"), only_customer=bob.pk),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError) as refused:
            attempt()
        assert refused.value.code == "not_found"
    assert counted(open_period(alice)) == {"tokens": Decimal(21)}


def test_the_journal_says_who_corrected_what_and_names_nobody(
    world: World, alice: Customer
) -> None:
    usage.record([report("ann@example.org", "users", user="ann")], now=world.now)
    replace(world, report("ann@example.org", "users", at=world.now, user="bob", model="large"))
    withdraw(world, "ann@example.org")

    replaced, withdrawn = JournalEntry.objects.filter(kind__startswith="USAGE").order_by("pk")
    first, second = UsageEvent.objects.order_by("revision")
    said = {"meter": "users", "quantity": "1.000000000000", "occurred_at": world.now.isoformat()}
    assert (replaced.kind, replaced.idempotency_key, replaced.context) == (
        "USAGE_REPLACED",
        f"usage_event:{second.pk}:replaced",
        {
            "event": second.pk,
            **said,
            "revision": 1,
            "instead_of": {**said, "revision": 0},
            "by": "test",
        },
    )
    assert (withdrawn.kind, withdrawn.idempotency_key, withdrawn.context) == (
        "USAGE_WITHDRAWN",
        f"usage_event:{second.pk}:withdrawn",
        {"event": second.pk, **said, "revision": 1, "by": "test"},
    )
    assert first.withdrawn_at == world.now


@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_event_is_as_immutable_as_any(world: World, alice: Customer) -> None:
    used(world, "tokens")
    withdraw(world, "b")

    with pytest.raises(DatabaseError, match="refused"):
        UsageEvent.objects.filter(event_id="b").update(withdrawn_at=None)


@pytest.mark.django_db(transaction=True)
def test_an_event_withdrawn_by_many_at_once_is_taken_away_once(
    world: World, alice: Customer
) -> None:
    used(world, "tokens")

    outcomes = at_once(*[lambda: withdraw(world, "b")] * 4)

    assert all(isinstance(outcome, UsageEvent) for outcome in outcomes), outcomes
    assert counted(open_period(alice)) == {"tokens": Decimal(12)}
