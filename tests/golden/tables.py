"""How the tables are read: rows, prices and terms as they are written there."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.core.money import Money
from billing.core.tax_policies import Rate, RateTable
from plans.prices import Price, Tier, UsageModel
from plans.terms import Alignment, Billed, Interval, PlanTerms, Proration, UsageTerms

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """A table's rows, by the names in its first line."""
    with (Path(__file__).parent / name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def name_of(row: Row) -> str:
    """What a row is called in the output of the tests."""
    return "/".join(row.values())


def money(row: Row, name: str) -> Money:
    """An amount of a row, in its currency."""
    return Money.parse(row[name], row["currency"])


def amounts(row: Row, name: str) -> list[Money]:
    """Several amounts of a row, in its currency."""
    return [Money.parse(text, row["currency"]) for text in row[name].split()]


def bundled_rates() -> RateTable:
    """The rates of tax that Bursar comes with, read as a migration reads them."""
    with (Path(__file__).parents[2] / "billing/tax_rates.csv").open(
        encoding="utf-8", newline=""
    ) as table:
        return RateTable(
            Rate(
                row["country"],
                row["region"],
                row["tax_class"],
                Decimal(row["percent"]),
                date.fromisoformat(row["starts_on"]),
                date.fromisoformat(row["ends_on"]) if row["ends_on"] else None,
            )
            for row in csv.DictReader(table)
        )


def price_of(model: str, text: str) -> Price:
    """`0.5` a unit, `10:15` a package, `1% above 15`, or tiers as `up_to:unit/package+flat`."""
    if model == UsageModel.PER_UNIT:
        return Price(UsageModel.PER_UNIT, Decimal(text))
    if model == UsageModel.PACKAGE:
        size, amount = text.split(":")
        return Price(UsageModel.PACKAGE, Decimal(amount), package_size=Decimal(size))
    if model == UsageModel.PERCENTAGE:
        percent, _, free = text.partition("% above ")
        return Price(UsageModel.PERCENTAGE, included=Decimal(free), percent=Decimal(percent))
    return Price(UsageModel(model), tiers=tuple(_tier(tier) for tier in text.split()))


def _tier(text: str) -> Tier:
    bound, _, price = text.partition(":")
    price, _, flat = price.partition("+")
    unit, _, size = price.partition("/")
    return Tier(
        None if bound == "*" else Decimal(bound),
        Decimal(unit),
        Decimal(flat or 0),
        Decimal(size) if size else None,
    )


def usage_of(text: str) -> tuple[UsageTerms, ...]:
    """`PER_UNIT 0.5; PACKAGE 10:15`: components called m0, m1, …"""
    found = []
    for index, component in enumerate(text.split("; ")):
        model, _, price = component.partition(" ")
        found.append(UsageTerms(f"m{index}", price_of(model, price)))
    return tuple(found)


def terms_of(row: Row, *, amount: str, interval: str = "MONTH", **changes: Any) -> PlanTerms:
    """The terms of a row's convention, where it states one."""
    return PlanTerms(
        currency=row["currency"],
        amount=Decimal(amount),
        interval=Interval(interval),
        alignment=Alignment(row["alignment"]),
        billed=Billed(row["billed"]),
        proration=Proration(row["proration"]),
        first_day_counts=row["first_day"] == "counts",
        **changes,
    )
