"""`manage.py simulate`: what it foresees is what comes, and it stores nothing."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import InternalError, connection

from billing.models import Invoice, Subscription
from billing.queries import prospects, simulation
from billing.queries.prospects import Basis
from billing.queries.simulation import Simulated
from customers.models import Customer
from plans import services as plan_services
from plans.models import Coupon
from plans.services import CouponTerms
from plans.terms import Billed
from tests import builders
from tests.services.ahead import CALLS, simulate, subscriber
from tests.world import World, instant

pytestmark = pytest.mark.django_db(transaction=True)

Bills = list[tuple[str, list[tuple[str, str]], str]]


def bills(simulated: Simulated) -> Bills:
    """As `World.bills` tells those that came."""
    return [
        (
            f"{foreseen.at:%m-%d}",
            [(line.description, f"{line.net.major}") for line in foreseen.bill.lines],
            f"{foreseen.bill.total.major}",
        )
        for foreseen in simulated.bills
    ]


def run(*options: str) -> str:
    output = StringIO()
    call_command("simulate", *options, stdout=output, stderr=StringIO())
    return output.getvalue()


def table(text: str) -> list[list[str]]:
    """The words of each row that has some."""
    return [line.split() for line in text.splitlines() if line.strip(" ─")]


def fingerprint() -> dict[str, str]:
    """Every table's rows."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            name = model._meta.db_table
            cursor.execute(f'SELECT row::text FROM "{name}" row ORDER BY 1')
            found[name] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return found


def coupon(code: str, **terms: Any) -> None:
    plan_services.create_coupon(code, terms=CouponTerms(**terms), by="test", now=builders.LONG_AGO)


def cast(world: World) -> list[Customer]:
    """People in every state that something comes of."""
    world.at("2026-01-31 10:00")
    world.sells("Pro", "30.00")
    world.sells("Max", "60.00")
    world.sells("Team", "10.00", quantity_unit="seat", billed=Billed.IN_ARREARS)
    world.sells("Free", "0.00", billed=Billed.IN_ARREARS)
    coupon("THREE", percent_off=Decimal(20), duration=Coupon.Duration.REPEATING, periods=3)
    changing = subscriber(world, "changing", "Pro")
    leaving = subscriber(world, "leaving", "Max", coupon="THREE")
    waiting = world.signs_up("waiting", "Premium")
    people = [
        changing,
        leaving,
        waiting,
        subscriber(world, "seats", "Team", quantity=3),
        subscriber(world, "trying", "Premium"),
        subscriber(world, "later", "Pro", starts_at=instant("2026-02-15")),
        subscriber(world, "trying-later", "Premium", starts_at=instant("2026-02-20")),
        world.signs_up("free", "Free"),
    ]
    world.changes(changing, plan="Max", when="2026-02-14 10:00")
    world.changes(changing, plan="Pro", when="2026-04-30 10:00")
    world.changes(people[3], quantity=5, when="period_end")
    world.cancels(leaving, when="2026-05-20")
    world.changes(people[5], coupon=Coupon.objects.get(code="THREE"), when="2026-03-01")
    return people


def test_what_is_foreseen_is_what_comes(world: World) -> None:
    people = cast(world)
    before = {person: len(world.bills(person)) for person in people}
    foreseen = {found.subscription.customer: found for found in simulate(months=6)}

    world.at("2026-07-31 10:00")

    for person in people:
        came = world.bills(person)[before[person] :]
        assert bills(foreseen[person]) == came, person
    assert sum(len(found.bills) for found in foreseen.values()) == 37


def test_nothing_is_stored(world: World, tmp_path: Path) -> None:
    people = cast(world)
    world.uses(people[4], 500)
    before = fingerprint()

    for usage in Basis:
        run("--months", "12", "--usage", usage, "--csv", str(tmp_path / "lines.csv"))

    assert fingerprint() == before
    assert len(before) > 40


def test_the_database_itself_refuses_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.at("2026-01-31")

    def writing(*_: Any, **__: Any) -> None:
        world.customer("alice")

    monkeypatch.setattr(simulation, "simulate", writing)

    with pytest.raises(InternalError, match="read-only transaction"):
        run()
    assert not Customer.objects.exists()


