"""What the world is told of entitlements, and that nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.models import EntitlementMark, OutgoingEvent, UsageTotal
from billing.services import corrections, entitlement_changes, journal, usage, webhook_endpoints
from billing.services.journal import Fact
from billing.services.usage import Report
from customers.models import Customer
from plans.prices import Price, UsageModel
from plans.terms import UsageTerms
from tests.builders import make_meter
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db

News = Callable[[], list[tuple[str, Any]]]


@pytest.fixture
def news(world: World) -> News:
    """What is new to the world when a worker has looked: features with their reasons, meters with
    the percentage that they have come to.
    """
    world.at("2026-04-01")
    webhook_endpoints.create("http://127.0.0.1:9/", types=[], by="test", now=world.now)
    heard = 0

    def new() -> list[tuple[str, Any]]:
        nonlocal heard
        while entitlement_changes.tell(now=world.now):
            pass
        types = ("entitlement.changed", "usage.threshold")
        events = OutgoingEvent.objects.filter(position__gt=heard, type__in=types)
        found: list[tuple[str, Any]] = []
        for event in events.order_by("position"):
            heard = event.position
            data = json.loads(event.body)["data"]
            found += [(each["feature"], each["reason"]) for each in data.get("entitlements", [])]
            if "threshold" in data:
                found.append((data["meter"], Decimal(data["threshold"])))
        return found

    return new


@pytest.fixture
def alice(world: World, news: News) -> Customer:
    """On a plan with a switch and a wall, of which the world knows."""
    world.sells("Team", "10.00", features={"sso": True}, limits={"api_calls": "10"})
    alice = world.signs_up("alice", "Team")
    world.adds_card(alice)
    news()
    return alice


def test_what_begins_and_ends_with_a_subscription(world: World, news: News) -> None:
    world.sells("Team", "10.00", features={"sso": True}, trial_days=7)
    alice = world.signs_up("alice", "Team")
    assert news() == [("sso", "trial")]
    world.adds_card(alice)
    assert news() == []
    world.at("2026-04-09")
    assert news() == [("sso", "subscribed")]
    world.cancels(alice, "now")
    assert news() == [("sso", "canceled")]


def test_another_plan_grants_something_else(world: World, news: News, alice: Customer) -> None:
    world.sells("Solo", "5.00", limits={"api_calls": "3"})
    world.changes(alice, plan="Solo")

    assert sorted(news()) == [("api_calls", "subscribed"), ("sso", "not_in_plan")]


def test_a_limit_is_told_when_it_comes_near_and_when_it_is_reached(
    world: World, news: News, alice: Customer
) -> None:
    world.uses(alice, 7)
    assert news() == []
    world.uses(alice, 1)
    assert news() == [("api_calls", 80)]
    world.uses(alice, 1)
    assert news() == []
    world.uses(alice, 1)
    assert news() == [("api_calls", "limit_reached"), ("api_calls", 100)]
    world.uses(alice, 1)
    assert news() == []


def test_whoever_counts_on_marks_only_near_a_threshold(
    world: World, news: News, alice: Customer
) -> None:
    world.uses(alice, 5)
    news()
    world.uses(alice, "2.999999999999")
    assert not EntitlementMark.objects.exists()
    world.uses(alice, "0.000000000001")
    assert EntitlementMark.objects.exists()


def test_an_allowance_ends_above_it(world: World, news: News) -> None:
    make_meter("tokens")
    price = Price(UsageModel.ALLOWANCE, Decimal("1.00"), Decimal(10))
    world.sells("Metered", "10.00", usage=(UsageTerms("tokens", price),))
    alice = world.signs_up("alice", "Metered")
    world.adds_card(alice)
    news()

    world.uses(alice, 10, "tokens")
    assert news() == [("tokens", 100)]
    world.uses(alice, "0.000000000001", "tokens")
    assert news() == [("tokens", "above_allowance")]


def test_what_is_withdrawn_is_granted_again(world: World, news: News, alice: Customer) -> None:
    usage.record([Report("e1", "alice", "api_calls", Decimal(10))], now=world.now)
    assert ("api_calls", "limit_reached") in news()

    corrections.withdraw("alice", "e1", by="test", now=world.now)

    assert news() == [("api_calls", "subscribed")]


def test_a_new_period_begins_anew(world: World, news: News, alice: Customer) -> None:
    world.uses(alice, 10)
    news()

    world.at("2026-05-01 00:00")
    assert news() == [("api_calls", "subscribed")]
    world.uses(alice, 8)
    assert news() == [("api_calls", 80)]


def test_only_time_passes(world: World, news: News) -> None:
    """A decline, and then the end of the grace period, at which nothing is entered anywhere."""
    world.sells("Team", "10.00", features={"sso": True})
    alice = world.signs_up("alice", "Team")
    world.adds_card(alice)
    news()
    world.adds_card(alice, "tok_insufficient_funds")
    world.at("2026-05-01 01:00")
    assert news() == [("sso", "grace_period")]
    world.at("2026-05-09")
    assert news() == [("sso", "past_due")]


def test_who_lives_by_no_clock_is_looked_at_when_the_time_has_come(
    world: World, news: News
) -> None:
    world.sells("Team", "10.00", features={"sso": True}, trial_days=7)
    alice = world.signs_up("alice", "Team")
    news()
    Customer.objects.update(test_clock=None)

    end = world.subscription(alice).trial_end
    assert end is not None
    assert entitlement_changes.tell(now=end) == 1
    [event] = OutgoingEvent.objects.filter(type="entitlement.changed").order_by("-position")[:1]
    [told] = json.loads(event.body)["data"]["entitlements"]
    assert (told["feature"], told["reason"]) == ("sso", "payment_method_required")
    assert entitlement_changes.tell(now=end) == 0


def test_several_components_reach_a_limit_together(world: World, news: News) -> None:
    make_meter("tokens")
    usage_terms = tuple(
        UsageTerms(
            "tokens",
            Price(UsageModel.PER_UNIT, Decimal("0.10")),
            only={"model": (model,)},
        )
        for model in ("large", "small")
    )
    world.sells("Filtered", "1.00", usage=usage_terms, limits={"tokens": "10"})
    alice = world.signs_up("alice", "Filtered")
    world.adds_card(alice)
    news()
    for number in range(10):
        properties = {"model": ("large", "small")[number % 2]}
        event = Report(f"e{number}", "alice", "tokens", Decimal(1), None, properties)
        usage.record([event], now=world.now)
        found = news()
        assert (("tokens", 80) in found) == (number == 7)
        assert (("tokens", "limit_reached") in found) == (number == 9)


def test_a_mark_goes_with_what_it_marks(world: World, news: News, alice: Customer) -> None:
    fact = Fact("SUBSCRIPTION_PAUSED", "k", alice.pk, world.now, {})
    with transaction.atomic():
        journal.post(fact)
        assert EntitlementMark.objects.exists()
        transaction.set_rollback(True)

    assert not EntitlementMark.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_it_once(world: World, news: News, alice: Customer) -> None:
    world.uses(alice, 10)
    now = world.now

    at_once(*[lambda: entitlement_changes.tell(now=now) for _ in range(4)])

    assert sorted(news(), key=str) == sorted(
        [("api_calls", "limit_reached"), ("api_calls", Decimal(100))], key=str
    )


@pytest.mark.django_db(transaction=True)
def test_nothing_counted_while_a_worker_looks_is_lost(
    world: World, news: News, alice: Customer
) -> None:
    now = world.now

    def report(number: int) -> Any:
        return usage.record([Report(f"e{number}", "alice", "api_calls", Decimal(1))], now=now)

    for start in range(0, 10, 5):
        at_once(
            *[lambda number=number: report(number) for number in range(start, start + 5)],
            lambda: entitlement_changes.tell(now=now),
        )

    found = news()
    assert UsageTotal.objects.get().quantity == 10
    assert ("api_calls", Decimal(100)) in found
    assert ("api_calls", "limit_reached") in found
