"""Coupons: never more than there is, to the cent, for as long as they hold, over every change."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import discounts, invoicing
from billing.core.discounts import Coupon, Redemption
from billing.core.invoicing import Line, LineKind
from billing.core.money import Money, round_minor, total
from plans.prices import Price, UsageModel
from plans.terms import Billed, ChangeCharge, Interval, PlanTerms, UsageTerms
from tests.unit.lives import Life, agreement, local, plan

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
APRIL, MAY, JUNE, JULY = (local(f"2026-0{month}-01") for month in (4, 5, 6, 7))
NOW = local("2026-04-20")
HALF = {"percent": Decimal(50)}
TEN_OFF = {"amount": Money(10_00, "EUR")}


def redeemed(periods: int | None, **coupon: Any) -> Redemption:
    return Redemption(UUID(int=0), Coupon("C", **coupon), periods)


def terms(amount: str = "100", **fields: Any) -> PlanTerms:
    usual: dict[str, Any] = {"billed": Billed.IN_ADVANCE, "quantity_unit": "seat"}
    return PlanTerms("EUR", Decimal(amount), **(usual | fields))


def a_life(redemption: Redemption, of: PlanTerms | None = None) -> Life:
    return Life(agreement(of or terms()), redemptions=[redemption]).begins(APRIL)


def totals(life: Life) -> list[int]:
    return [bill.total.minor for _, bill in life.bills]


@st.composite
def coupons(draw: st.DrawFn, currency: str) -> list[Coupon]:
    percent = st.decimals(min_value=0, max_value=100, places=4)
    plans = st.frozensets(st.sampled_from(["a", "b"]))
    some = st.one_of(
        st.builds(Coupon, st.just("P"), percent=percent, plans=plans),
        st.integers(0, 10**7).flatmap(
            lambda minor: st.builds(
                Coupon, st.just("A"), amount=st.just(Money(minor, currency)), plans=plans
            )
        ),
    )
    return draw(st.lists(some, max_size=4))


@given(CURRENCIES, st.lists(st.integers(-(10**6), 10**7), max_size=8), st.data())
def test_discounts_never_exceed_a_line_and_are_spread_to_the_cent(
    currency: str, minors: list[int], data: st.DataObject
) -> None:
    amounts = [Money(minor, currency) for minor in minors]
    plans = data.draw(
        st.lists(st.sampled_from(["a", "b", None]), min_size=len(minors), max_size=len(minors))
    )
    chosen = data.draw(coupons(currency))
    part = data.draw(st.fractions(min_value=0, max_value=1, max_denominator=366))

    taken = discounts.spread(amounts, plans=plans, coupons=chosen, part=part)

    for amount, plan_id, off in zip(amounts, plans, taken, strict=True):
        assert 0 <= off.minor <= max(amount.minor, 0)
        if not any(coupon.fits(plan_id) for coupon in chosen):
            assert not off
    left = amounts
    for coupon in chosen:  # each alone, on what those before it left: rounded once for its sum
        alone = discounts.spread(left, plans=plans, coupons=[coupon], part=part)
        fitting = [a for a, p in zip(left, plans, strict=True) if coupon.fits(p) and a.minor > 0]
        base = total(fitting, currency)
        if coupon.percent is not None:
            off = round_minor(Fraction(base.major) * Fraction(coupon.percent) / 100, currency)
            assert total(alone, currency) == off
        left = [amount - off for amount, off in zip(left, alone, strict=True)]
    assert [amount - off for amount, off in zip(amounts, taken, strict=True)] == left


@given(CURRENCIES, st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=8), st.data())
def test_the_lines_of_a_bill_sum_to_its_total(
    currency: str, minors: list[int], data: st.DataObject
) -> None:
    lines = [
        Line(kind, "A line", Fraction(1), None, Money(minor, currency), "", plan="a")
        for minor in minors
        for kind in [data.draw(st.sampled_from(LineKind))]
    ]
    bill = invoicing.bill(
        lines, currency=currency, at=NOW, coupons=data.draw(coupons(currency)), part=Fraction(1)
    )

    assert bill.total == total((line.net for line in bill.lines), currency)
    assert bill.total == bill.subtotal - bill.discount
    assert bill.total.minor >= 0
    if bill.carried:
        assert not bill.total
        [carried] = bill.carried
        assert carried.amount == -bill.lines[-1].amount
        assert carried.amount.minor < 0


def test_a_coupon_over_everything_leaves_no_credit_behind() -> None:
    life = a_life(redeemed(None, percent=Decimal(100)))
    life.changes(local("2026-04-11"), plan=plan(terms("300"), "Dearer")).passes(JUNE)
    assert totals(life) == [0, 0, 0, 0]
    assert life.tab.waiting == ()


@pytest.mark.parametrize(
    ("periods", "expected"),
    [(1, [5000, 10000, 10000]), (2, [5000, 5000, 10000]), (None, [5000, 5000, 5000])],
)
def test_a_coupon_holds_for_so_many_periods(periods: int | None, expected: list[int]) -> None:
    assert totals(a_life(redeemed(periods, **HALF)).passes(JUNE)) == expected


def test_changes_within_a_discounted_period_are_discounted_and_use_nothing_up() -> None:
    life = a_life(redeemed(2, **HALF))
    life.changes(local("2026-04-16"), quantity=2).changes(local("2026-04-21"), quantity=3)
    life.passes(JUNE)
    # 1 seat's unused 25.00 for 2 seats' 50.00; 33.33 of that unused for 3 seats' 50.00
    assert totals(life) == [5000, 2500, 1667, 15000, 30000]


def test_a_coupon_for_one_month_is_none_for_a_year() -> None:
    """Once 100 % off a month of 10.00 must not make a year of 1,000.00 free."""
    life = a_life(redeemed(1, percent=Decimal(100)), terms("10"))
    yearly = plan(terms("1000", interval=Interval.YEAR), "Yearly")
    life.changes(local("2026-04-02"), plan=yearly, charge=ChangeCharge.RESET)
    assert totals(life) == [0, 1000_00]


def test_what_is_billed_afterwards_is_discounted_for_its_own_period_only() -> None:
    """The invoice of April comes on 1 May; a change in May is none of April's."""
    life = a_life(redeemed(1, **HALF), terms(billed=Billed.IN_ARREARS))
    life.changes(local("2026-05-16"), plan=plan(terms("310"), "In advance"))
    # 100.00 less its half; then 15 of 31 days at 100.00 and 16 of 31 at 310.00
    assert totals(life) == [5000, 4839 + 16000]


