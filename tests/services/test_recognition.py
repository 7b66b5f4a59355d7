from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from django.db.models import Sum

from billing.core.deferring import Portion
from billing.models import Deferral, JournalEntry, JournalLine
from billing.queries import revenue
from billing.services import recognition
from customers.models import Customer
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def _balance(account: str) -> int:
    """In minor units; positive on the side of credits."""
    sides: Counter[str] = Counter()
    lines = JournalLine.objects.filter(account__code__startswith=account)
    for side, minor in lines.values_list("side").annotate(Sum("amount_minor")).order_by():
        sides[side] += minor
    return sides["CREDIT"] - sides["DEBIT"]


@pytest.fixture
def alice(world: World) -> Customer:
    """On a plan over 30.00 a month in advance since 1 April, 09:00."""
    world.sells("Advance", "30.00")
    customer = world.at("2026-04-01 09:00").customer("alice")
    world.adds_card(customer)
    world.subscribes(customer, "Advance")
    return customer


def test_nothing_is_earned_the_day_it_is_invoiced(world: World, alice: Customer) -> None:
    assert (_balance("deferred_revenue"), _balance("revenue:")) == (30_00, 0)


def test_days_earn_as_they_go_by(world: World, alice: Customer) -> None:
    # The period is 31 days long by the calendar of UTC: it ends on 1 May at 09:00.
    world.at("2026-04-11 09:00")
    assert (_balance("deferred_revenue"), _balance("revenue:")) == (20_32, 9_68)

    world.at("2026-04-30 23:00")
    assert _balance("revenue:") == 28_06


def test_recognizing_again_changes_nothing(world: World, alice: Customer) -> None:
    world.at("2026-04-11 09:00")
    entries = JournalEntry.objects.count()

    assert recognition.recognize(now=world.now, clock=world.clock) == 0
    assert JournalEntry.objects.count() == entries


def test_a_change_in_mid_period_defers_what_is_left(world: World, alice: Customer) -> None:
    world.sells("More", "62.00")
    world.at("2026-04-16 09:00").changes(alice, plan="More")
    assert [row.amount.minor for row in Deferral.objects.order_by("pk")] == [30_00, -15_00, 31_00]

    world.at("2026-05-01 08:00")
    assert (_balance("deferred_revenue"), _balance("revenue:")) == (97 - 94 + 1_94, 44_03)


@pytest.mark.django_db(transaction=True)
def test_runs_at_once_earn_once(world: World, alice: Customer) -> None:
    world.at("2026-04-01 10:00")
    clock, now = world.clock, instant("2026-04-21")

    at_once(*(lambda: recognition.recognize(now=now, clock=clock) for _ in range(6)))

    assert _balance("revenue:") == 19_35
    assert JournalEntry.objects.filter(kind="REVENUE_RECOGNIZED").count() == 1


def test_the_database_rounds_as_the_core_does(world: World, alice: Customer) -> None:
    row = Deferral.objects.get()
    portion = Portion(row.amount, row.starts_on, row.ends_on)
    for day in range(1, 31):
        world.at(f"2026-04-{day:02d} 09:00")
        assert _balance("revenue:") == portion.earned_by(date(2026, 4, day)).minor


def test_the_schedule_by_month(world: World, alice: Customer) -> None:
    world.at("2026-05-20")
    months = revenue.schedule(date(2026, 4, 1), date(2026, 6, 1))

    assert [
        (str(row.month), row.opening, row.added, row.earned, row.closing) for row in months
    ] == [
        ("2026-04-01", 0, 30_00, 29_03, 97),
        ("2026-05-01", 97, 30_00, 30_03, 94),
        ("2026-06-01", 94, 0, 94, 0),
    ]
    last = months[-1].month + timedelta(days=31)
    assert revenue.schedule(last, last) == []
