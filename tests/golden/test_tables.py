"""Replays tables that an accountant can read. `seed_003.csv` was reckoned without our code."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from billing.core import rating
from billing.core.figures import figure
from billing.core.invoicing import LineKind
from billing.core.periods import Cadence
from plans.terms import Alignment, Interval, PlanTerms, UsageTerms
from tests.golden.tables import Row, money, name_of, price_of, rows, usage_of
from tests.terms import seed_terms
from tests.unit.lives import Life, agreement, local


def month_of(terms: PlanTerms, used: dict[str, str]) -> Life:
    """A whole month of a plan, billed in arrears."""
    begin, end = local("2026-04-01"), local("2026-05-01")
    return Life(agreement(terms)).begins(begin).passes(end, used)


@pytest.mark.parametrize("row", rows("seed_003.csv"), ids=name_of)
def test_seed_003(row: Row) -> None:
    """A card set up at three in the afternoon; a later, whole month without one."""
    terms = seed_terms(row["base"], row["included"], row["above"], currency=row["currency"])
    day = row["card_set_up_on"] or "2026-04-11"
    life = Life(agreement(terms)).begins(local(f"{day}T15:00"))
    if not row["card_set_up_on"]:
        life.passes(life.stay.period.end)
    share = life.stay.share
    life.passes(life.stay.period.end, {"api_calls": row["used"]})

    base, overage = life.bill().lines
    price = terms.usage[0].price
    assert Fraction(row["share"]) == share.fraction
    if row["share"] != "1/1":
        assert f"{share.used}/{share.whole}" == row["share"]
    assert base.amount == money(row, "base_charge")
    assert figure(rating.allowance(price, share) or Fraction(0)) == row["allowance"]
    assert figure(overage.quantity) == row["units_above"]
    assert overage.amount == money(row, "overage")
    assert life.bill().total == money(row, "total")


@pytest.mark.parametrize("row", rows("periods.csv"), ids=lambda row: row["source"])
def test_boundaries(row: Row) -> None:
    """Where periods end, and that each is charged whole."""
    zone = ZoneInfo(row["timezone"])
    terms = PlanTerms(
        currency=row["currency"],
        amount=Decimal(row["price"]),
        interval=Interval(row["interval"]),
        interval_count=int(row["count"]),
        alignment=Alignment(row["alignment"]),
    )
    cadence = Cadence.of(terms, anchor=local(row["anchor"], row["timezone"]), zone=zone)
    days = row["boundaries"].split()
    bounds = [cadence.boundary(index) for index in range(len(days))]
    assert [f"{bound.astimezone(zone):%Y-%m-%d}" for bound in bounds] == days

    life = Life(agreement(terms, zone=row["timezone"])).begins(bounds[0]).passes(bounds[-1])

    charged = [(line.period.start, line.period.end) for line in life.lines if line.period]
    assert charged == list(pairwise(bounds))
    assert {bill.total for _, bill in life.bills} == {money(row, "price")}
    assert [at for at, _ in life.bills] == bounds[1:]


@pytest.mark.parametrize("row", rows("prices.csv"), ids=name_of)
def test_prices(row: Row) -> None:
    """A meter's price alone on a plan of nothing, with a minimum where the row has one."""
    terms = PlanTerms(
        currency=row["currency"],
        amount=Decimal(0),
        usage=(UsageTerms("m", price_of(row["model"], row["tiers or price"])),),
        minimum=Decimal(row["minimum"]) if row["minimum"] else None,
    )
    assert PlanTerms.from_json(terms.to_json()) == terms

    bill = month_of(terms, {"m": row["quantity"]}).bill()

    assert bill.total == money(row, "total")
    missing = [line.amount for line in bill.lines if line.kind == LineKind.MINIMUM]
    assert missing == ([money(row, "true_up")] if row["true_up"] else [])
    usage = next(line for line in bill.lines if line.kind == LineKind.USAGE)
    if row["parts"]:
        assert [tier.exact for tier in usage.tiers] == [
            Fraction(part) for part in row["parts"].split()
        ]


@pytest.mark.parametrize("row", rows("seats.csv"), ids=name_of)
def test_seats(row: Row) -> None:
    """A fixed amount, and seats priced by tiers."""
    terms = PlanTerms(
        currency=row["currency"],
        amount=Decimal(row["amount"]),
        quantity_unit="seat",
        quantity_pricing=price_of(row["model"], row["tiers"]),
    )
    life = Life(agreement(terms, quantity=int(row["seats"]))).begins(local("2026-04-01"))
    assert life.passes(local("2026-05-01")).bill().total == money(row, "total")


@pytest.mark.parametrize("row", rows("invoices.csv"), ids=name_of)
def test_invoices(row: Row) -> None:
    """Several components on one invoice, each line rounded once."""
    terms = PlanTerms(
        currency=row["currency"], amount=Decimal(row["plan"]), usage=usage_of(row["components"])
    )
    used = {f"m{index}": count for index, count in enumerate(row["used"].split())}
    bill = month_of(terms, used).bill()
    assert [f"{line.amount.major:f}" for line in bill.lines] == row["lines"].split()
    assert bill.total == money(row, "total")