def test_an_amount_is_taken_off_once_however_often_something_changes() -> None:
    life = a_life(redeemed(None, **TEN_OFF))
    for day in range(2, 12):
        life.changes(local(f"2026-04-{day:02d}"), quantity=1 + day % 2 + 1)
    life.changes(local("2026-04-16"), quantity=1)
    plain = Life(agreement(terms())).begins(APRIL)
    for day in range(2, 12):
        plain.changes(local(f"2026-04-{day:02d}"), quantity=1 + day % 2 + 1)
    plain.changes(local("2026-04-16"), quantity=1)
    assert abs(plain.owed.minor - life.owed.minor - 10_00) <= 12


def test_what_is_added_in_full_gets_no_second_amount_off() -> None:
    life = a_life(redeemed(None, **TEN_OFF))
    for quantity in (2, 3):
        life.changes(local("2026-04-11"), quantity=quantity, charge=ChangeCharge.FULL)
    assert totals(life) == [90_00, 100_00, 100_00]


def test_a_credit_knows_every_discount_under_what_was_paid() -> None:
    """A seat is added in full at half price; half of both halves is unused on 16 April."""
    life = a_life(redeemed(None, **HALF))
    life.changes(local("2026-04-11"), quantity=2, charge=ChangeCharge.FULL)
    life.changes(local("2026-04-16"), quantity=1)
    unused = [line.amount.minor for line in life.lines if line.kind == LineKind.UNUSED]
    assert unused == [-50_00]


def test_a_restricted_coupon_leaves_other_plans_alone() -> None:
    life = a_life(redeemed(1, percent=Decimal(50), plans=frozenset({"Other"}))).passes(MAY)
    other = plan(terms("300"), "Other")
    life.changes(JUNE, plan=other).passes(JULY)
    assert totals(life) == [10000, 10000, 15000, 30000]


def test_coupons_take_turns_in_their_order() -> None:
    """10 off and then a half, or a half and then 10 off."""
    rows = [redeemed(None, **TEN_OFF), redeemed(None, **HALF)]
    found = [
        Life(agreement(terms()), redemptions=order).begins(APRIL).bill().total.minor
        for order in (rows, rows[::-1])
    ]
    assert found == [45_00, 40_00]


def test_credit_is_carried_over_as_many_invoices_as_it_takes() -> None:
    life = Life(agreement(terms("1200", interval=Interval.YEAR))).begins(APRIL)
    life.changes(APRIL, plan=plan(terms("100.01"), "Monthly"), charge=ChangeCharge.PRORATE)
    life.passes(local("2027-04-01"))
    # 1,200.00 given back pay eleven months; the twelfth is short of 0.12, the thirteenth whole.
    assert totals(life) == [1200_00, *[0] * 11, 12, 100_01]
    assert life.tab.waiting == ()


def test_usage_is_discounted_with_the_charge_it_is_billed_with() -> None:
    used = UsageTerms("m", Price(UsageModel.PER_UNIT, Decimal(1)))
    life = a_life(redeemed(None, **HALF), terms(usage=(used,))).passes(MAY, {"m": "7"})
    kinds = {line.kind: line.discount.minor for line in life.bill().lines}
    assert kinds == {LineKind.USAGE: 3_50, LineKind.RECURRING: 50_00}
