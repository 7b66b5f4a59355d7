from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError

from billing.models import UsageDay, UsageEvent, UsageTotal
from billing.services import cycle, test_clocks, usage
from billing.services.usage import Receipt, Report
from customers.models import Customer
from plans.models import Meter
from tests import builders
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(world: World) -> Customer:
    """Active on Premium from 11 April 2026."""
    customer = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(customer)
    return customer


def report(event_id: str, quantity: str = "1", **fields: object) -> Report:
    values: dict[str, object] = {"customer": "alice", "meter": "api_calls", **fields}
    return Report(event_id=event_id, quantity=Decimal(quantity), **values)  # type: ignore[arg-type]


def open_total(customer: Customer) -> Decimal:
    return UsageTotal.objects.get(period__customer=customer, period__closed_at=None).quantity


def test_an_event_is_counted_in_its_period_and_on_its_day(world: World, alice: Customer) -> None:
    receipt = usage.record([report("a", "2.5"), report("b", "7")], now=world.now)

    assert receipt == Receipt(accepted=2, duplicates=0, rejected=[])
    assert open_total(alice) == Decimal("9.5")
    assert UsageDay.objects.get(customer=alice).quantity == Decimal("9.5")


def test_the_same_id_is_a_duplicate_whatever_it_says(world: World, alice: Customer) -> None:
    usage.record([report("a", "2")], now=world.now)

    receipt = usage.record([report("a", "900"), report("b", "1"), report("b", "1")], now=world.now)

    assert (receipt.accepted, receipt.duplicates) == (1, 2)
    assert open_total(alice) == 3


def test_a_bad_event_is_told_and_stops_nothing(world: World, alice: Customer) -> None:
    receipt = usage.record(
        [
            report("a"),
            report("b", customer="nobody"),
            report("c", meter="nothing"),
            report("d", "-1"),
            report("e", "NaN"),
            report("f", occurred_at=world.now - timedelta(days=61)),
            report("g", occurred_at=world.now + timedelta(minutes=6)),
            report("h", customer=str(alice.pk)),
        ],
        now=world.now,
    )

    assert receipt.accepted == 2
    assert [(rejection.index, rejection.code) for rejection in receipt.rejected] == [
        (1, "unknown_customer"),
        (2, "unknown_meter"),
        (3, "invalid_quantity"),
        (4, "invalid_quantity"),
        (5, "too_old"),
        (6, "in_the_future"),
    ]
    assert open_total(alice) == 2


def test_a_caller_reports_for_its_own_customer_only(world: World, alice: Customer) -> None:
    world.signs_up("bob", "Basic")

    receipt = usage.record(
        [report("a"), report("b", customer="bob")], now=world.now, only_customer=alice.pk
    )

    assert receipt.accepted == 1
    assert [rejection.code for rejection in receipt.rejected] == ["unknown_customer"]


def test_a_counting_meter_counts_events(world: World) -> None:
    builders.make_meter("logins", aggregation=Meter.Aggregation.COUNT)
    world.at("2026-04-01").customer("alice")

    usage.record(
        [report("a", "50", meter="logins"), report("b", "0", meter="logins")], now=world.now
    )

    assert UsageDay.objects.get(meter__code="logins").quantity == 2


def test_the_day_is_the_customers_own(world: World) -> None:
    tokyo = world.at("2026-04-11 16:00").customer("alice", timezone="Asia/Tokyo")

    usage.record([report("a")], now=world.now)

    assert f"{UsageDay.objects.get(customer=tokyo).day}" == "2026-04-12"


def test_events_at_the_same_instant_from_many_clients_are_all_counted(
    world: World, alice: Customer
) -> None:
    """Four clients, every batch sent twice, all on one customer and meter."""
    now = world.now
    batches = [[report(f"{client}-{n}") for n in range(200)] for client in range(4)]

    receipts = at_once(
        *(lambda batch=batch: usage.record(batch, now=now) for batch in batches for _ in range(2))
    )

    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert sum(receipt.accepted for receipt in receipts if isinstance(receipt, Receipt)) == 800
    assert open_total(alice) == 800


def test_an_event_without_a_period_waits_for_one(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-12 10:00")  # the trial is over, there is no card
    usage.record([report("too early")], now=world.now)
    world.at("2026-04-13 10:00").adds_card(alice)
    usage.record([report("in time"), report("at the start", occurred_at=world.now)], now=world.now)

    waiting = UsageEvent.objects.get(period=None)
    assert waiting.event_id == "too early"
    assert open_total(alice) == 2


def test_an_event_that_outruns_the_run_is_counted_when_its_period_opens(
    world: World, alice: Customer
) -> None:
    """May has begun, the run has not yet closed April: the event waits and is then counted."""
    clock = world.clock
    clock.now = instant("2026-05-01 00:05")
    clock.save()
    usage.record([report("early bird", "3")], now=world.now)
    assert UsageEvent.objects.get(event_id="early bird").period is None

    cycle.run(now=clock.now, clock=clock)

    assert open_total(alice) == 3


def test_an_event_for_an_invoiced_period_is_late_and_changes_no_invoice(
    world: World, alice: Customer
) -> None:
    world.at("2026-05-01 00:00")
    total_before = world.newest_invoice(alice).total

    usage.record([report("late", "500", occurred_at=instant("2026-04-30 12:00"))], now=world.now)

    total = UsageTotal.objects.get(
        period__starts_at=instant("2026-04-11 15:00"), period__customer=alice
    )
    assert (total.quantity, total.late_quantity, total.is_closed) == (
        Decimal(0),
        Decimal(500),
        True,
    )
    assert world.newest_invoice(alice).total == total_before


def test_counting_while_periods_close_loses_nothing(world: World, alice: Customer) -> None:
    """Events of both sides of midnight arrive while the run closes April and opens May."""
    clock = world.clock
    clock.now = instant("2026-05-01 00:01")
    clock.save()
    sides = [instant("2026-04-30 23:59"), instant("2026-05-01 00:00")]

    def send(client: int) -> Receipt:
        events = [
            report(f"{client}-{side}-{n}", occurred_at=at)
            for n in range(20)
            for side, at in enumerate(sides)
        ]
        accepted = 0
        for event in events:
            accepted += usage.record([event], now=clock.now).accepted
        return Receipt(accepted, 0, [])

    outcomes = at_once(
        *(lambda client=client: send(client) for client in range(4)),
        lambda: cycle.run(now=clock.now, clock=clock),
    )

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert not UsageEvent.objects.filter(period=None).exists()
    totals = UsageTotal.objects.filter(period__customer=alice, period__kind="REGULAR")
    assert sum(total.quantity + total.late_quantity for total in totals) == 160


def test_a_recorded_event_cannot_be_changed(world: World, alice: Customer) -> None:
    usage.record([report("a")], now=world.now)
    for change in (
        lambda: UsageEvent.objects.update(quantity=99),
        lambda: UsageEvent.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="refused"):
            change()


def test_a_clock_of_its_own_decides_what_is_too_old(world: World, alice: Customer) -> None:
    receipt = usage.record([report("a")], now=instant("2031-01-01"))
    assert receipt.accepted == 1
    test_clocks.advance(world.clock.pk, to=instant("2026-04-12"))
