"""Dunning that is stopped, rests, and goes on."""

from __future__ import annotations

import pytest

from billing.core.dunning import DunningReason, DunningStatus
from billing.core.errors import ConflictError
from billing.core.lifecycle import InvoiceStatus, SubscriptionStatus
from billing.models import (
    JournalEntry,
)
from billing.services import (
    dunning,
    profiles,
)
from tests.services.dunned import (
    billed_by_hand,
    facts,
    made,
    run_of,
    subscriber,
    told,
    tried,
)
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def test_an_operator_stops_and_resumes_where_it_stood(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-04")
    stopped = dunning.stop(run_of(alice).pk, by="carol", now=world.now, note="Will pay in June.")
    assert (stopped.status, stopped.due_at) == (DunningStatus.STOPPED, None)
    assert (stopped.ended_by, stopped.note) == ("carol", "Will pay in June.")
    assert world.newest_invoice(alice).next_charge_at is None

    world.at("2026-05-24")
    assert tried(alice) == ["05-01", "05-03"]
    assert len(told(alice)) == 1
    assert world.subscription(alice).status == SubscriptionStatus.PAST_DUE

    resumed = dunning.resume(run_of(alice).pk, by="carol", now=world.now)

    assert resumed.started_at == instant("2026-05-21")  # twenty days did not count
    assert (resumed.due_at, resumed.ended_at, resumed.note) == (instant("2026-05-28"), None, "")
    assert world.newest_invoice(alice).next_charge_at == world.now  # it would have been due
    world.at("2026-05-31")
    assert tried(alice)[:3] == ["05-01", "05-03", "05-24"]
    assert [day for day, _ in told(alice)] == ["05-01 00:00", "05-28 00:00"]
    assert run_of(alice).ended_at == instant("2026-05-31")
    assert facts(alice) == [
        ("05-01", "DUNNING_STARTED"),
        ("05-01", "DUNNING_NOTICE"),
        ("05-04", "DUNNING_STOPPED"),
        ("05-24", "DUNNING_RESUMED"),
        ("05-28", "DUNNING_NOTICE"),
        ("05-31", "DUNNING_ENDED"),
    ]


def test_what_was_stopped_is_not_begun_again_by_another_decline(world: World) -> None:
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-02")
    dunning.stop(run_of(alice).pk, by="carol", now=world.now)

    world.at("2026-05-03").adds_card(alice, "tok_insufficient_funds")

    assert tried(alice) == ["05-01", "05-03"]
    assert run_of(alice).status == DunningStatus.STOPPED
    assert world.newest_invoice(alice).next_charge_at is None


def test_only_a_running_one_is_stopped_and_only_a_stopped_one_resumed(world: World) -> None:
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-02")
    run = run_of(alice)
    with pytest.raises(ConflictError, match="The run is running"):
        dunning.resume(run.pk, by="carol", now=world.now)
    dunning.stop(run.pk, by="carol", now=world.now)
    with pytest.raises(ConflictError, match="The run is stopped"):
        dunning.stop(run.pk, by="carol", now=world.now)

    world.at("2026-05-03").adds_card(alice)

    with pytest.raises(ConflictError) as refused:
        dunning.resume(run.pk, by="carol", now=world.now)
    assert refused.value.code == "nothing_to_dun"


def test_nothing_is_done_about_a_customer_who_is_not_dunned(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    by_hand = billed_by_hand(world, alice)
    profiles.change(alice.pk, fields={"is_dunned": False}, by="carol", now=world.now)

    world.at("2026-05-20")

    assert tried(alice) == ["05-01"]
    assert not JournalEntry.objects.filter(kind__startswith="DUNNING").exclude(customer=None)
    by_hand.refresh_from_db()
    assert by_hand.status == InvoiceStatus.PENDING

    profiles.change(alice.pk, fields={"is_dunned": True}, by="carol", now=world.now)

    run = run_of(alice)
    assert (run.reason, run.started_at) == (DunningReason.DECLINED, world.now)
    assert run.invoice.next_charge_at == world.now
    world.at("2026-05-20 00:01")
    assert tried(alice) == ["05-01", "05-20"]
    by_hand.refresh_from_db()
    assert by_hand.status == InvoiceStatus.CHARGED_WITH_ERROR


def test_runs_rest_while_a_customer_is_not_dunned(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-04")
    profiles.change(alice.pk, fields={"is_dunned": False}, by="carol", now=world.now)
    run = run_of(alice)
    assert (run.status, run.note) == (DunningStatus.STOPPED, dunning.NOT_DUNNED)
    with pytest.raises(ConflictError, match="This customer is not dunned"):
        dunning.resume(run.pk, by="carol", now=world.now)

    world.at("2026-05-14")
    profiles.change(alice.pk, fields={"is_dunned": True}, by="carol", now=world.now)

    assert run_of(alice).due_at == instant("2026-05-18")
    world.at("2026-05-22")
    assert run_of(alice).ended_at == instant("2026-05-21")
