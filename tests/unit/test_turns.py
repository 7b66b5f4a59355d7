"""The corners of a change: its instant, its policy, and what it does to a minimum."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.agreement import SubscribedPlan
from billing.core.changes import Act
from billing.core.errors import ConflictError
from billing.core.invoicing import LineKind
from billing.core.lifecycle import SubscriptionStatus
from plans.prices import Price, UsageModel
from plans.terms import (
    Alignment,
    Billed,
    ChangeCharge,
    Interval,
    PlanTerms,
    Proration,
    TrialUsage,
    UsageTerms,
)
from tests.unit.lives import Life, agreement, local, plan, shown, with_trial_ending

APRIL, MAY, JUNE = (local(f"2026-0{month}-01") for month in (4, 5, 6))
ADVANCE = Billed.IN_ADVANCE
CALLS = (UsageTerms("calls", Price(UsageModel.ALLOWANCE, Decimal(1), Decimal(30))),)


def a_plan(amount: str, name: str = "", **fields: Any) -> SubscribedPlan:
    return plan(PlanTerms("EUR", Decimal(amount), **fields), name or f"At {amount}")


def a_life(subscribed: SubscribedPlan, start: str = "2026-04-01", **fields: Any) -> Life:
    return Life(agreement(subscribed, **fields)).begins(local(start))


def totals(life: Life) -> list[int]:
    return [bill.total.minor for _, bill in life.bills]


policies: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    proration=st.sampled_from(Proration),
    first_day_counts=st.booleans(),
    alignment=st.sampled_from(Alignment),
    interval=st.sampled_from(Interval),
)


@given(policies, st.sampled_from(["2026-01-31T10:00", "2026-04-01", "2026-04-17T08:30"]))
def test_a_change_as_a_period_begins_gives_back_all_of_it(
    policy: dict[str, Any], start: str
) -> None:
    """Credit mirrors debit: whatever is charged for it, what comes next is as if it were first."""
    old, new = (a_plan(amount, billed=ADVANCE, **policy) for amount in ("99.99", "300"))
    life = a_life(old, start).changes(local(start), plan=new, charge=ChangeCharge.RESET)
    direct = a_life(new, start)
    assert life.owed == direct.owed
    assert life.stay == direct.stay


@given(policies, st.sampled_from(list(Billed)))
def test_a_change_as_a_period_is_renewed_is_one_at_its_end(
    policy: dict[str, Any], billed: Billed
) -> None:
    """Renewed and then changed in the same instant, or changed by the renewal itself."""
    old, new = (a_plan(amount, billed=billed, **policy) for amount in ("99.99", "300"))
    by_renewal, after_it = a_life(old, "2026-04-17T08:30"), a_life(old, "2026-04-17T08:30")
    end = by_renewal.stay.period.end

    by_renewal.changes(end, plan=new)
    after_it.passes(end).changes(end, plan=new, charge=ChangeCharge.RESET)

    assert after_it.owed == by_renewal.owed
    assert after_it.stay.period == by_renewal.stay.period
    assert after_it.stay.share == by_renewal.stay.share


def test_on_the_last_day_there_is_nothing_left_where_the_first_day_is_free() -> None:
    """The old plan keeps the day; the new one's period joins May, which it charges whole."""
    fields: dict[str, Any] = {"alignment": Alignment.CALENDAR, "first_day_counts": False}
    life = a_life(a_plan("300", **fields), "2026-03-31")  # April, whole, with the day before
    life.changes(local("2026-04-30T18:00"), plan=a_plan("310", **fields)).passes(JUNE)
    assert shown(life.lines) == [("RECURRING", "300.00"), ("RECURRING", "310.00")]
    assert life.lines[1].period is not None
    assert life.lines[1].period.start == local("2026-04-30T18:00")


def test_a_joined_period_is_credited_whole_on_its_first_day() -> None:
    fields: dict[str, Any] = {
        "alignment": Alignment.CALENDAR,
        "first_day_counts": False,
        "billed": ADVANCE,
    }
    life = a_life(a_plan("310", **fields), "2026-04-30T10:00")
    life.changes(local("2026-04-30T18:00"), plan=a_plan("620", **fields))
    assert totals(life) == [310_00, 310_00]


def test_several_changes_in_one_instant_leave_the_last() -> None:
    life = a_life(a_plan("30", billed=ADVANCE))
    for amount in ("60", "90", "120"):
        life.changes(local("2026-04-16"), plan=a_plan(amount, billed=ADVANCE))
    assert life.owed.minor == 15_00 + 60_00


