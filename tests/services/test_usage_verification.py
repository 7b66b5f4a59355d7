"""Verification finds whatever is wrong with the counts of usage, for meters of every kind."""

from __future__ import annotations

import pytest
from django.db import connection

from billing.queries import verification
from billing.services import corrections, usage
from tests.services.metered import closed, open_period, report, subscriber
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.crooked_books]

TOTALS = "usage totals equal their events"
VALUES = "unique values equal their events"
DAYS = "usage days equal their events"
PLACES = "no event waits where a period counts it"
OF_METER = "FROM plans_meter meter WHERE meter.id = meter_id AND code ="
BREAKS = [
    (TOTALS, "UPDATE billing_usagetotal SET quantity = 8 WHERE component = 'peak'"),
    (TOTALS, "UPDATE billing_usagetotal SET quantity = 8 WHERE component = 'seats'"),
    (TOTALS, "UPDATE billing_usagetotal SET quantity = 1 WHERE component = 'users'"),
    (TOTALS, "UPDATE billing_usagetotal SET quantity = 4 WHERE component = 'jobs'"),
    (TOTALS, "UPDATE billing_usagetotal SET latest_at = '2026-04-10' WHERE component = 'seats'"),
    (TOTALS, "UPDATE billing_usagetotal SET latest_at = '2026-05-01' WHERE component = 'seats'"),
    (TOTALS, "UPDATE billing_usagetotal SET latest_at = '2026-04-01' WHERE component = 'tokens'"),
    (TOTALS, "UPDATE billing_usagetotal SET aggregation = 'SUM' WHERE component = 'jobs'"),
    (TOTALS, "UPDATE billing_usagetotal SET component = 'x' WHERE component = 'tokens'"),
    (TOTALS, "DELETE FROM billing_usagetotal WHERE component = 'tokens[model=large|huge]'"),
    (TOTALS, "UPDATE billing_billingperiod SET filters = '[]'"),
    (VALUES, "UPDATE billing_usagevalue SET events = events + 1 WHERE value = 'ann'"),
    (VALUES, "UPDATE billing_usagevalue SET day = day - 1 WHERE value = 'ann'"),
    (VALUES, "UPDATE billing_usagevalue SET value = 'eve' WHERE value = 'ann'"),
    (VALUES, "DELETE FROM billing_usagevalue WHERE value = 'bob'"),
    (DAYS, f"UPDATE billing_usageday day SET quantity = 8 {OF_METER} 'peak'"),
    (DAYS, f"UPDATE billing_usageday day SET quantity = 8 {OF_METER} 'seats'"),
    (DAYS, "UPDATE billing_usageday SET day = day + 30"),
    (DAYS, "DELETE FROM billing_usageday"),
    (DAYS, "UPDATE billing_usageevent SET withdrawn_at = NULL WHERE event_id = 'tokens-0'"),
    (PLACES, "UPDATE billing_usageevent SET period_id = NULL WHERE event_id = 'jobs-1'"),
    (PLACES, "UPDATE billing_billingperiod SET counts_until = '2026-04-09 12:00'"),
    (PLACES, "UPDATE billing_billingperiod SET starts_at = '2026-04-09 12:00'"),
    (PLACES, "UPDATE billing_billingperiod SET meters = '{tokens}'"),
]


@pytest.fixture(scope="module")
def told_once(lasting: None) -> World:
    """Alice used something of everything, some of it withdrawn and some replaced."""
    world = World()
    alice = subscriber(world.at("2026-04-01"))
    world.at("2026-04-11 15:00")
    users = ("ann", "ann", "bob")
    usage.record(
        [
            report(f"{meter}-{n}", meter, f"{n + 1}", f"2026-04-{9 + n // 2:02} 11:00", user=user)
            for meter in ("tokens", "jobs", "peak", "seats", "users")
            for n, user in enumerate(users)
        ],
        now=world.now,
    )
    corrections.withdraw("alice", "tokens-0", by="test", now=world.now)
    instead = report("tokens-1", model="large")
    corrections.replace(instead, by="test", now=world.now)
    closed(open_period(alice))
    usage.record([report("late", "tokens")], now=world.now)
    return world


def found() -> set[str]:
    return {row.check for row in verification.discrepancies()}


def test_sound_counts_find_nothing(world: World) -> None:
    assert not found() & {TOTALS, VALUES, DAYS, PLACES}


@pytest.mark.parametrize(("check", "sql"), BREAKS)
def test_a_wrong_count_is_found(world: World, check: str, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET session_replication_role = DEFAULT")
        assert cursor.rowcount != 0

    assert check in found()
