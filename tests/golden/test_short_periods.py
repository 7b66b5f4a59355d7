"""Short periods: what they are charged, and what becomes of allowances and minimums in them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from billing.core import rating
from billing.core.figures import figure
from billing.core.invoicing import LineKind
from plans.prices import Price, UsageModel
from plans.terms import Alignment, Billed, PlanTerms, UsageTerms
from tests.golden.tables import Row, money, name_of, rows, terms_of
from tests.unit.lives import Life, agreement, local

CALENDAR = {"alignment": Alignment.CALENDAR, "first_day_counts": True}


@pytest.mark.parametrize("row", rows("first_periods.csv"), ids=name_of)
def test_short_periods(row: Row) -> None:
    """One that begins in mid-interval, after a trial, or that ends with a moved billing day."""
    terms = terms_of(row, amount=row["price"], interval=row["interval"])
    zone = row["zone"]
    start, end = local(row["from"], zone), local(row["to"], zone)
    life = Life(agreement(terms, zone=zone))
    life.begins(local(row["begins"], zone), trial_days=int(row["trial days"] or 0))
    if row["billing day moves to"]:
        life.changes(start, anchor=local(row["billing day moves to"], zone))
    life.passes(end)

    charged = [
        line
        for line in life.lines
        if line.kind == LineKind.RECURRING and line.period and line.period.start == start
    ]
    assert [line.amount for line in charged] == [money(row, "amount")]
    assert charged[0].period is not None
    assert charged[0].period.end == end
    assert charged[0].share is not None
    assert f"{charged[0].share.used}/{charged[0].share.whole}" == row["days"]


@pytest.mark.parametrize("row", rows("allowances.csv"), ids=name_of)
def test_allowances_shrink_with_a_short_period(row: Row) -> None:
    """The plan is paid in advance by the calendar, and the usage of the short month after it."""
    price = Price(UsageModel.ALLOWANCE, Decimal(row["unit price"]), Decimal(row["included"]))
    terms = PlanTerms(
        currency=row["currency"],
        amount=Decimal(row["price"]),
        billed=Billed.IN_ADVANCE,
        usage=(UsageTerms("m", price),),
        alignment=Alignment.CALENDAR,
    )
    life = Life(agreement(terms)).begins(local(row["begins"]))
    share = life.stay.share
    life.passes(life.stay.period.end, {"m": row["used"]})

    overage, ahead = life.bill(1).lines
    assert f"{share.used}/{share.whole}" == row["days"]
    assert figure(rating.allowance(price, share) or Fraction(0)) == row["allowance"]
    assert figure(overage.quantity) == row["units above"]
    assert life.bill(0).total == money(row, "first invoice")
    assert overage.amount == money(row, "overage")
    assert ahead.amount == money(row, "price")
    assert life.bill(1).total == money(row, "next invoice")


@pytest.mark.parametrize("row", rows("minimums.csv"), ids=name_of)
def test_minimums_are_made_up(row: Row) -> None:
    """Usage at one unit of money each; everything in arrears by the calendar."""
    terms = PlanTerms(
        currency=row["currency"],
        amount=Decimal(row["price"]),
        minimum=Decimal(row["minimum"]),
        usage=(UsageTerms("m", Price(UsageModel.PER_UNIT, Decimal(1))),),
        alignment=Alignment.CALENDAR,
    )
    life = Life(agreement(terms)).begins(local(row["begins"]))
    while f"{life.stay.period.start:%Y-%m}" != row["period"]:
        life.passes(life.stay.period.end)
    life.passes(life.stay.period.end, {"m": row["usage"]})

    lines = {line.kind: line for line in life.bill().lines}
    charge = lines[LineKind.RECURRING]
    assert charge.share is not None
    assert f"{charge.share.used}/{charge.share.whole}" == row["days"]
    assert charge.amount == money(row, "plan charge")
    assert lines[LineKind.USAGE].amount == money(row, "usage")
    if row["true up"]:
        assert lines[LineKind.MINIMUM].amount == money(row, "true up")
    else:
        assert LineKind.MINIMUM not in lines
    assert life.bill().total == money(row, "total")