def test_arrears_to_advance_is_billed_at_once_with_what_waited() -> None:
    life = a_life(a_plan("30")).changes(local("2026-04-11"), plan=a_plan("60", billed=ADVANCE))
    assert shown(life.bill().lines) == [("RECURRING", "10.00"), ("RECURRING", "40.00")]
    life.changes(local("2026-04-21"), plan=a_plan("30")).passes(MAY)
    assert shown(life.bill().lines[:2]) == [("UNUSED", "-20.00"), ("RECURRING", "10.00")]
    assert totals(life) == [50_00, 0]
    assert life.owed.minor == 40_00


@pytest.mark.parametrize("billed", Billed)
def test_what_was_charged_to_the_end_is_credited_by_a_later_change(billed: Billed) -> None:
    """April at 30.00; from the 11th another plan for nothing more; from the 21st a third."""
    life = a_life(a_plan("30", billed=billed))
    life.changes(local("2026-04-11"), plan=a_plan("60", billed=billed), charge=ChangeCharge.NONE)
    life.changes(local("2026-04-21"), plan=a_plan("90", billed=billed)).passes(MAY)
    kinds = [LineKind.RECURRING, LineKind.UNUSED]
    april = [line for line in life.lines if line.kind in kinds and line.period]
    ended = [line.amount.minor for line in april if line.period and line.period.end <= MAY]
    assert ended == [30_00, -10_00, 30_00]


@pytest.mark.parametrize("billed", Billed)
def test_fewer_seats_after_a_free_change_are_credited_too(billed: Billed) -> None:
    life = a_life(a_plan("30", billed=billed, quantity_unit="seat"), quantity=2)
    life.changes(local("2026-04-11"), quantity=3, charge=ChangeCharge.NONE)
    life.changes(local("2026-04-21"), quantity=1).passes(MAY)
    ended = [line.amount.minor for line in life.lines if line.period and line.period.end <= MAY]
    assert ended == [60_00, -20_00, 10_00]


@pytest.mark.parametrize("policy", Proration)
@pytest.mark.parametrize("billed", Billed)
def test_a_change_that_costs_nothing_raises_no_minimum(policy: Proration, billed: Billed) -> None:
    """Both plans ask for no more than their price; so does the month."""
    fields: dict[str, Any] = {"proration": policy, "billed": billed, "minimum": Decimal(100)}
    life = a_life(a_plan("100", **fields))
    life.changes(
        local("2026-04-11"), plan=a_plan("100", "Other", **fields), charge=ChangeCharge.NONE
    )
    life.passes(MAY)
    assert LineKind.MINIMUM not in {line.kind for line in life.lines}


def test_a_minimum_counts_what_was_kept_of_a_charge_in_advance() -> None:
    """60.00 at least of 30.00 for a third of April: 20.00 asked, 10.00 kept, 10.00 missing."""
    life = a_life(a_plan("30", billed=ADVANCE, minimum=Decimal(60)))
    life.changes(local("2026-04-11"), act=Act.CANCEL)
    assert shown(life.lines[1:]) == [("UNUSED", "-20.00"), ("MINIMUM", "10.00")]


def test_a_free_change_to_another_interval_measures_by_that_interval() -> None:
    """A year's allowance of 30 for the last 10 days of April is 10/365 of it, not a third."""
    old = a_plan("30", usage=CALLS)
    life = a_life(old).changes(
        local("2026-04-21"),
        plan=a_plan("300", usage=CALLS, interval=Interval.YEAR),
        charge=ChangeCharge.NONE,
    )
    assert (life.stay.period.end, str(life.stay.share)) == (MAY, "10/365 days")
    life.passes(MAY)
    assert life.stay.period.end == local("2027-05-01")


def test_a_free_change_from_a_year_to_a_month_credits_by_the_days_left() -> None:
    life = a_life(a_plan("365", billed=ADVANCE, interval=Interval.YEAR), "2025-01-01")
    life.changes(local("2025-07-01"), plan=a_plan("31", billed=ADVANCE), charge=ChangeCharge.NONE)
    life.changes(local("2025-12-01"), plan=a_plan("62", billed=ADVANCE))
    assert shown(life.lines) == [
        ("RECURRING", "365.00"),
        ("UNUSED", "-31.00"),
        ("RECURRING", "62.00"),
    ]


def test_after_a_free_change_to_the_calendar_the_next_period_is_short() -> None:
    life = a_life(a_plan("30"), "2026-04-11")
    new = a_plan("310", alignment=Alignment.CALENDAR)
    life.changes(local("2026-04-20"), plan=new, charge=ChangeCharge.NONE)
    life.passes(JUNE)
    assert life.lines[-1].explanation == "310.00 × 21/31 days = 210.00 EUR"


