"""State tables, dunning, postings, figures and terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import dunning, lifecycle, postings
from billing.core.dunning import DunningPolicy
from billing.core.errors import ConflictError
from billing.core.figures import figure, rate
from billing.core.lifecycle import InvoiceStatus
from billing.core.money import Money
from billing.core.postings import Posting
from billing.core.taxes import Tax, TaxCategory
from plans.prices import Price, Tier, UsageModel
from plans.terms import InvalidTermsError, PlanTerms, UsageTerms
from tests.terms import seed_terms

NOW = datetime(2026, 4, 20, tzinfo=UTC)
POLICY = DunningPolicy(retry_after_days=(1, 3))
PER_UNIT = Price(UsageModel.PER_UNIT, Decimal(1))
FIRST, OPEN = Tier(Decimal(10), Decimal(2)), Tier(None, Decimal(1))
NO_PACKAGE = replace(OPEN, package_size=Decimal(0))
SEATS = Price(UsageModel.VOLUME, tiers=(OPEN,))


def priced(price: Price) -> dict[str, Any]:
    """Terms with this one usage price."""
    return {"usage": (UsageTerms("a", price),)}


# api.md, section 6, as it is written there.
INVOICE_STEPS = {
    ("DRAFT", "PENDING"),
    ("PENDING", "PAID"),
    ("PENDING", "CHARGED_WITH_ERROR"),
    ("CHARGED_WITH_ERROR", "PAID"),
    ("CHARGED_WITH_ERROR", "CHARGED_WITH_ERROR"),
    ("CHARGED_WITH_ERROR", "UNCOLLECTIBLE"),
    ("DRAFT", "CANCELED"),
    ("PENDING", "CANCELED"),
    ("CHARGED_WITH_ERROR", "CANCELED"),
    ("PAID", "REFUNDED"),
    ("PAID", "IN_PROTEST"),
    ("IN_PROTEST", "CHARGEBACK"),
    ("IN_PROTEST", "PAID"),
}


def test_an_invoice_takes_the_documented_steps_and_no_others() -> None:
    steps = {
        (source, target)
        for sources, target in lifecycle.INVOICE.steps.values()
        for source in sources
    }
    assert steps == INVOICE_STEPS | {("PAID", "PENDING")}  # ours: a payment was not for it


@pytest.mark.parametrize("status", [s for s in InvoiceStatus if s != InvoiceStatus.DRAFT])
def test_only_a_draft_is_finalized(status: InvoiceStatus) -> None:
    with pytest.raises(ConflictError) as refused:
        lifecycle.INVOICE.after(status, "finalize")
    assert refused.value.code == "forbidden_transition"


@pytest.mark.parametrize(
    ("failures", "is_hard", "days"),
    [(1, False, 1), (2, False, 3), (3, False, None), (1, True, None)],
)
def test_the_schedule_of_retries(failures: int, is_hard: bool, days: int | None) -> None:
    found = dunning.next_attempt(POLICY, failures=failures, failed_at=NOW, is_hard=is_hard)
    assert found == (None if days is None else NOW + timedelta(days=days))


@given(
    st.lists(st.integers(-(10**12), 10**12), min_size=5, max_size=5),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_every_posting_rule_balances(minors: list[int], currency: str) -> None:
    one, two, three, tax, other = (Money(minor, currency) for minor in minors)
    plan, german = (
        postings.revenue("a"),
        postings.tax_payable(Tax(TaxCategory.STANDARD, Decimal(19), "DE")),
    )
    first, second = uuid4(), uuid4()
    parts = {first: one, second: two}
    bank = {"gateway": "bank_transfer"}
    rules: list[list[Posting]] = [
        postings.invoice_finalized(
            one + two + tax, earned={plan: one}, deferred=two, taxes={german: tax}
        ),
        postings.credit_note_issued(
            earned={plan: one, postings.ITEMS: two},
            deferred=three,
            taxes={german: tax},
            to_due=one,
            to_credit=two,
            to_refund=three + tax,
        ),
        postings.payment_received(other, allocated=parts, **bank),
        postings.payment_reversed(other, allocated=parts, **bank),
        *(rule(other) for rule in SIMPLE_RULES),
        *(rule(other, gateway="stripe") for rule in GATEWAY_RULES),
        *(postings.credit_expired(other, is_paid=is_paid) for is_paid in (True, False)),
        postings.revenue_recognized({plan: one, postings.ITEMS: two}),
    ]
    for rule in rules:
        assert postings.is_balanced(rule)
        assert all(posting.amount.minor > 0 for posting in rule)
    assert {posting.invoice_id for posting in rules[2]} <= {None, first, second}


SIMPLE_RULES = [
    postings.allocation_reversed,
    postings.credit_granted,
    postings.credit_sold,
    postings.credit_applied,
    postings.usage_prepaid,
    postings.prepaid_usage_invoiced,
    postings.refund_owed,
    postings.refund_failed,
    postings.dispute_lost,
    postings.contest_conceded,
    postings.written_off,
    postings.difference_let_go,
]
GATEWAY_RULES = [
    postings.refund_paid,
    postings.dispute_opened,
    postings.dispute_won,
    postings.fee_charged,
]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(760, 3), "253.33…"),
        (Fraction(-140, 3), "-46.66…"),
        (Decimal("1.80"), "1.8"),
        (400, "400"),
        (Decimal("1E+3"), "1000"),
        (Fraction(1, 3000), "0.00…"),
    ],
)
def test_figures_are_cut_and_never_rounded_up(value: Any, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("value", "exponent", "shown"),
    [("1.8", 2, "1.80"), ("0.0125", 2, "0.0125"), ("180", 0, "180"), ("0.3835", 3, "0.3835")],
)
def test_rates_have_at_least_the_currencys_decimals(value: str, exponent: int, shown: str) -> None:
    assert rate(Decimal(value), exponent) == shown


def test_terms_are_read_back_as_they_were() -> None:
    terms = seed_terms("180", "400", "1.80", features={"sso": True}, limits={"MaxUsers": "12"})
    assert PlanTerms.from_json(terms.to_json()) == terms


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "usd"}, "currency"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": Decimal("0.0000000000001")}, "amount"),
        ({"trial_days": -1}, "trial_days"),
        ({"interval_count": 0}, "interval_count"),
        ({"usage": (UsageTerms("a", PER_UNIT),) * 2}, "usage"),
        (priced(replace(PER_UNIT, included=Decimal(5))), "usage"),
        (priced(replace(PER_UNIT, unit_amount=Decimal(-1))), "usage"),
        (priced(replace(PER_UNIT, tiers=(OPEN,))), "usage"),
        (priced(Price(UsageModel.GRADUATED)), "usage"),
        (priced(Price(UsageModel.VOLUME, tiers=(FIRST,))), "usage"),
        (priced(Price(UsageModel.VOLUME, tiers=(OPEN, OPEN))), "usage"),
        (priced(Price(UsageModel.VOLUME, tiers=(FIRST, FIRST, OPEN))), "usage"),
        (priced(Price(UsageModel.PACKAGE, Decimal(1))), "usage"),
        ({"minimum": Decimal(-1)}, "minimum"),
        ({"quantity_pricing": SEATS, "amount": Decimal(0)}, "quantity_pricing"),
        ({"quantity_pricing": PER_UNIT, "quantity_unit": "seat"}, "quantity_pricing"),
        ({"minimum_quantity": 2}, "minimum_quantity"),
        ({"minimum_quantity": 0, "quantity_unit": "seat"}, "minimum_quantity"),
        (priced(replace(PER_UNIT, percent=Decimal(1))), "usage"),
        (priced(Price(UsageModel.PERCENTAGE)), "usage"),
        (priced(Price(UsageModel.PERCENTAGE, Decimal(1), percent=Decimal(1))), "usage"),
        (
            priced(Price(UsageModel.VOLUME, tiers=(replace(OPEN, package_size=Decimal(0)),))),
            "usage",
        ),
        ({"usage": (UsageTerms("a", PER_UNIT, {"region": ()}),)}, "usage"),
    ],
)
def test_terms_that_make_no_sense_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidTermsError) as refused:
        replace(seed_terms("180", "400", "1.80"), **changes)
    assert set(refused.value.errors) == {field}


def test_an_amount_stands_beside_the_pricing_of_a_quantity() -> None:
    terms = replace(seed_terms("180", "400", "1.80"), quantity_pricing=SEATS, quantity_unit="seat")
    assert PlanTerms.from_json(terms.to_json()) == terms


def test_free_is_free() -> None:
    assert seed_terms("0", "400", "0").is_free
    assert not seed_terms("0", "400", "0.01").is_free
