"""A plan becomes dearer, and its subscribers go over to the new version."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from billing.core.changes import Act
from billing.core.errors import NotFoundError
from billing.models import ScheduledChange, Subscription
from billing.services import moves
from billing.services.moves import Moved
from billing.services.schedule import Wish
from plans import services as plan_services
from plans.services import CouponTerms
from plans.terms import Billed, ChangeCharge, ChangeTime
from tests import builders
from tests.services.ahead import subscriber
from tests.services.moving import END, effect, figures, ids, move, reprices, version_of
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def test_a_price_rise_at_renewal_leaves_the_running_period_alone(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice, bob = subscriber(world, "alice"), subscriber(world, "bob")
    world.at("2026-04-16")
    reprices(world, amount="12.00")

    moved = move(world)

    assert set(moved.scheduled) == set(ids(world, [alice, bob]))
    assert (moved.refused, moved.attempts) == ([], [])
    assert version_of(world, alice) == 1
    world.at("2026-04-30 23:59")
    assert version_of(world, alice) == 1
    world.at("2026-06-01")
    assert version_of(world, alice) == 2
    assert world.bills(alice) == [
        ("04-01", [("Pro", "10.00")], "10.00"),
        ("05-01", [("Pro", "12.00")], "12.00"),
        ("06-01", [("Pro", "12.00")], "12.00"),
    ]
    assert world.bills(bob) == world.bills(alice)


def test_in_arrears_the_period_that_ends_is_still_at_the_old_price(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00", billed=Billed.IN_ARREARS)
    alice = subscriber(world, "alice")
    reprices(world, amount="12.00")

    move(world)

    world.at("2026-06-01")
    assert [total for _, _, total in world.bills(alice)] == ["10.00", "12.00"]


def test_a_move_now_is_prorated_and_collected(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice = subscriber(world, "alice")
    world.at("2026-04-16")
    reprices(world, amount="12.00")

    expected = effect(world, when=ChangeTime.NOW)
    moved = move(world, when=ChangeTime.NOW)

    assert len(moved.attempts) == 1
    assert world.bills(alice)[-1] == ("04-16", [("Unused Pro", "-5.00"), ("Pro", "6.00")], "1.00")
    assert world.newest_invoice(alice).status == "PAID"
    assert figures(expected) == {"USD": ("10.00", "13.00")}  # 1.00 now, 12.00 on 1 May


def test_a_charge_replaces_the_policy(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice = subscriber(world, "alice")
    world.at("2026-04-16")
    reprices(world, amount="12.00")

    expected = effect(world, when=ChangeTime.NOW, charge=ChangeCharge.NONE)
    move(world, when=ChangeTime.NOW, charge=ChangeCharge.NONE)

    assert version_of(world, alice) == 2
    assert len(world.bills(alice)) == 1
    assert figures(expected) == {"USD": ("10.00", "12.00")}


def test_some_are_moved_and_the_others_stay(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice, bob = subscriber(world, "alice"), subscriber(world, "bob")
    reprices(world, amount="12.00")

    moved = move(world, alice)

    world.at("2026-05-01")
    assert moved.scheduled == ids(world, [alice])
    assert (version_of(world, alice), version_of(world, bob)) == (2, 1)


def test_at_an_instant(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice = subscriber(world, "alice")
    reprices(world, amount="12.00")

    expected = effect(world, when=instant("2026-06-01"))
    move(world, when=instant("2026-06-01"))

    world.at("2026-07-01")
    assert [total for _, _, total in world.bills(alice)] == ["10.00", "10.00", "12.00", "12.00"]
    assert figures(expected) == {"USD": ("10.00", "12.00")}


def test_twice_is_once(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    alice = subscriber(world, "alice")
    reprices(world, amount="12.00")

    first = move(world)
    again = move(world)
    named = move(world, alice)
    pending = ScheduledChange.objects.pending().count()
    world.at("2026-05-01")
    later = move(world)

    assert len(first.scheduled) == pending == 1
    assert again == named == later == Moved()
    assert ScheduledChange.objects.count() == 1


def test_who_was_moved_meanwhile_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two move everybody at once; the second finds Alice moved when it comes to her."""
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    subscriber(world, "alice")
    reprices(world, amount="12.00")
    really, inner = moves._move, []

    def late(subscription_id: UUID, wish: Wish, *, by: str, now: datetime) -> Any:
        monkeypatch.setattr(moves, "_move", really)
        inner.append(move(world))
        return really(subscription_id, wish, by=by, now=now)

    monkeypatch.setattr(moves, "_move", late)
    outer = move(world)

    assert len(inner[0].scheduled) == 1
    assert outer == Moved()


