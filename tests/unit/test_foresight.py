"""What is foreseen is what comes, and a timeline lets nothing through that could not be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core import forecast, schedule
from billing.core.agreement import Agreement, SubscribedPlan
from billing.core.changes import Act, Change
from billing.core.charging import Counted
from billing.core.errors import ConflictError
from billing.core.lifecycle import SubscriptionStatus
from billing.core.periods import Period
from billing.core.tab import Tab
from plans.prices import Price, UsageModel
from plans.terms import Alignment, Billed, ChangeCharge, PlanTerms, UsageTerms
from tests.unit import random_lives
from tests.unit.lives import Life, agreement, local, plan
from tests.unit.random_lives import START, ZONES

CALLS = (UsageTerms("calls", Price(UsageModel.PER_UNIT, Decimal("0.01"))),)
USED = {"calls": Decimal(1234)}


def at_times(moves: list[random_lives.Move]) -> list[Change]:
    """Moves as changes at fixed instants, several of them at one."""
    at, found = START, []
    for move in moves:
        at += abs(move.later)
        found.append(Change(at=at, **move.change))
    return found


@settings(max_examples=20)
@given(
    random_lives.plans(random_lives.terms(usage=st.just(CALLS))),
    st.sampled_from(ZONES),
    st.integers(0, 20),
    st.data(),
)
def test_a_hundred_steps_bring_what_one_brings(
    plans: list[SubscribedPlan], zone: str, trial_days: int, data: st.DataObject
) -> None:
    pending = tuple(at_times(data.draw(random_lives.moves(plans, charges=tuple(ChangeCharge)))))
    until = START + timedelta(days=100)
    start, first = forecast.supposed(
        Tab(agreement(plans[0], quantity=2, zone=zone)), START, trial_days=trial_days
    )
    at_once = [
        *first,
        *forecast.foresee(start, until=until, usage=lambda _: Counted(USED), pending=pending),
    ]

    life = Life(agreement(plans[0], quantity=2, zone=zone)).begins(START, trial_days=trial_days)
    for day in range(101):
        now = START + timedelta(days=day)
        while pending and pending[0].at <= now:
            change, *rest = pending
            pending = tuple(rest)
            stepped(life, change)
        life.passes(now, USED, each=True)

    assert life.bills == [(found.at, found.bill) for found in at_once]


def stepped(life: Life, change: Change) -> None:
    """What the run does with a change that falls due: it passes over what cannot be."""
    life.passes(change.at - random_lives.INSTANT, USED, each=True)
    wanted = {
        name: getattr(change, name)
        for name in ("plan", "quantity", "anchor", "act", "charge")
        if getattr(change, name) is not None
    }
    if not life.tries(change.at, used=USED, **wanted):
        life.passes(change.at, USED, each=True)


@settings(max_examples=30)
@given(
    random_lives.plans(random_lives.terms(minimum_quantity=st.integers(1, 3))),
    st.sampled_from(ZONES),
    st.data(),
)
def test_what_the_timeline_lets_through_can_be(
    plans: list[SubscribedPlan], zone: str, data: st.DataObject
) -> None:
    """And what it says of the subscription afterwards is what it is then."""
    pending = at_times(data.draw(random_lives.moves(plans, charges=tuple(ChangeCharge))))
    if data.draw(st.booleans()):
        pending.append(Change(at=START + timedelta(days=20), act=Act.CANCEL))
    life = Life(agreement(plans[0], quantity=3, zone=zone)).begins(START)

    steps = schedule.timeline(life.agreement, pending)

    assert [step.change.at for step in steps] == sorted(change.at for change in pending)
    for step in steps:
        change, found = step.change, step.conflict
        if found is not None and found.code == "same_instant":
            continue
        wanted = {
            name: getattr(change, name)
            for name in ("plan", "quantity", "anchor", "act", "charge")
            if getattr(change, name) is not None
        }
        assert life.tries(change.at, **wanted) == (found is None)
        if found is None:
            assert essence(step.after) == essence(life.agreement)


def essence(agreed: Agreement) -> tuple[object, ...]:
    """What a timeline shows of a subscription."""
    period = agreed.stay.period if agreed.stay else None
    return agreed.plan.plan, agreed.quantity, agreed.status, agreed.anchor, period


MONTHLY = plan(PlanTerms("EUR", Decimal(10), quantity_unit="seat"), "Monthly", tier=1)
FIVE = plan(replace(MONTHLY.terms, minimum_quantity=5), "Five", tier=2)
DOLLARS = plan(replace(MONTHLY.terms, currency="USD"), "Dollars")
GONE = plan(MONTHLY.terms, "Gone", is_on_sale=False)
MAY, JUNE = local("2026-05-01"), local("2026-06-01")


@pytest.mark.parametrize(
    ("pending", "codes"),
    [
        ([Change(MAY, act=Act.CANCEL), Change(JUNE, quantity=7)], [None, "after_cancellation"]),
        ([Change(MAY, quantity=7), Change(MAY, plan=FIVE)], [None, "same_instant"]),
        ([Change(MAY, plan=FIVE), Change(JUNE, quantity=4)], [None, "quantity_too_low"]),
        ([Change(MAY, quantity=4), Change(JUNE, plan=FIVE)], [None, "quantity_too_low"]),
        ([Change(MAY, plan=DOLLARS)], ["currency_mismatch"]),
        ([Change(MAY, plan=GONE)], ["plan_not_on_sale"]),
        ([Change(MAY, act=Act.RESUME)], ["not_paused"]),
        ([Change(MAY, act=Act.PAUSE), Change(JUNE, act=Act.PAUSE)], [None, "already_paused"]),
        ([Change(MAY, quantity=5)], ["nothing_changes"]),
        ([Change(local("2026-05-02"), quantity=7, is_at_period_end=True)], ["not_a_period_end"]),
        (
            [
                Change(local("2026-04-20"), anchor=local("2026-04-25")),
                Change(MAY, quantity=7, is_at_period_end=True),
            ],
            [None, "not_a_period_end"],
        ),
    ],
)
def test_contradictions_are_told(pending: list[Change], codes: list[str | None]) -> None:
    life = Life(agreement(MONTHLY, quantity=5)).begins(local("2026-04-01"))
    steps = schedule.timeline(life.agreement, pending)
    assert [step.conflict and step.conflict.code for step in steps] == codes


def test_what_contradicts_is_left_out_and_the_rest_goes_on() -> None:
    life = Life(agreement(MONTHLY, quantity=5)).begins(local("2026-04-01"))
    pending = [Change(JUNE, quantity=7), Change(MAY, plan=DOLLARS)]
    first, second = schedule.timeline(life.agreement, pending)
    assert first.conflict is not None
    assert first.after.plan == MONTHLY
    assert second.conflict is None
    assert second.after.quantity == 7


def test_a_change_falls_due_as_the_trial_ends() -> None:
    life = Life(agreement(MONTHLY, quantity=5)).begins(local("2026-04-01"), trial_days=14)
    change = Change(local("2026-04-15"), plan=FIVE, is_at_period_end=True)
    (step,) = schedule.timeline(life.agreement, [change])
    assert step.conflict is None
    life.changes(local("2026-04-15"), plan=FIVE)
    assert essence(step.after) == essence(life.agreement)


def test_years_ahead_are_reached_without_living_through_them() -> None:
    life = Life(agreement(MONTHLY, quantity=5)).begins(local("2026-01-31"))
    far = datetime(2126, 2, 28, tzinfo=UTC)
    (step,) = schedule.timeline(life.agreement, [Change(far, quantity=7, is_at_period_end=True)])
    assert step.conflict is None
    assert step.after.open_stay.period.start == far


def test_a_preview_of_more_seats_keeps_what_was_used() -> None:
    """Usage is asked for once, when its period ends; a new quantity ends none."""
    terms = replace(MONTHLY.terms, usage=CALLS)
    life = Life(agreement(terms, quantity=5)).begins(local("2026-04-01"))
    asked: list[Agreement] = []

    def usage(agreed: Agreement) -> Counted:
        asked.append(agreed)
        return Counted(USED)

    pending = (Change(local("2026-04-11"), quantity=7),)
    (found,) = forecast.foresee(life.tab, until=MAY, usage=usage, pending=pending)

    assert [line.amount.minor for line in found.bill.lines] == [16_67, 46_67, 12_34]
    assert len(asked) == 1


def test_what_cannot_be_is_passed_over_when_it_falls_due() -> None:
    terms = replace(MONTHLY.terms, billed=Billed.IN_ADVANCE, alignment=Alignment.CALENDAR)
    life = Life(agreement(terms, quantity=5)).begins(local("2026-04-01"))
    pending = (Change(MAY, plan=DOLLARS),)
    found = list(forecast.foresee(life.tab, until=MAY, usage=lambda _: Counted(), pending=pending))
    assert [one.bill.total.minor for one in found] == [50_00]
    assert found[0].tab.agreement.status == SubscriptionStatus.ACTIVE
    with pytest.raises(ConflictError):
        life.changes(MAY, plan=DOLLARS)


@pytest.mark.parametrize(
    ("alignment", "start", "end", "share"),
    [
        (Alignment.ANNIVERSARY, "2026-04-01", "2026-05-01", "30/30 days"),
        (Alignment.ANNIVERSARY, "2026-01-31", "2026-02-28", "28/28 days"),
        (Alignment.ANNIVERSARY, "2023-06-23", "2023-07-15", "22/30 days"),
        (Alignment.CALENDAR, "2015-02-01", "2015-03-01", "28/28 days"),
        (Alignment.CALENDAR, "2015-02-15", "2015-03-01", "14/28 days"),
    ],
)
def test_a_period_that_is_supposed_to_run_is_whole_or_the_end_of_one(
    alignment: Alignment, start: str, end: str, share: str
) -> None:
    """So a change in it is credited and charged by one and the same interval."""
    terms = replace(MONTHLY.terms, billed=Billed.IN_ADVANCE, alignment=alignment)
    period = Period(local(start), local(end))
    tab = forecast.running(Tab(agreement(terms)), period)
    assert (tab.agreement.open_stay.period, str(tab.agreement.open_stay.share)) == (period, share)
    other = plan(terms, "Other")
    change = Change(period.start + timedelta(days=9), plan=other)
    (bill,) = forecast.foresee(tab, until=change.at, usage=lambda _: Counted(), pending=(change,))
    assert bill.bill.total.minor == 0
    assert not bill.bill.carried
