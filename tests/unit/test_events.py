"""Types of notifications: each fact has its verdict, each name a meaning, each field a shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from billing.core import books, delivering, event_pages, event_types, events, lifecycle
from billing.core.event_fields import FIELDS
from billing.core.event_types import PATHS, TYPES, EventType
from billing.core.events import VERDICTS, Announcement, Source, Told

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
ID = UUID("0198d5a2-0000-7000-8000-000000000042")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "notifications.md"


def test_every_kind_of_fact_has_a_verdict() -> None:
    assert set(VERDICTS) == books.KINDS, "say in core/events what the world is told of it"


def test_what_is_told_is_a_type() -> None:
    told = {verdict.type for verdict in VERDICTS.values() if isinstance(verdict, Told)}

    assert told <= set(TYPES)


@pytest.mark.parametrize("known", TYPES.values(), ids=lambda known: known.name)
def test_a_type_says_what_it_is_about_in_known_fields(known: EventType) -> None:
    assert set(known.fields) <= set(FIELDS)
    assert known.object_kind in PATHS
    assert known.name.count(".") == 1
    Draft202012Validator(event_pages.schema(known)).validate(event_pages.example(known))


def test_no_field_is_idle() -> None:
    used = {name for known in TYPES.values() for name in known.fields}

    assert set(FIELDS) - used == set()


def test_every_step_of_an_invoice_is_told_one_way_or_the_other() -> None:
    from billing.services.announcing import INVOICE_STEPS

    facts = {"finalize": "invoice.finalized", "write_off": "invoice.uncollectible"}
    announced = {step: f"invoice.{name}" for step, name in INVOICE_STEPS.items()}
    assert announced.keys() | facts.keys() == lifecycle.INVOICE.steps.keys()
    assert {*announced.values(), *facts.values()} <= set(TYPES)


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert event_pages.within(page) == page, "run `manage.py notifications_doc`"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], True),
        (["invoice.paid"], True),
        (["invoice.*"], True),
        (["refund.*", "invoice.paid"], True),
        (["refund.*"], False),
        (["invoice.canceled"], False),
    ],
)
def test_who_is_told(patterns: list[str], expected: bool) -> None:
    assert event_types.matches(patterns, "invoice.paid") is expected


@pytest.mark.parametrize("text", ["invoice.paid", "invoice.*", "entitlement.*"])
def test_what_can_be_asked_for(text: str) -> None:
    assert event_types.is_pattern(text)


@pytest.mark.parametrize("text", ["", "*", "invoice", "invoice.", "inv.*", "invoice.p*", "*.paid"])
def test_what_cannot(text: str) -> None:
    assert not event_types.is_pattern(text)


def test_a_fact_that_is_not_told_and_one_that_nobody_knows() -> None:
    source = Source(ID, ID, None, NOW)

    assert events.of_fact("REVENUE_RECOGNIZED", {}, source) is None
    assert events.of_fact("NEVER_HEARD_OF", {}, source) is None


def test_the_words_of_a_fact_are_read_into_the_notation_of_notifications() -> None:
    context = {
        "kind": "PROMOTIONAL",
        "amount": "1,234.50 EUR",
        "expires_at": "2026-05-01T00:00:00+02:00",
        "reason": "for Alice Liddell",
    }
    told = events.of_fact("CREDIT_GRANTED", context, Source(ID, ID, None, NOW))
    assert told is not None

    assert events.said(ID, told)["data"] == {
        "object": "credit_grant",
        "id": str(ID),
        "customer": str(ID),
        "kind": "promotional",
        "amount": "1234.50",
        "currency": "EUR",
        "expires_at": "2026-04-30T22:00:00Z",
        "url": f"/api/v1/customers/{ID}/credits",
    }


@pytest.mark.parametrize(("source", "reason"), [("GATEWAY", "fraudulent"), ("CUSTOMER", None)])
def test_a_customers_own_words_are_not_passed_on(source: str, reason: str | None) -> None:
    context = {"source": source, "reason": "fraudulent", "amount": "1.00 EUR"}
    told = events.of_fact("DISPUTE_OPENED", context, Source(ID, ID, None, NOW))
    assert told is not None

    assert events.said(ID, told)["data"]["reason"] == reason


def test_the_same_is_written_the_same() -> None:
    told = Announcement("customer.updated", ID, "customer", str(ID), {"changed": ["näme"]}, NOW)

    assert events.body(ID, told) == events.body(ID, told)
    assert "näme" in events.body(ID, told)


def test_waits_grow_for_three_days_and_then_end() -> None:
    at, waits = NOW, []
    for tries in range(1, 11):
        again = delivering.again_at(tries, seed="x", now=at)
        if again is None:
            break
        waits.append(again - at)
        at = again

    assert tries == 10
    assert waits == sorted(waits)
    assert timedelta(days=3) <= at - NOW <= timedelta(days=3.5)


@given(st.text(), st.integers(1, 9))
def test_those_that_failed_together_are_spread_a_little(seed: str, tries: int) -> None:
    again = delivering.again_at(tries, seed=seed, now=NOW)

    wait = delivering.WAITS[tries - 1]
    assert again is not None
    assert wait <= again - NOW <= wait * 1.1


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, False), (timedelta(hours=71), False), (timedelta(days=3), True)],
)
def test_when_a_receiver_is_given_up(since: timedelta | None, expected: bool) -> None:
    failing_since = None if since is None else NOW - since

    assert delivering.is_dead(failing_since=failing_since, now=NOW) is expected
