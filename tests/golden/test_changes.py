"""`changes.csv`: each row is one thing that happens to a subscription, and the invoice it makes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from billing.core.agreement import SubscribedPlan
from billing.core.changes import Act
from billing.core.discounts import Coupon, Redemption
from billing.core.invoicing import LineKind
from billing.core.money import Money
from plans.terms import ChangeCharge
from tests.golden.tables import Row, money, rows, terms_of
from tests.unit.lives import Life, agreement, local, plan


def stories() -> list[list[Row]]:
    """Rows from a beginning up to the next one; a same-day second change goes on with its story."""
    found: list[list[Row]] = []
    for row in rows("changes.csv"):
        if row["what"] == "begin":
            found.append([])
        found[-1].append(row)
    return found


def test_every_story_begins() -> None:
    assert all(story[0]["what"] == "begin" for story in stories())
    assert {row["currency"] for row in rows("changes.csv")} == {"EUR", "USD", "JPY", "KWD"}


@pytest.mark.parametrize(
    "story", stories(), ids=lambda story: f"{story[0]['case']}/{story[0]['currency']}"
)
def test_changes(story: list[Row]) -> None:
    first = story[0]
    life = Life(agreement(plan_of(first), quantity=int(first["quantity"]), zone=first["zone"]))
    for row in story:
        brought = sum((-line.amount for line in life.tab.waiting), Money.zero(row["currency"]))
        happens(life, row)
        assert_billed(life, row, brought=brought)


def happens(life: Life, row: Row) -> None:
    """Begin, change, renew or cancel, under the coupon that is in force by then."""
    at = local(row["at"], row["zone"])
    redeem(life, row["off %"])
    if row["what"] == "begin":
        life.begins(at)
    elif row["what"] == "renewal":
        life.passes(at)
    else:
        life.changes(at, charge=ChangeCharge(row["charged by"]), **change_of(row))


def change_of(row: Row) -> dict[str, Any]:
    """What shall be different."""
    if row["what"] == "cancel":
        return {"act": Act.CANCEL}
    wanted: dict[str, Any] = {"quantity": int(row["quantity"])}
    return wanted | ({"plan": plan_of(row)} if row["what"] == "change" else {})


def redeem(life: Life, percent: str) -> None:
    """Put this one coupon in force, or none."""
    coupon = Coupon(f"{percent} %", percent=Decimal(percent or 0))
    redeemed = (Redemption(UUID(int=0), coupon, periods_left=None),) if percent else ()
    life.tab = replace(life.tab, redemptions=redeemed)


def plan_of(row: Row) -> SubscribedPlan:
    amount, interval = row["plan"].split("/")
    terms = terms_of(row, amount=amount, interval=interval, quantity_unit="seat")
    return plan(terms, row["plan"])


def assert_billed(life: Life, row: Row, *, brought: Money) -> None:
    """The lines, what the invoice asks for, and what is carried on; a credit alone just waits."""
    zero = Money.zero(row["currency"])
    at, bill = life.bills[-1]
    lines = life.turns[-1][1].all_lines
    discounts = {line.description: line.discount for line in bill.lines}
    unused = [line for line in lines if line.kind == LineKind.UNUSED]
    charged = [line for line in lines if line.kind == LineKind.RECURRING]
    credit = sum((-line.amount for line in unused), zero)
    charge = sum((line.amount - discounts[line.description] for line in charged), zero)
    carried = sum((-line.amount for line in life.tab.waiting), zero)
    is_billed = at == local(row["at"], row["zone"])

    assert credit == money(row, "credit")
    assert charge == money(row, "charge")
    assert charge - credit == money(row, "net")
    assert is_billed == bool(row["invoice"])
    if is_billed:
        assert bill.total == money(row, "invoice")
    assert carried == money(row, "carried")
    assert (bill.total if is_billed else zero) - carried == money(row, "net") - brought
    words = [line.explanation for line in (*unused, *charged)]
    assert not row["days"] or any(f" × {row['days']} " in text for text in words), words
    if row["period ends"]:
        assert life.stay.period.end == local(row["period ends"], row["zone"])