def test_one_that_conflicts_is_told_and_stops_nobody(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    world.sells("Max", "60.00")
    alice, bob, charlie = (subscriber(world, name) for name in ("alice", "bob", "charlie"))
    reprices(world, amount="12.00")
    Subscription.objects.filter(customer=charlie).update(stalled_reason="It is broken.")
    world.at("2026-05-02")
    leaving = world.cancels(alice)

    expected = effect(world)
    moved = move(world)

    assert moved.scheduled == ids(world, [bob])
    told = {refusal.subscription: refusal.conflicts for refusal in moved.refused}
    (of_alice,), (of_charlie,) = (told[pk] for pk in ids(world, [alice, charlie]))
    assert (of_alice.code, of_alice.due_at) == ("same_instant", leaving.due_at)
    assert of_alice.change is None
    assert of_charlie.code == "billing_stalled"
    assert expected.refused == moved.refused
    assert expected.movable == 1


def test_a_quantity_that_is_sold_no_more_is_refused(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00", quantity_unit="seat")
    subscriber(world, "alice", quantity=2)
    reprices(world, minimum_quantity=5)

    expected = effect(world)
    moved = move(world)

    assert [one.code for refusal in moved.refused for one in refusal.conflicts] == [
        "quantity_too_low"
    ]
    assert expected.refused == moved.refused


def test_a_later_change_that_would_break_is_told_by_its_id(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00", quantity_unit="seat")
    alice = subscriber(world, "alice", quantity=5)
    fewer = world.changes(alice, quantity=1, when="2026-05-10")
    reprices(world, minimum_quantity=3)

    (refusal,) = move(world).refused

    assert [(one.code, one.change) for one in refusal.conflicts] == [("quantity_too_low", fewer.pk)]
    assert effect(world).refused == [refusal]


def test_strangers_to_the_plan_are_refused(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    world.sells("Max", "60.00")
    alice, bob, charlie = (
        subscriber(world, "alice"),
        subscriber(world, "bob", "Max"),
        subscriber(world, "charlie"),
    )
    reprices(world, amount="12.00")
    world.cancels(charlie, when="now")

    moved = move(world, alice, bob, charlie)

    assert moved.scheduled == ids(world, [alice])
    assert {refusal.subscription for refusal in moved.refused} == set(ids(world, [bob, charlie]))
    assert {one.code for refusal in moved.refused for one in refusal.conflicts} == {"not_on_plan"}


def test_the_past_is_refused(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00")
    subscriber(world, "alice")
    reprices(world, amount="12.00")
    yesterday = world.now - timedelta(days=1)

    expected, moved = effect(world, when=yesterday), move(world, when=yesterday)

    assert expected.refused == moved.refused
    assert [one.code for refusal in moved.refused for one in refusal.conflicts] == ["in_the_past"]


def test_no_such_plan(world: World) -> None:
    world.at("2026-04-01")

    with pytest.raises(NotFoundError):
        moves.move(UUID(int=1), subscriptions=None, when=END, charge=None, by="test", now=world.now)


def test_quantity_and_coupon_stay(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "10.00", quantity_unit="seat")
    terms = CouponTerms(percent_off=Decimal(10), duration="FOREVER")
    plan_services.create_coupon("TENTH", terms=terms, by="test", now=builders.LONG_AGO)
    alice = subscriber(world, "alice", quantity=4, coupon="TENTH")
    reprices(world, amount="12.00")

    assert figures(effect(world)) == {"USD": ("36.00", "43.20")}
    move(world)

    world.at("2026-05-01")
    assert world.bills(alice)[-1] == ("05-01", [("Pro", "43.20")], "43.20")


def test_in_trial_waiting_and_paused(world: World) -> None:
    """A trial goes over when it ends; where no period is open, nothing has to be waited for."""
    world.at("2026-04-01")
    world.sells("Pro", "10.00", trial_days=14)
    trying = subscriber(world, "trying")
    paused = subscriber(world, "paused", trial_days=0)
    waiting = world.customer("waiting")
    world.subscribes(waiting, "Pro", trial_days=0)
    world.at("2026-04-02").changes(paused, act=Act.PAUSE)
    reprices(world, amount="12.00")

    moved = move(world)

    assert len(moved.scheduled) == 3
    assert [version_of(world, person) for person in (trying, paused, waiting)] == [1, 2, 2]
    world.at("2026-04-15")
    assert world.bills(trying) == [("04-15", [("Pro", "12.00")], "12.00")]
