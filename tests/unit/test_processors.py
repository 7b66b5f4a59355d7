"""Processors: what each makes of entries, and that it never matters where a batch ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import mrr
from billing.core.money import Money
from billing.core.postings import Side
from billing.core.processors import all_processors
from billing.core.processors.base import COMMON, Entry, EntryLine, Place, Value, fold_into
from billing.core.processors.entitlement_timeline import spans
from tests.terms import seed_terms

ALICE, BOB = UUID(int=1), UUID(int=2)
INVOICE, OTHER = UUID(int=11), UUID(int=12)
SUBSCRIPTION: Final = "0198d5a2-0000-7000-8000-000000000001"
APRIL = datetime(2026, 4, 11, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Moved:
    """A line in short: an account, and its amount, debits positive."""

    account: str
    minor: int
    invoice: UUID | None = None
    currency: str = "USD"

    @property
    def line(self) -> EntryLine:
        """The line itself."""
        side = Side.DEBIT if self.minor > 0 else Side.CREDIT
        return EntryLine(self.account, side, Money(abs(self.minor), self.currency), self.invoice)


def entry(
    *moved: Moved,
    kind: str = "SOMETHING",
    customer: UUID | None = ALICE,
    at: datetime = APRIL,
    **context: Any,
) -> Entry:
    """A fact."""
    return Entry(
        id=UUID(int=99),
        kind=kind,
        key="key",
        customer=customer,
        occurred_at=at,
        context=context,
        lines=tuple(line.line for line in moved),
    )


def made(name: str, *entries: Entry) -> dict[Place, Value]:
    """What a processor makes of entries, one after the other."""
    values: dict[Place, Value | None] = {}
    for found in entries:
        fold_into(all_processors()[name], found, values)
    return {place: value for place, value in values.items() if value is not None}


def of_alice(name: str, *entries: Entry) -> dict[str, Value]:
    """The same, only hers."""
    return {
        place.key: value
        for place, value in made(name, *entries).items()
        if place.scope == str(ALICE)
    }


SOLD = entry(
    Moved("receivables", 100, INVOICE),
    Moved("revenue:items", -100, INVOICE),
    kind="INVOICE_FINALIZED",
    number="INV-1",
    due_at="2026-04-25T09:00:00+00:00",
)
PAID = entry(Moved("cash:bank", 100), Moved("receivables", -100, INVOICE), invoice="INV-1")
HALF = entry(Moved("cash:bank", 40), Moved("receivables", -40, INVOICE), invoice="INV-1")


def test_every_file_with_a_processor_is_one() -> None:
    assert set(all_processors()) == {
        "balances",
        "entitlement_timeline",
        "mrr",
        "open_invoices",
        "statement",
    }


def test_balances_are_of_each_customer_and_of_all() -> None:
    bobs = entry(Moved("receivables", 7), Moved("revenue:items", -7), customer=BOB)

    found = made("balances", SOLD, bobs)

    assert found[Place(str(ALICE), "USD:receivables")] == 100
    assert found[Place(str(BOB), "USD:receivables")] == 7
    assert found[Place(COMMON, "USD:receivables")] == 107


def test_a_balance_of_nothing_is_gone() -> None:
    assert of_alice("balances", SOLD, PAID) == {"USD:cash:bank": 100, "USD:revenue:items": -100}


def test_what_concerns_nobody_counts_once() -> None:
    earned = entry(Moved("deferred_revenue", 5), Moved("revenue:x", -5), customer=None)

    assert made("balances", earned) == {
        Place(COMMON, "USD:deferred_revenue"): 5,
        Place(COMMON, "USD:revenue:x"): -5,
    }


def test_a_statement_keeps_months_and_their_days() -> None:
    later = entry(Moved("receivables", 30), Moved("x", -30), at=APRIL + timedelta(days=1))
    may = entry(Moved("customer_credit", -5), Moved("x", 5), at=APRIL + timedelta(days=30))

    assert of_alice("statement", SOLD, HALF, later, may) == {
        "USD:2026-04": {"change": 90, "days": {"11": 60, "12": 30}},
        "USD:2026-05": {"change": -5, "days": {"11": -5}},
    }


def test_an_invoice_is_open_until_nothing_is_due() -> None:
    assert of_alice("open_invoices", SOLD, HALF) == {
        str(INVOICE): {
            "number": "INV-1",
            "due_at": "2026-04-25T09:00:00+00:00",
            "due": 60,
            "currency": "USD",
        }
    }
    assert of_alice("open_invoices", SOLD, PAID) == {}


def test_an_invoice_that_is_owed_again_has_its_number_and_no_date() -> None:
    undone = entry(Moved("receivables", 100, INVOICE), Moved("cash:bank", -100), invoice="INV-1")

    assert of_alice("open_invoices", SOLD, PAID, undone) == {
        str(INVOICE): {"number": "INV-1", "due_at": None, "due": 100, "currency": "USD"}
    }


def test_a_timeline_is_in_the_order_of_time_whenever_it_was_written() -> None:
    first = _stands("trialing", 0)
    late = _stands("active", 14)
    between = _stands("incomplete", 7)

    (states,) = of_alice("entitlement_timeline", first, late, between).values()

    assert [
        (span["status"], span["from"][:10], (span["to"] or "")[:10]) for span in spans(states)
    ] == [
        ("trialing", "2026-04-11", "2026-04-18"),
        ("incomplete", "2026-04-18", "2026-04-25"),
        ("active", "2026-04-25", ""),
    ]


def test_spans_leave_out_what_changed_nothing_or_held_for_no_time() -> None:
    same, instant = _stands("active", 3), _stands("paused", 5)
    after = _stands("canceled", 5)

    (states,) = of_alice(
        "entitlement_timeline", _stands("active", 0), same, instant, after
    ).values()

    assert [span["status"] for span in spans(states)] == ["active", "canceled"]


def _stands(status: str, days: int, amount: str = "0.00") -> Entry:
    return entry(
        at=APRIL + timedelta(days=days),
        subscription=SUBSCRIPTION,
        status=status,
        plan="Gold",
        quantity=1,
        features={},
        limits={},
        mrr={"amount": amount, "currency": "USD"},
    )


def test_mrr_moves_under_the_right_name() -> None:
    lived = [
        _stands("active", 0, "10.00"),
        _stands("active", 1, "25.00"),
        _stands("active", 2, "20.00"),
        _stands("paused", 30),
        _stands("active", 31, "20.00"),
        _stands("canceled", 32),
        _stands("canceled", 33),
    ]

    found = made("mrr", *lived)

    assert found[Place(COMMON, "USD:2026-04")] == {
        "new": 10_00,
        "expansion": 15_00,
        "contraction": -5_00,
    }
    assert found[Place(COMMON, "USD:2026-05")] == {"churn": -40_00, "reactivation": 20_00}
    assert found[Place(str(ALICE), SUBSCRIPTION)] == {"minor": 0, "currency": "USD"}


def test_what_never_recurred_is_not_known_to_mrr() -> None:
    assert made("mrr", _stands("trialing", 0), _stands("incomplete", 14)) == {}


@pytest.mark.parametrize(
    ("interval", "count", "monthly"),
    [("MONTH", 1, 120_00), ("MONTH", 3, 40_00), ("YEAR", 1, 10_00), ("WEEK", 1, 520_00),
     ("WEEK", 2, 260_00), ("DAY", 1, 3650_00), ("DAY", 30, 121_67)],
)  # fmt: skip
def test_a_recurring_charge_is_brought_to_a_month(interval: str, count: int, monthly: int) -> None:
    stored = seed_terms("120", "0", "0").to_json() | {"interval": interval, "interval_count": count}
    terms = type(seed_terms("1", "0", "0")).from_json(stored)

    assert mrr.monthly(terms, 1).minor == monthly
    assert mrr.monthly(terms, 1).currency == terms.currency


def test_amounts_of_a_currency_without_decimals_are_rounded_once() -> None:
    stored = seed_terms("100", "0", "0").to_json() | {"currency": "JPY", "interval": "YEAR"}
    terms = type(seed_terms("1", "0", "0")).from_json(stored)

    assert mrr.monthly(terms, 1) == Money(8, "JPY")


_LINES = st.builds(
    Moved,
    account=st.sampled_from(["receivables", "customer_credit", "refunds", "cash:bank"]),
    minor=st.integers(-500, 500).filter(bool),
    invoice=st.sampled_from([None, INVOICE, OTHER]),
    currency=st.sampled_from(["USD", "JPY"]),
)
_CONTEXTS = st.fixed_dictionaries(
    {"number": st.just("INV-1")},
    optional={
        "subscription": st.just(SUBSCRIPTION),
        "status": st.sampled_from(["active", "paused"]),
        "mrr": st.builds(
            lambda amount: {"amount": f"{amount}.00", "currency": "USD"}, st.integers(0, 3)
        ),
    },
)
_ENTRIES = st.builds(
    lambda moved, kind, customer, days, context: entry(
        *moved, kind=kind, customer=customer, at=APRIL + timedelta(days=days), **context
    ),
    st.lists(_LINES, max_size=3),
    st.sampled_from(["INVOICE_FINALIZED", "PAYMENT_RECEIVED"]),
    st.sampled_from([ALICE, BOB, None]),
    st.integers(0, 60),
    _CONTEXTS,
)


@pytest.mark.parametrize("name", sorted(all_processors()))
@given(entries=st.lists(_ENTRIES, max_size=12), cuts=st.sets(st.integers(1, 11)))
def test_it_never_matters_where_a_batch_ends(
    name: str, entries: Sequence[Entry], cuts: set[int]
) -> None:
    """Between batches only what was stored is known: values that are there, as JSON keeps them."""
    stored: dict[Place, Value] = {}
    batch: dict[Place, Value | None] = {}
    for index, found in enumerate(entries):
        if index in cuts:
            stored = {place: value for place, value in batch.items() if value is not None}
            batch = dict(stored)
        fold_into(all_processors()[name], found, batch)

    assert {place: value for place, value in batch.items() if value is not None} == made(
        name, *entries
    )


@pytest.mark.parametrize("name", sorted(all_processors()))
@given(entries=st.lists(_ENTRIES, max_size=12))
def test_a_customers_values_follow_from_their_entries_alone(
    name: str, entries: Sequence[Entry]
) -> None:
    hers = [found for found in entries if found.customer == ALICE]

    assert of_alice(name, *entries) == of_alice(name, *hers)