def test_a_billing_day_that_moves_for_free_moves_at_the_end_of_the_period() -> None:
    life = a_life(a_plan("31")).changes(
        local("2026-04-11"), anchor=local("2026-05-20"), charge=ChangeCharge.NONE
    )
    life.passes(JUNE)
    assert shown(life.lines) == [("RECURRING", "31.00"), ("RECURRING", "19.63")]
    assert life.stay.period.start == local("2026-05-20")


def test_full_charges_both_whole_and_credits_nothing() -> None:
    life = a_life(a_plan("30", billed=ADVANCE)).changes(
        local("2026-04-16"), plan=a_plan("60", billed=ADVANCE), charge=ChangeCharge.FULL
    )
    assert totals(life) == [30_00, 60_00]
    assert life.passes(MAY).owed.minor == 150_00


@pytest.mark.parametrize("billed", Billed)
def test_seats_given_up_without_a_credit_are_not_charged_again(billed: Billed) -> None:
    life = a_life(a_plan("10", billed=billed, quantity_unit="seat"), quantity=5)
    for day, seats in ((11, 3), (16, 5), (21, 6)):
        life.changes(local(f"2026-04-{day}"), quantity=seats, charge=ChangeCharge.FULL)
    life.passes(local("2026-04-30"))
    assert life.owed.minor == 60_00


def test_reset_begins_a_whole_period() -> None:
    life = a_life(a_plan("30", billed=ADVANCE)).changes(
        local("2026-04-16"), plan=a_plan("60", billed=ADVANCE), charge=ChangeCharge.RESET
    )
    assert totals(life) == [30_00, 45_00]
    assert life.stay.period.end == local("2026-05-16")


@pytest.mark.parametrize("act", [Act.CANCEL, Act.PAUSE])
def test_no_charge_waits_for_an_invoice_that_never_comes(act: Act) -> None:
    """A third of April waits, and the subscription ends in the same instant, or later paused."""
    life = a_life(a_plan("30")).changes(local("2026-04-11"), plan=a_plan("30", "Other"))
    life.changes(local("2026-04-11"), act=act)
    if act == Act.PAUSE:
        life.changes(JUNE, act=Act.CANCEL)
    assert totals(life) == [10_00]
    assert life.tab.waiting == ()


def test_paused_at_a_boundary_and_resumed_at_one_nothing_is_short() -> None:
    life = a_life(a_plan("30", billed=ADVANCE)).changes(MAY, act=Act.PAUSE)
    life.changes(JUNE, act=Act.RESUME)
    assert totals(life) == [30_00, 30_00]
    assert life.agreement.status == SubscriptionStatus.ACTIVE


def test_a_trial_ended_early_bills_from_then_on() -> None:
    counted = a_plan(
        "30", usage=CALLS, trial_usage=TrialUsage.COUNTED, alignment=Alignment.CALENDAR
    )
    life = Life(agreement(counted)).begins(APRIL, trial_days=20)
    life.changes(local("2026-04-06"), plan=a_plan("60", usage=CALLS), used={"calls": "25"})
    with_trial_ending(life, local("2026-04-11")).passes(local("2026-04-11"))
    life.passes(local("2026-05-11"), {"calls": "40"})
    # 5 of April's 30 allowances in the trial's counted part: 20 above; then 10 above
    assert shown(life.bill().lines) == [
        ("USAGE", "20.00"),
        ("RECURRING", "60.00"),
        ("USAGE", "10.00"),
    ]


def test_too_few_seats_are_refused() -> None:
    life = a_life(a_plan("30", quantity_unit="seat", minimum_quantity=3), quantity=3)
    with pytest.raises(ConflictError) as refused:
        life.changes(local("2026-04-11"), quantity=2)
    assert refused.value.code == "quantity_too_low"
    assert life.owed.minor == 0


@pytest.mark.parametrize("billed", Billed)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Asia/Tokyo", "UTC"),
        ("UTC", "Asia/Tokyo"),
        ("Pacific/Kiritimati", "Pacific/Niue"),
        ("Europe/Berlin", "America/Santiago"),
    ],
)
def test_who_moves_pays_each_month_once(before: str, after: str, billed: Billed) -> None:
    """In mid-April, by the calendar: April to July are four months, wherever one is."""
    subscribed = a_plan("30", billed=billed, alignment=Alignment.CALENDAR)
    life = Life(agreement(subscribed, zone=before)).begins(local("2026-04-01", before))
    life.tab = replace(life.tab, agreement=replace(life.agreement, zone=ZoneInfo(after)))
    life.passes(local("2026-08-02" if billed == Billed.IN_ARREARS else "2026-07-10", after))
    assert totals(life) == [30_00] * 4
    periods = [line.period for line in life.lines if line.period]
    assert all(first.end == second.start for first, second in pairwise(periods))