def test_the_table_tells_months_currencies_and_totals(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Dollars", "1000.00")
    world.sells("Yen", "500", currency="JPY")
    world.sells("Dinars", "1.234", currency="KWD")
    coupon("TENTH", percent_off=Decimal(10), duration=Coupon.Duration.FOREVER)
    subscriber(world, "alice", "Dollars", coupon="TENTH")
    subscriber(world, "bob", "Yen")
    subscriber(world, "charlie", "Dinars")
    subscriber(world, "dora", "Dollars")

    text = run("--months", "2")

    assert table(text) == [
        ["Month", "Currency", "Invoices", "Subtotal", "Discount", "Total"],
        ["2026-05", "JPY", "1", "500", "0", "500"],
        ["2026-05", "KWD", "1", "1.234", "0.000", "1.234"],
        ["2026-05", "USD", "2", "2,000.00", "100.00", "1,900.00"],
        ["2026-06", "JPY", "1", "500", "0", "500"],
        ["2026-06", "KWD", "1", "1.234", "0.000", "1.234"],
        ["2026-06", "USD", "2", "2,000.00", "100.00", "1,900.00"],
        ["Total", "JPY", "2", "1,000", "0", "1,000"],
        ["Total", "KWD", "2", "2.468", "0.000", "2.468"],
        ["Total", "USD", "4", "4,000.00", "200.00", "3,800.00"],
        ["4", "subscriptions;", "0", "of", "them", "cannot", "be", "foreseen."],
    ]


def test_months_are_the_customers_own(world: World) -> None:
    world.at("2026-03-31 22:00")
    world.sells("Pro", "30.00")
    alice = world.customer("alice", timezone="Europe/Berlin")
    world.adds_card(alice)
    world.subscribes(alice, "Pro")

    (found,) = simulate(alice, months=1)
    months = simulation.Months()
    months.add(found)

    assert [foreseen.at for foreseen in found.bills] == [instant("2026-04-30 22:00")]
    assert [row[:2] for row in months.rows] == [("2026-05", "USD")]


def test_the_csv_has_a_row_for_each_line(world: World, tmp_path: Path) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "30.00", usage=CALLS)
    coupon("TENTH", percent_off=Decimal(10), duration=Coupon.Duration.ONCE)
    alice = subscriber(world, "alice", "Pro")
    subscriber(world, "bob", "Pro")
    world.uses(alice, 25)
    path = tmp_path / "lines.csv"

    to_file = run("--customer", "alice", "--months", "1", "--csv", str(path))
    to_output = run("--customer", str(alice.pk), "--months", "1", "--csv", "-")

    assert path.read_text() == to_output
    assert "Total" in to_file
    usage, recurring = csv.DictReader(StringIO(to_output))
    assert usage == {
        "customer": "alice",
        "subscription": str(world.subscription(alice).pk),
        "invoice": "1",
        "at": "2026-05-01T00:00:00Z",
        "plan": "Pro",
        "kind": "USAGE",
        "component": "api_calls",
        "description": "Pro: api_calls",
        "period_start": "2026-04-01T00:00:00Z",
        "period_end": "2026-05-01T00:00:00Z",
        "quantity": "25",
        "amount": "2.50",
        "discount": "0.00",
        "net": "2.50",
        "currency": "USD",
    }
    assert (recurring["kind"], recurring["period_end"]) == ("RECURRING", "2026-06-01T00:00:00Z")


def test_some_are_chosen_by_customer_and_by_plan(world: World) -> None:
    world.at("2026-04-01")
    pro, _ = world.sells("Pro", "30.00"), world.sells("Max", "60.00")
    alice, bob = subscriber(world, "alice", "Pro"), subscriber(world, "bob", "Max")
    world.sells("Pro", "31.00")  # another plan of that name
    charlie = subscriber(world, "charlie", "Pro")

    def chosen(customers: Sequence[str] = (), plans: Sequence[str] = ()) -> set[Customer]:
        rows = simulation.selected(customers, plans)
        return {row.customer for row in rows.select_related("customer")}

    assert chosen() == {alice, bob, charlie}
    assert chosen(["alice", str(bob.pk)]) == {alice, bob}
    assert chosen(plans=["Pro"]) == {alice, charlie}
    assert chosen(plans=[str(pro.pk), "Max"]) == {alice, bob}
    assert chosen(["alice"], ["Max"]) == set()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--customer", "nobody"], "There is no customer 'nobody'."),
        (["--plan", "Nothing"], "There is no plan 'Nothing'."),
        (["--months", "0"], "--months is from 1 to 120."),
        (["--csv", "/nowhere/lines.csv"], "/nowhere/lines.csv cannot be written: No such file"),
    ],
)
def test_what_makes_no_sense_is_refused(options: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*options)


def test_who_cannot_be_foreseen_is_named_and_stops_nobody(world: World) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "30.00")
    people = [subscriber(world, name, "Pro") for name in ("alice", "bob", "charlie")]
    Subscription.objects.filter(customer=people[0]).update(stalled_reason="It is broken.")
    Customer.objects.filter(pk=people[1].pk).update(timezone="Nowhere/Land")

    text = run("--months", "1")

    rows = table(text)
    assert ["Total", "USD", "1", "30.00", "0.00", "30.00"] in rows
    assert "3 subscriptions; 2 of them cannot be foreseen." in text
    assert f"alice ({world.subscription(people[0]).pk}): It is broken." in text
    assert "bob (" in text
    assert "No time zone found with key Nowhere/Land" in text


def test_those_who_live_now_are_foreseen_from_now(world: World) -> None:
    """A test clock's customers live by it, all others by the present they are asked in."""
    world.at("2026-04-01")
    world.sells("Pro", "30.00")
    alice, bob = subscriber(world, "alice", "Pro"), subscriber(world, "bob", "Pro")
    Customer.objects.filter(pk=bob.pk).update(test_clock=None)

    found = simulate(months=1, now=instant("2026-06-15"))
    days = {row.subscription.customer: [f"{one.at:%m-%d}" for one in row.bills] for row in found}

    # Bob's billing run has not come to May and June yet.
    assert days == {alice: ["05-01"], bob: ["05-01", "06-01", "07-01"]}


def test_many_are_read_in_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospects, "CHUNK", 2)
    world.at("2026-04-01")
    world.sells("Pro", "30.00")
    people = [subscriber(world, f"person-{n}", "Pro") for n in range(5)]

    found = simulate(months=1)

    assert {row.subscription.customer for row in found} == set(people)
    assert len(found) == 5
    assert Invoice.objects.count() == 5


def test_the_reads_of_a_chunk_do_not_grow_with_it(
    world: World, django_assert_max_num_queries: Any
) -> None:
    world.at("2026-04-01")
    world.sells("Pro", "30.00", usage=CALLS)
    for number in range(8):
        subscriber(world, f"person-{number}", "Pro")
    world.at("2026-05-02")

    with django_assert_max_num_queries(16):
        found = simulate(months=1, basis=Basis.AVERAGE)

    assert len(found) == 8
