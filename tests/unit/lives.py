"""The life of one subscription, on values: what the billing run does with it, without rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from billing.core import forecast
from billing.core import tab as tabs
from billing.core.agreement import Agreement, Stay, SubscribedPlan
from billing.core.changes import Change
from billing.core.charging import Counted
from billing.core.discounts import Redemption
from billing.core.errors import ConflictError
from billing.core.invoicing import Bill, Line, LineKind
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import Money, total
from billing.core.tab import Tab
from billing.core.turns import Turn
from plans.terms import PlanTerms


def local(text: str | date, zone: str = "UTC") -> datetime:
    """`2026-04-11` or `2026-04-11T15:00` of a zone's clocks, in UTC."""
    return datetime.fromisoformat(str(text)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def plan(terms: PlanTerms, name: str = "Plan", **fields: Any) -> SubscribedPlan:
    """A plan of these terms; its name is its id."""
    return SubscribedPlan(name, f"{name}-1", name, terms, **fields)


def agreement(
    subscribed: SubscribedPlan | PlanTerms, *, quantity: int = 1, zone: str = "UTC"
) -> Agreement:
    """A subscription that has not begun."""
    if isinstance(subscribed, PlanTerms):
        subscribed = plan(subscribed)
    return Agreement(subscribed, quantity, ZoneInfo(zone), SubscriptionStatus.INCOMPLETE)


class Life:
    """A subscription from its beginning, every turn it took, and every bill."""

    def __init__(
        self, start: Agreement, *, redemptions: Sequence[Redemption] = (), has_method: bool = True
    ) -> None:
        self.tab = Tab(start, redemptions=tuple(redemptions))
        self.has_method = has_method
        self.turns: list[tuple[datetime, Turn]] = []
        self.bills: list[tuple[datetime, Bill]] = []

    @property
    def agreement(self) -> Agreement:
        """As it is now."""
        return self.tab.agreement

    @property
    def stay(self) -> Stay:
        """The open period."""
        return self.agreement.open_stay

    @property
    def lines(self) -> list[Line]:
        """Every line there ever was, in order, as its turn brought it."""
        return [line for _, turn in self.turns for line in turn.all_lines]

    @property
    def billed(self) -> Money:
        """What all bills asked for together."""
        currency = self.agreement.terms.currency
        return total((bill.total for _, bill in self.bills), currency)

    @property
    def owed(self) -> Money:
        """What all bills asked for, and what waits for the next one."""
        return sum((line.net for line in self.tab.waiting), self.billed)

    def begins(self, at: datetime, *, trial_days: int = 0) -> Self:
        """Subscribe."""
        self.tab, found = forecast.supposed(self.tab, at, trial_days=trial_days)
        self.bills += [(one.at, one.bill) for one in found]
        lines = found[0].bill.lines if found else ()
        self.turns.append((at, Turn(self.tab.agreement, ahead=tuple(lines))))
        return self

    def passes(
        self,
        to: datetime,
        used: Mapping[str, str | Decimal] | None = None,
        *,
        each: bool = False,
    ) -> Self:
        """Let every period end that ends by then.

        :param used: what the first of them counts, or each.
        """
        while (stay := self.agreement.stay) is not None and stay.period.end <= to:
            self._take(None, stay.period.end, used)
            used = used if each else None
        return self

    def changes(
        self, at: datetime, *, used: Mapping[str, str | Decimal] | None = None, **change: Any
    ) -> Self:
        """Change something at an instant, with a period that ends there if one does.

        :raises ConflictError: if it cannot be.
        """
        stay = self.agreement.stay
        if stay is not None:
            self.passes(at if at > stay.period.end else at - timedelta(microseconds=1))
        self._take(Change(at=at, **change), at, used)
        return self

    def tries(self, at: datetime, **change: Any) -> bool:
        """Change something if that can be."""
        try:
            self.changes(at, **change)
        except ConflictError:
            return False
        return True

    def bill(self, index: int = -1) -> Bill:
        """One of the bills."""
        return self.bills[index][1]

    def _take(
        self, change: Change | None, at: datetime, used: Mapping[str, str | Decimal] | None
    ) -> None:
        counted = Counted({name: Decimal(value) for name, value in (used or {}).items()})
        turn = forecast.take(
            self.agreement, change, at=at, counted=counted, has_method=self.has_method
        )
        self.turns.append((at, turn))
        self.tab, bill = tabs.enter(self.tab, turn, at=at)
        if bill is not None:
            self.bills.append((at, bill))


def shown(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """Lines as a person checks them: the kind, and the amount after discounts."""
    return [(line.kind.value, f"{line.net.major:f}") for line in lines]


def sum_of(lines: Sequence[Line], *kinds: LineKind) -> Money:
    """What the lines of some kinds add to the total."""
    return total((line.net for line in lines if line.kind in kinds), lines[0].amount.currency)


def with_trial_ending(life: Life, at: datetime) -> Life:
    """End the trial early, or extend it."""
    period = replace(life.stay.period, end=at)
    stay = replace(life.stay, period=period)
    life.tab = replace(life.tab, agreement=replace(life.agreement, stay=stay, trial_end=at))
    return life
