"""Replays tables that an accountant can read. `seed_003.csv` was reckoned without our code."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing.core import proration, rating
from billing.core.figures import figure
from billing.core.invoicing import LineKind, ServicePeriod, period_lines
from billing.core.money import Money, total
from billing.core.periods import Cadence, Period
from billing.core.proration import WHOLE, Share
from plans.terms import Alignment, Interval, PlanTerms, Price, Tier, UsageModel, UsageTerms
from tests.terms import seed_terms

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def first_period(card_set_up_on: str) -> tuple[Period, Share]:
    """The first period of a card set up at three in the afternoon; a whole month without one."""
    day = date.fromisoformat(card_set_up_on or "2026-04-11")
    cadence = Cadence(
        datetime.combine(day, time(15), tzinfo=UTC),
        Interval.MONTH,
        1,
        Alignment.CALENDAR,
        ZoneInfo("UTC"),
    )
    span, share = proration.first_period(seed_terms("1", "1", "1"), cadence)
    if not card_set_up_on:
        return cadence.following(span.period.end).period, WHOLE
    return span.period, share


@pytest.mark.parametrize("row", rows("seed_003.csv"), ids=lambda row: "/".join(row.values()))
def test_seed_003(row: dict[str, str]) -> None:
    terms = seed_terms(row["base"], row["included"], row["above"], currency=row["currency"])
    period, share = first_period(row["card_set_up_on"])
    used = Decimal(row["used"])

    base, overage = period_lines(
        row["plan"],
        terms,
        quantity=1,
        service=ServicePeriod(period, share, {"api_calls": used}, {}),
    )

    rated = rating.usage(terms.usage[0].price, used=used, share=share, currency=row["currency"])
    assert f"{share.used}/{share.whole}" == row["share"]
    assert base.amount == Money.parse(row["base_charge"], row["currency"])
    assert figure(rated.included or Fraction(0)) == row["allowance"]
    assert figure(rated.quantity) == row["units_above"]
    assert overage.amount == Money.parse(row["overage"], row["currency"])
    assert total([base.amount, overage.amount], row["currency"]) == Money.parse(
        row["total"], row["currency"]
    )


@pytest.mark.parametrize("row", rows("periods.csv"), ids=lambda row: row["source"])
def test_boundaries(row: dict[str, str]) -> None:
    zone = ZoneInfo(row["timezone"])
    cadence = Cadence(
        datetime.fromisoformat(row["anchor"]).replace(tzinfo=zone).astimezone(UTC),
        Interval(row["interval"]),
        int(row["count"]),
        Alignment(row["alignment"]),
        zone,
    )
    expected = row["boundaries"].split()
    found = [cadence.boundary(index).astimezone(zone) for index in range(len(expected))]
    assert [f"{instant:%Y-%m-%d}" for instant in found] == expected


def price_of(model: str, text: str) -> Price:
    """`0.5` a unit, `10:15` a package, or tiers as `up_to:unit+flat`."""
    if model == UsageModel.PER_UNIT:
        return Price(UsageModel.PER_UNIT, Decimal(text))
    if model == UsageModel.PACKAGE:
        size, amount = text.split(":")
        return Price(UsageModel.PACKAGE, Decimal(amount), package_size=Decimal(size))
    tiers = []
    for tier in text.split():
        bound, _, price = tier.partition(":")
        unit, _, flat = price.partition("+")
        up_to = None if bound == "*" else Decimal(bound)
        tiers.append(Tier(up_to, Decimal(unit), Decimal(flat or 0)))
    return Price(UsageModel(model), tiers=tuple(tiers))


@pytest.mark.parametrize("row", rows("prices.csv"), ids=lambda row: "/".join(row.values()))
def test_prices(row: dict[str, str]) -> None:
    """A meter's price alone on a plan of nothing, with a minimum where the row has one."""
    terms = seed_terms(
        "0",
        "0",
        "0",
        currency=row["currency"],
        usage=(UsageTerms("m", price_of(row["model"], row["tiers or price"])),),
        minimum=Decimal(row["minimum"]) if row["minimum"] else None,
    )
    assert PlanTerms.from_json(terms.to_json()) == terms
    period, _ = first_period("")
    service = ServicePeriod(period, WHOLE, {"m": Decimal(row["quantity"])}, {})

    lines = period_lines("Plan", terms, quantity=1, service=service)

    due = total((line.amount for line in lines), row["currency"])
    assert due == Money.parse(row["total"], row["currency"])
    missing = [line.amount for line in lines if line.kind == LineKind.MINIMUM]
    assert missing == ([Money.parse(row["true_up"], row["currency"])] if row["true_up"] else [])
