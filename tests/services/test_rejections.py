"""What is rejected is kept once, tried again by when it came first, and forgotten in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import clock, tasks
from billing.core.errors import ConflictError, NotFoundError
from billing.models import JournalEntry, RejectedUsage, UsageEvent
from billing.models.rejection import Resolution
from billing.services import erasure, ingestion, rejections
from billing.services.rejections import LATER_REPORT
from billing.services.usage import Receipt, Report, Unreadable
from customers.models import Customer
from plans.models import Meter
from tests import builders
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db

NOW = clock.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def alice(db: None) -> Customer:
    """A customer, who lives by the real clock, and a meter."""
    builders.make_meter("api_calls")
    return builders.make_customer("alice")


def _report(event_id: str = "e1", meter: str = "api_calls", **fields: Any) -> Report:
    said = {"customer": "alice", "quantity": Decimal("1.5"), "occurred_at": NOW, **fields}
    return Report(event_id=event_id, meter=meter, **said)


def _take(*items: Report | Unreadable, now: datetime = NOW, **options: Any) -> Receipt:
    return ingestion.take(items, by="token bsr_1…", now=now, **options)


def _retry(now: datetime = NOW, **options: Any) -> tuple[int, int, int]:
    found = rejections.retry(RejectedUsage.objects.all(), by="test", now=now, **options)
    return found.accepted, found.duplicates, found.rejected


def _codes() -> list[str]:
    return list(RejectedUsage.objects.order_by("pk").values_list("code", flat=True))


def test_what_is_rejected_is_kept_as_it_came(alice: Customer) -> None:
    properties = {"region": "eu", "weight": 0.25}

    receipt = _take(_report("e0"), _report("e1", "teleports", properties=properties))

    assert (receipt.accepted, [row.index for row in receipt.rejected]) == (1, [1])
    row = RejectedUsage.objects.get()
    assert (row.customer, row.customer_name, row.meter_code, row.event_id) == (
        alice,
        "alice",
        "teleports",
        "e1",
    )
    assert (row.index, row.code, row.detail) == (
        1,
        "unknown_meter",
        "There is no meter 'teleports'.",
    )
    assert (row.reported_by, row.received_at, row.last_received_at, row.tries) == (
        "token bsr_1…",
        NOW,
        NOW,
        1,
    )
    assert row.event == {
        "id": "e1",
        "customer": "alice",
        "meter": "teleports",
        "quantity": "1.5",
        "occurred_at": NOW.isoformat(),
        "properties": properties,
    }


def test_an_event_is_one_row_however_often_it_comes() -> None:
    _take(_report(meter="teleports"), _report(meter="teleports"))
    later = NOW + timedelta(hours=1)
    _take(_report("e2"), _report(meter="teleports"), now=later)

    row = RejectedUsage.objects.get()
    assert (row.tries, row.received_at, row.last_received_at, row.index) == (3, NOW, later, 1)


def test_what_nobody_could_read_is_told_apart_by_what_it_is() -> None:
    faults = [Unreadable("malformed_json", "No.", text) for text in ("{", "[", "{")]

    _take(*faults)

    rows = RejectedUsage.objects.order_by("event").values_list("event", "tries")
    assert sorted(rows) == [("[", 1), ("{", 2)]
    with pytest.raises(ConflictError, match="cannot be tried"):
        rejections.retry_one(RejectedUsage.objects.earliest("pk").pk, by="test", now=NOW)


def test_five_thousand_are_kept_by_one_statement() -> None:
    reports = [_report(f"e{number}", "teleports") for number in range(5000)]

    with CaptureQueriesContext(connection) as queries:
        _take(*reports)

    kept = [query for query in queries if "billing_rejectedusage" in query["sql"]]
    assert len(kept) == 1
    assert RejectedUsage.objects.count() == 5000


def test_duplicates_are_no_rejections() -> None:
    _take(_report())
    _take(_report(quantity=Decimal(7)))

    assert RejectedUsage.objects.count() == 0


def test_what_is_counted_stays_so_if_nothing_can_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    with _refusing():
        receipt = _take(_report("e0"), _report("secret", "teleports"))

    assert (receipt.accepted, receipt.rejected[0].code) == (1, "unknown_meter")
    assert UsageEvent.objects.get().event_id == "e0"
    assert RejectedUsage.objects.count() == 0
    assert "IntegrityError" in caplog.text
    assert "secret" not in caplog.text


@contextmanager
def _refusing() -> Iterator[None]:
    """The database takes no new rejections."""
    table = "ALTER TABLE billing_rejectedusage"
    with connection.cursor() as cursor:
        cursor.execute(f"{table} ADD CONSTRAINT none_at_all CHECK (false)")
        try:
            yield
        finally:
            cursor.execute(f"{table} DROP CONSTRAINT none_at_all")


def test_a_retry_counts_what_is_known_by_then() -> None:
    _take(_report("e1", "teleports"), _report("e2", customer="bob"), _report("e3", "jumps"))
    builders.make_customer("bob")
    builders.make_meter("teleports")

    assert _retry() == (2, 0, 1)

    assert UsageEvent.objects.count() == 2
    left = RejectedUsage.objects.get(resolved_at=None)
    assert (left.event_id, left.tries) == ("e3", 2)
    done = RejectedUsage.objects.exclude(resolved_at=None)
    assert set(done.values_list("resolution", "resolved_by")) == {(Resolution.COUNTED, "test")}
    assert _retry() == (0, 0, 1)


def test_a_retry_counts_exactly_what_was_reported() -> None:
    properties = {"bytes": 0.1, "region": "eu", "n": 2**53 - 1}
    said = _report("e1", "teleports", quantity=Decimal("0.100000000001"), properties=properties)
    _take(said)
    builders.make_meter("teleports")

    _retry(now=NOW + timedelta(days=3))

    event = UsageEvent.objects.get()
    assert (event.quantity, event.occurred_at, event.properties) == (
        said.quantity,
        NOW,
        properties,
    )


def test_an_event_without_its_time_occurred_when_it_came_first() -> None:
    _take(_report(meter="teleports", occurred_at=None))
    builders.make_meter("teleports")

    _retry(now=NOW + timedelta(days=3))

    assert UsageEvent.objects.get().occurred_at == NOW


def test_age_is_judged_by_when_an_event_came_first() -> None:
    _take(_report(customer="bob", occurred_at=NOW - timedelta(days=59)))
    builders.make_customer("bob")
    later = NOW + timedelta(days=80)

    assert _take(_report("e2", occurred_at=NOW), now=later).rejected[0].code == "too_old"
    assert _retry(now=later) == (1, 0, 1)


def test_what_was_too_old_stays_so_unless_an_operator_decides(alice: Customer) -> None:
    _take(_report(occurred_at=NOW - timedelta(days=61)))

    assert _retry() == (0, 0, 1)
    assert _codes() == ["too_old"]
    assert _retry(is_any_age_taken=True) == (1, 0, 0)

    fact = JournalEntry.objects.get(kind="USAGE_COUNTED_LATE")
    assert (fact.customer, fact.context["by"], fact.context["quantity"]) == (alice, "test", "1.5")


def test_what_came_too_late_comes_again_and_is_decided_about_again() -> None:
    for _ in range(2):
        _take(_report(occurred_at=NOW - timedelta(days=61)))
        assert _retry(is_any_age_taken=True)[2] == 0

    assert UsageEvent.objects.count() == 1


def test_what_was_ahead_of_time_is_counted_once_it_has_come() -> None:
    _take(_report(occurred_at=NOW + timedelta(hours=1)))

    assert _retry() == (0, 0, 1)
    assert _retry(now=NOW + timedelta(hours=1)) == (1, 0, 0)


def test_a_test_clocks_customer_is_judged_by_their_clock(world: World) -> None:
    world.at("2026-04-11 15:00").customer("eve")
    at = world.now - timedelta(days=59)
    _take(_report(meter="teleports", customer="eve", occurred_at=at))
    builders.make_meter("teleports")

    assert _retry(now=NOW + timedelta(days=2)) == (1, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_at_once_and_again_count_once() -> None:
    _take(*(_report(f"e{number}", "teleports") for number in range(50)))
    builders.make_meter("teleports")

    found = at_once(*(_retry for _ in range(4)))

    assert sum(row[0] for row in found if isinstance(row, tuple)) == 50
    assert UsageEvent.objects.count() == 50
    assert not RejectedUsage.objects.filter(resolved_at=None).exists()


def test_five_thousand_are_tried_again_by_few_statements() -> None:
    _take(*(_report(f"e{number}", "teleports") for number in range(5000)))

    with CaptureQueriesContext(connection) as queries:
        assert _retry() == (0, 0, 5000)

    assert len(queries) < 15
    assert set(RejectedUsage.objects.values_list("tries", flat=True)) == {2}


def test_a_retry_goes_on_where_it_stopped() -> None:
    _take(*(_report(f"e{number}", "teleports") for number in range(3)))
    rows = RejectedUsage.objects.all()

    first = rejections.retry(rows, by="test", now=NOW, limit=2)
    second = rejections.retry(rows.filter(pk__gt=first.last), by="test", now=NOW, limit=2)

    assert (first.rejected, second.rejected, second.last) == (2, 1, None)


def test_what_comes_again_corrected_is_settled(alice: Customer) -> None:
    fault = Unreadable("invalid_quantity", "No.", {"id": "e1"}, "e1", "alice", "api_calls")
    _take(fault)
    assert RejectedUsage.objects.get().customer == alice
    _take(_report())

    assert _retry() == (0, 0, 0)

    row = RejectedUsage.objects.get()
    assert (row.resolution, row.resolved_by) == (Resolution.COUNTED, LATER_REPORT)


def test_one_that_was_dismissed_is_open_again_if_it_comes_again() -> None:
    _take(_report(meter="teleports"))
    row = RejectedUsage.objects.get()
    rejections.dismiss(row.pk, by="user:1", now=NOW)
    with pytest.raises(ConflictError, match="resolved already"):
        rejections.retry_one(row.pk, by="test", now=NOW)
    assert _retry() == (0, 0, 0)

    _take(_report(meter="teleports"))

    row.refresh_from_db()
    assert (row.resolved_at, row.resolution, row.resolved_by) == (None, "", "")


def test_there_is_no_other() -> None:
    missing = Customer.objects.get().pk
    for command in (rejections.retry_one, rejections.dismiss):
        with pytest.raises(NotFoundError):
            command(missing, by="test", now=NOW)


def test_a_customer_cannot_report_for_another_and_is_not_known_by_it(alice: Customer) -> None:
    bob = builders.make_customer("bob")

    _take(
        _report(customer="bob"),
        Unreadable("required", "No.", {}, "e2", "bob", "api_calls"),
        only_customer=alice.pk,
    )

    assert set(RejectedUsage.objects.values_list("customer", flat=True)) == {None}
    assert list(RejectedUsage.objects.about(str(bob.pk))) == []
    assert _retry(is_any_age_taken=True) == (0, 0, 0)
    row = RejectedUsage.objects.get(event_id="e1")
    with pytest.raises(ConflictError, match="may not report"):
        rejections.retry_one(row.pk, by="test", now=NOW)
    assert UsageEvent.objects.count() == 0


def test_nobody_puts_an_event_in_the_place_of_anothers(alice: Customer) -> None:
    _take(_report(customer="bob"))
    builders.make_customer("bob")

    _take(_report(customer="bob", quantity=Decimal(999)), only_customer=alice.pk)

    assert RejectedUsage.objects.count() == 2
    assert _retry() == (1, 0, 0)
    assert UsageEvent.objects.get().quantity == Decimal("1.5")


def test_whose_it_was_known_to_be_it_stays(alice: Customer) -> None:
    _take(_report(meter="teleports"))
    Customer.objects.filter(pk=alice.pk).update(organization_id="alice-2")
    builders.make_customer("alice")
    builders.make_meter("teleports")

    _retry()

    assert UsageEvent.objects.get().customer == alice


def test_they_are_forgotten_in_time_resolved_or_not() -> None:
    kept = NOW - timedelta(days=89)
    _take(_report("e1", "teleports"), _report("e2", "teleports"), now=kept - timedelta(days=2))
    _take(_report("e2", "teleports"), now=kept)

    tasks.prune()

    assert [row.event_id for row in RejectedUsage.objects.all()] == ["e2"]


def test_erasing_somebody_erases_what_was_reported_of_them(alice: Customer) -> None:
    Meter.objects.all().delete()
    named = {"customer": "alice"}
    _take(_report("e1"), _report("e2", customer=str(alice.pk)), _report("e3", customer="bob"))
    RejectedUsage.objects.filter(event_id="e2").update(customer=None)
    assert RejectedUsage.objects.filter(event__contains=named).exists()

    erasure.erase(alice.pk, by="user:1", now=NOW)

    assert [row.event_id for row in RejectedUsage.objects.all()] == ["e3"]
