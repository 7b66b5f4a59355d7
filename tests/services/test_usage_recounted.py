"""Whatever is reported, corrected and moved, in whatever order: the counts are a plain recount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import BillingPeriod, UsageDay, UsageTotal
from billing.services import corrections, usage
from billing.services.usage import Report
from customers.models import Customer
from tests.services.metered import (
    METERS,
    Told,
    adjusted,
    closed,
    cut,
    extend,
    open_period,
    subscriber,
    total_of,
    values,
)
from tests.world import World, instant

pytestmark = pytest.mark.django_db

BEGAN, NOW = instant("2026-04-01"), instant("2026-04-03 12:00")
AGGREGATIONS = {code: aggregation for code, aggregation, _ in METERS}
_names = count()

moments = st.one_of(
    st.integers(-8, 17).map(lambda eighths: BEGAN + timedelta(hours=3 * eighths)),
    st.integers(-3, 5).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
properties = st.fixed_dictionaries(
    {"user": st.sampled_from(["ann", "bob", "1", 1, 1.0]), "bytes": st.integers(0, 3)},
    optional={
        "model": st.sampled_from(["large", "huge", "small", None, 1]),
        "region": st.sampled_from(["eu", "us"]),
    },
)
events = st.builds(
    Told,
    meter=st.sampled_from(sorted(AGGREGATIONS)),
    at=moments,
    quantity=st.integers(0, 40).map(lambda quarters: Decimal(quarters) / 4),
    properties=properties,
)
ids = st.integers(0, 7).map(str)
steps = st.one_of(
    st.tuples(st.just("report"), st.lists(st.tuples(ids, events), min_size=1, max_size=4)),
    st.tuples(st.just("report"), st.lists(st.tuples(ids, events), min_size=1, max_size=4)),
    st.tuples(st.just("withdraw"), ids),
    st.tuples(st.just("replace"), st.tuples(ids, events)),
    st.tuples(st.just("cut"), moments),
    st.tuples(st.just("extend"), moments),
    st.tuples(st.just("close"), st.none()),
    st.tuples(st.just("adjust"), st.none()),
)


class Teller:
    """Takes the same steps in the books and on paper."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.told: dict[str, Told | None] = {}

    def report(self, batch: list[tuple[str, Told]]) -> None:
        known = set(self.told)
        for name, event in batch:
            self.told.setdefault(name, event)
        receipt = usage.record([self._as_reported(*row) for row in batch], now=NOW)
        assert (receipt.accepted, receipt.rejected) == (len(set(self.told) - known), [])

    def withdraw(self, name: str) -> None:
        if name in self.told:
            self.told[name] = None
            corrections.withdraw(str(self.customer.pk), name, by="test", now=NOW)

    def replace(self, row: tuple[str, Told]) -> None:
        name, event = row
        if name in self.told:
            self.told[name] = event
            corrections.replace(self._as_reported(name, event), by="test", now=NOW)

    def cut(self, at: datetime) -> None:
        if at >= BEGAN:
            cut(self.customer, at)

    def extend(self, until: datetime) -> None:
        if until >= open_period(self.customer).counts_until:
            extend(self.customer, until)

    def close(self, _: None) -> None:
        closed(open_period(self.customer))

    def adjust(self, _: None) -> None:
        adjusted(self.customer)
        assert adjusted(self.customer) == {}

    @property
    def standing(self) -> list[Told]:
        """The events that count, as the meter counts them."""
        found = []
        for event in self.told.values():
            if event is not None:
                quantity = event.quantity
                if event.meter == "traffic":
                    quantity = Decimal(event.properties["bytes"])
                seen = {
                    **event.properties,
                    "user": f"{event.properties['user']}".removesuffix(".0"),
                }
                found.append(Told(event.meter, event.at, quantity, seen))
        return found

    def _as_reported(self, name: str, event: Told) -> Report:
        who = str(self.customer.pk)
        return Report(name, who, event.meter, event.quantity, event.at, event.properties)


def _grouped(events: list[Told], key: Any) -> Mapping[Any, list[Told]]:
    groups: dict[Any, list[Told]] = defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    return groups


def assert_counted(period: BillingPeriod, events: list[Told]) -> None:
    """That the period's totals and values are those of these events."""
    by_component = _grouped(events, lambda event: event.component)
    rows = UsageTotal.objects.filter(period=period)
    assert {row.component: row.quantity for row in rows if row.quantity} == {
        component: total
        for component, group in by_component.items()
        if (total := total_of(AGGREGATIONS[group[0].meter], group))
    }
    latest = {row.component: row.latest_at for row in rows if row.aggregation == "LAST"}
    for component, at in latest.items():
        assert at == max((event.at for event in by_component.get(component, [])), default=None)
    users = [event for event in events if event.meter == "users"]
    assert values(period) == {
        key: (len(group), min(event.at.date() for event in group))
        for key, group in _grouped(
            users, lambda event: (event.component, event.properties["user"])
        ).items()
    }


def assert_days(customer: Customer, events: list[Told]) -> None:
    """That the customer's days are those of these events."""
    rows = UsageDay.objects.filter(customer=customer).select_related("meter")
    expected: dict[tuple[str, date], Decimal] = {
        key: total_of(AGGREGATIONS[key[0]], group)
        for key, group in _grouped(
            [event for event in events if event.meter != "users"],
            lambda event: (event.meter, event.at.date()),
        ).items()
    }
    assert {(row.meter.code, row.day): row.quantity for row in rows if row.quantity} == {
        key: total for key, total in expected.items() if total
    }


def newcomer(world: World) -> Customer:
    """Somebody who subscribed when April began; it is the 3rd. Nothing was due in between."""
    clock = world.clock
    clock.now = BEGAN
    clock.save()
    customer = subscriber(world, f"customer-{next(_names)}")
    clock.now = NOW
    clock.save()
    return customer


@pytest.fixture
def april(world: World) -> World:
    """Its clock stands at the beginning of April."""
    return world.at("2026-04-01")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(taken=st.lists(steps, max_size=14))
def test_the_counts_are_a_plain_recount(april: World, taken: list[tuple[str, Any]]) -> None:
    customer = newcomer(april)
    teller = Teller(customer)

    for verb, what in taken:
        getattr(teller, verb)(what)

    period = open_period(customer)
    assert_counted(
        period,
        [event for event in teller.standing if BEGAN <= event.at < period.counts_until],
    )
    assert_days(customer, teller.standing)
