"""Subscriptions about to be foreseen: what their future depends on, read in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from billing.core import changes, forecast
from billing.core.agreement import Agreement, Stay
from billing.core.changes import Change
from billing.core.charging import Counted
from billing.core.errors import FAULTS, ConflictError, words
from billing.core.forecast import Foreseen
from billing.core.lifecycle import SubscriptionStatus
from billing.core.money import round_half_away
from billing.core.proration import Share
from billing.core.tab import Tab
from billing.models import BillingPeriod, PaymentMethod, Subscription, UsageTotal
from billing.models.subscription import BilledBy, PeriodKind
from billing.queries import agreements, usage
from billing.queries.agreements import Standing
from plans.models import Meter, PlanVersion
from plans.terms import Interval, PlanTerms

CHUNK: Final = 500
_PLACES: Final = 12
_TICK: Final = timedelta(microseconds=1)
_ADDED_UP: Final = frozenset({Meter.Aggregation.SUM, Meter.Aggregation.COUNT})
_MONTHS: Final = {
    Interval.DAY: Fraction(12, 365),
    Interval.WEEK: Fraction(12 * 7, 365),
    Interval.MONTH: Fraction(1),
    Interval.YEAR: Fraction(12),
}


class Basis(StrEnum):
    """What a component is supposed to count in a coming period.

    LAST: as in the last closed period. AVERAGE: as in the last three on average. NONE: nothing.
    A trial is no basis. What adds up is scaled to the share of the period.
    """

    LAST = "last"
    NONE = "none"
    AVERAGE = "average"


_DEPTH: Final = {Basis.LAST: 1, Basis.AVERAGE: 3}


@dataclass(frozen=True, slots=True)
class Rate:
    """What a component counts: in a whole month; where it does not add up, in any period."""

    quantity: Fraction
    adds_up: bool


_NOTHING: Final = Rate(Fraction(0), adds_up=True)


class _Total(NamedTuple):
    """What a component counted in a closed period."""

    period_id: UUID
    component: str
    aggregation: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class _Closed:
    """A closed period: the version it was on, how much of a whole it was, what it counted."""

    version: PlanVersion
    share: Share
    totals: Sequence[_Total]

    @property
    def months(self) -> Fraction:
        """How long it was."""
        return _months(self.version.parsed) * self.share.fraction


def chunks(rows: QuerySet[Subscription, Subscription]) -> Iterator[list[Subscription]]:
    """Subscriptions in the order of their keys, so many at a time: however many, memory is flat."""
    ordered = _readable(rows).order_by("pk")
    chunk = list(ordered[:CHUNK])
    while chunk:
        yield chunk
        chunk = list(ordered.filter(pk__gt=chunk[-1].pk)[:CHUNK])


def _readable(
    rows: QuerySet[Subscription, Subscription],
) -> QuerySet[Subscription, Subscription]:
    """With what `agreements.standings` reads of each."""
    return rows.select_related("customer__test_clock").prefetch_related("plan_version__plan")


def of(
    rows: Sequence[Subscription], *, basis: Basis, now: datetime
) -> Iterator[tuple[Subscription, Prospect | str]]:
    """Each subscription with what is needed to foresee it, or why it cannot be."""
    reasons = {row.pk: _reason(row) for row in rows}
    fit = [row for row in rows if not reasons[row.pk]]
    standings = {found.subscription.pk: found for found in _standings(fit, reasons)}
    with_method = set(
        PaymentMethod.objects.usable()
        .filter(customer__in=[row.customer_id for row in fit])
        .values_list("customer_id", flat=True)
    )
    open_periods = [found.period.pk for found in standings.values() if found.period]
    so_far = usage.totals(open_periods)
    history = _history(list(standings), basis)
    names = dict(Meter.objects.values_list("code", "name"))
    for row in rows:
        found = standings.get(row.pk)
        if found is None:
            yield row, reasons[row.pk]
            continue
        counted = so_far[found.period.pk].by_component if found.period else {}
        try:
            rates = _rates(history[row.pk])
        except FAULTS as error:
            yield row, words(error)
            continue
        present, has_method = row.customer.lives_at(now), row.customer_id in with_method
        yield row, Prospect(found, present, has_method, rates, Counted(counted, names))


@dataclass(frozen=True, slots=True)
class Prospect:
    """A subscription, and what its future depends on.

    :param present: its customer's own.
    :param rates: component → what it is supposed to count.
    :param counted: what the open period has counted so far, and the names of the meters.
    """

    standing: Standing
    present: datetime
    has_method: bool
    rates: Mapping[str, Rate]
    counted: Counted

    def bills(self, until: datetime, change: Change | None = None) -> Iterator[Foreseen]:
        """Every bill up to and including an instant, with what is scheduled.

        :param change: supposed on top of it.
        """
        tab, pending = self.standing.tab, self.standing.changes
        if change is not None:
            pending = sorted([*pending, change], key=lambda change: change.at)
        if self._begins(until):
            tab, first, pending = self._begun(tab, pending)
            yield from first
        stay = tab.agreement.stay
        supposed = Supposed(
            self.rates,
            self.counted,
            opened_at=stay.period.start if self.standing.period and stay else None,
            changes=pending,
        )
        yield from forecast.foresee(
            tab,
            until=until,
            usage=supposed,
            pending=tuple(pending),
            has_method=self.has_method,
        )

    def _begins(self, until: datetime) -> bool:
        """Whether it is still to begin by itself, at the instant it was ordered for."""
        row = self.standing.subscription
        is_new = row.status == SubscriptionStatus.INCOMPLETE and row.trial_end is None
        if not is_new or row.due_at is None or row.starts_at is None:
            return False
        return row.starts_at <= until

    def _begun(
        self, tab: Tab, pending: Sequence[Change]
    ) -> tuple[Tab, list[Foreseen], list[Change]]:
        """The tab with its trial or its billing begun, and the changes that follow."""
        row = self.standing.subscription
        at = row.starts_at or self.present
        for change in (change for change in pending if change.at <= at):
            possible = forecast.if_possible(tab.agreement, change)
            turn = forecast.take(
                tab.agreement, possible, at=change.at, counted=Counted(), has_method=True
            )
            tab = replace(tab, agreement=turn.agreement)
        later = [change for change in pending if change.at > at]
        terms = tab.agreement.terms
        needs_method = terms.trial_needs_method if row.trial_days else not terms.is_free
        if tab.agreement.status != SubscriptionStatus.INCOMPLETE:
            return tab, [], later
        if needs_method and not self.has_method:
            return tab, [], later
        begun, first = forecast.supposed(tab, at, trial_days=row.trial_days)
        return begun, first, later


@dataclass(slots=True)
class Supposed:
    """What the periods to come are supposed to count, for `forecast.foresee`.

    :param opened_at: when the period began that has counted something already.
    :param changes: what is scheduled, in order; some of it splits periods.
    """

    rates: Mapping[str, Rate]
    counted: Counted
    opened_at: datetime | None
    changes: Sequence[Change] = ()
    _known: dict[tuple[str, Fraction], Decimal] = field(default_factory=dict)

    def __call__(self, agreement: Agreement) -> Counted:
        """What the open period of an agreement counts by the time it ends."""
        stay = agreement.stay
        if stay is None:
            return Counted({}, self.counted.names)
        until = self._until(agreement, stay)
        months = _months(agreement.terms) * stay.share.fraction * _elapsed(stay, until)
        so_far = self.counted.totals if stay.period.start == self.opened_at else {}
        totals = {
            priced.component: max(
                self._supposed(priced.component, months),
                so_far.get(priced.component, Decimal(0)),
            )
            for priced in agreement.terms.usage
        }
        return Counted(totals, self.counted.names)

    def _until(self, agreement: Agreement, stay: Stay) -> datetime:
        """Where the open period ends: at a change that splits it, or in its own time."""
        period = stay.period
        within = (change for change in self.changes if period.start < change.at < period.end)
        splitting = (change.at for change in within if _splits(agreement, change))
        return next(splitting, period.end)

    def _supposed(self, component: str, months: Fraction) -> Decimal:
        """What a component counts in so many months: the same again for periods that are alike."""
        found = self._known.get((component, months))
        if found is None:
            rate = self.rates.get(component, _NOTHING)
            exact = rate.quantity * months if rate.adds_up else rate.quantity
            found = Decimal(round_half_away(exact * 10**_PLACES)).scaleb(-_PLACES)
            self._known[component, months] = found
        return found


def _splits(agreement: Agreement, change: Change) -> bool:
    """Whether a change ends the open period; one that cannot be does not."""
    try:
        after = changes.changed(agreement, change)
    except ConflictError:
        return False
    return changes.splits(agreement, after, change)


def _reason(row: Subscription) -> str:
    """Why a subscription cannot be foreseen; empty where it can."""
    if row.stalled_reason:
        return row.stalled_reason
    if row.billed_by != BilledBy.ENGINE:
        return "It is not billed by the engine."
    try:
        _ = row.plan_terms, row.customer.zone
    except FAULTS as error:
        return words(error)
    return ""


def _standings(rows: Sequence[Subscription], reasons: dict[UUID, str]) -> list[Standing]:
    """Everything about each; where one spoils the common read, one by one, and its reason."""
    try:
        return agreements.standings(rows)
    except FAULTS:
        found = []
    for row in rows:
        try:
            found += agreements.standings([row])
        except FAULTS as error:
            reasons[row.pk] = words(error)
    return found


def _history(subscriptions: Sequence[UUID], basis: Basis) -> dict[UUID, list[_Closed]]:
    """The last closed periods of each, as many as the basis asks for."""
    found: dict[UUID, list[_Closed]] = defaultdict(list)
    if basis == Basis.NONE:
        return found
    place = Window(RowNumber(), partition_by=F("subscription"), order_by=F("starts_at").desc())
    ranked = BillingPeriod.objects.filter(
        subscription__in=subscriptions,
        kind=PeriodKind.REGULAR,
        closed_at__isnull=False,
        share_used__gt=0,
    ).annotate(place=place)
    periods = list(ranked.filter(place__lte=_DEPTH[basis]))
    versions = PlanVersion.objects.in_bulk({row.plan_version_id for row in periods})
    totals: dict[UUID, list[_Total]] = defaultdict(list)
    rows = UsageTotal.objects.filter(period__in=[row.pk for row in periods])
    for values in rows.values_list(*_Total._fields):
        total = _Total(*values)
        totals[total.period_id].append(total)
    for row in periods:
        closed = _Closed(versions[row.plan_version_id], row.share, totals[row.pk])
        found[row.subscription_id].append(closed)
    return found


def _rates(closed: Sequence[_Closed]) -> dict[str, Rate]:
    """What each component counted on average; a period without it counted nothing."""
    months = sum((period.months for period in closed), Fraction(0))
    counted: dict[str, list[_Total]] = defaultdict(list)
    for period in closed:
        for total in period.totals:
            counted[total.component].append(total)
    rates = {}
    for component, totals in counted.items():
        adds_up = totals[0].aggregation in _ADDED_UP
        quantity = sum((Fraction(total.quantity) for total in totals), Fraction(0))
        rates[component] = Rate(quantity / (months if adds_up else len(closed)), adds_up)
    return rates


def _months(terms: PlanTerms) -> Fraction:
    """How many months a whole interval of these terms is."""
    return _MONTHS[terms.interval] * terms.interval_count


def _elapsed(stay: Stay, until: datetime) -> Fraction:
    """What part of a period is over by an instant."""
    period = stay.period
    if until >= period.end:
        return Fraction(1)
    return Fraction((until - period.start) // _TICK, (period.end - period.start) // _TICK)
