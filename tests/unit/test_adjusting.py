"""Late and corrected usage costs exactly what it would have, however it comes in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import adjusting, charging
from billing.core.agreement import Agreement, Stay
from billing.core.charging import Counted
from billing.core.invoicing import Line, LineKind
from billing.core.money import Money
from billing.core.periods import Period
from billing.core.proration import Share
from plans.prices import Price, Tier, UsageModel
from plans.terms import Billed, PlanTerms, UsageTerms
from tests.unit.lives import agreement, local

MAY = Period(local("2026-05-01"), local("2026-06-01"))
STEPS = (
    Tier(Decimal(10), Decimal("0.5"), Decimal(3)),
    Tier(Decimal(100), Decimal("0.333"), package_size=Decimal(7)),
    Tier(None, Decimal("0.1"), Decimal(2)),
)
PRICES = {
    "allowance": Price(UsageModel.ALLOWANCE, Decimal("1.25"), Decimal(50)),
    "unit": Price(UsageModel.PER_UNIT, Decimal("0.0125")),
    "graduated": Price(UsageModel.GRADUATED, tiers=STEPS),
    "volume": Price(UsageModel.VOLUME, tiers=STEPS),
    "package": Price(UsageModel.PACKAGE, Decimal("1.5"), Decimal(5), package_size=Decimal(10)),
    "percentage": Price(UsageModel.PERCENTAGE, included=Decimal(20), percent=Decimal("1.5")),
}
totals = st.fixed_dictionaries(
    {name: st.decimals(min_value=0, max_value=500, places=3) for name in PRICES}
)


def priced(currency: str, **fields: Any) -> Agreement:
    """A plan with a component of every model."""
    usage = tuple(UsageTerms(name, price) for name, price in PRICES.items())
    return agreement(PlanTerms(currency, Decimal(10), usage=usage, **fields))


def closed(agreed: Agreement, used: int = 31, recurring: int = 1000) -> Stay:
    amount = Money(recurring, agreed.terms.currency)
    return Stay(MAY, Share(used, 31), MAY.end, amount)


def by_component(lines: list[Line]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        found[line.component] = found.get(line.component, 0) + line.amount.minor
    return {name: minor for name, minor in found.items() if minor}


@given(
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from([None, Decimal(5), Decimal(5000)]),
    st.integers(1, 31),
    st.lists(totals, min_size=2, max_size=6),
)
def test_usage_in_any_pieces_costs_what_one_bill_would_have(
    currency: str, minimum: Decimal | None, days: int, counted: list[dict[str, Decimal]]
) -> None:
    """More of it, less of it, for every model, in short periods and above or below a minimum."""
    agreed = priced(currency, minimum=minimum)
    stay = closed(agreed, days)
    known = [Counted(used) for used in counted]
    lines = charging.used_lines(agreed, stay, known[0])
    for billed, now in pairwise(known):
        lines += adjusting.adjustments(agreed, stay, billed=billed, now=now, rate=Decimal(0))

    assert by_component(lines) == by_component(charging.used_lines(agreed, stay, known[-1]))


def test_late_usage_that_crosses_a_tier_says_so() -> None:
    agreed = priced("EUR")
    (line,) = adjusting.adjustments(
        agreed,
        closed(agreed),
        billed=Counted({"graduated": Decimal(8)}),
        now=Counted({"graduated": Decimal(12)}),
        rate=Decimal(0),
    )
    assert line.kind == LineKind.ADJUSTMENT
    assert line.period == MAY
    assert line.description == "Plan: graduated, adjusted"
    assert line.amount.minor == 1_33  # two more at 0.50, and one package of seven at 0.333
    assert line.explanation == ("12 used instead of 8: 8.33 − 7.00 charged before = 1.33 EUR")


def test_what_is_withdrawn_is_given_back_as_it_was_paid() -> None:
    """At half price 10.00 were 5.00; a credit mirrors that, and so does what is added."""
    agreed = priced("EUR")
    for now, net in (("0", -5_00), ("400", -2_50), ("1200", 2_50)):
        (line,) = adjusting.adjustments(
            agreed,
            closed(agreed),
            billed=Counted({"unit": Decimal(800)}),
            now=Counted({"unit": Decimal(now)}),
            rate=Decimal("0.5"),
        )
        assert line.net.minor == net


@pytest.mark.parametrize(("now", "minimum"), [("600", -2_50), ("0", 5_00), ("4000", -15_00)])
def test_the_minimum_moves_against_the_usage(now: str, minimum: int) -> None:
    """20.00 at least: 5.00 of usage had 15.00 made up."""
    usage = (UsageTerms("unit", PRICES["unit"]),)
    agreed = agreement(PlanTerms("EUR", Decimal(0), usage=usage, minimum=Decimal(20)))
    lines = adjusting.adjustments(
        agreed,
        closed(agreed, recurring=0),
        billed=Counted({"unit": Decimal(400)}),
        now=Counted({"unit": Decimal(now)}),
        rate=Decimal(0),
    )
    found = by_component(lines)
    assert found[""] == minimum
    assert found["unit"] == round((int(now) - 400) * 1.25)


def test_nothing_new_is_no_line() -> None:
    agreed = priced("EUR", billed=Billed.IN_ADVANCE)
    same = Counted({"unit": Decimal(400), "allowance": Decimal(40)})
    within = replace(same, totals={**same.totals, "allowance": Decimal(50)})
    stay = closed(agreed)
    assert adjusting.adjustments(agreed, stay, billed=same, now=within, rate=Decimal(0)) == []
