"""Changes of a subscription: what they make of it, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from billing.core.agreement import Agreement, SubscribedPlan
from billing.core.discounts import Redemption
from billing.core.errors import ConflictError
from billing.core.lifecycle import SubscriptionStatus
from plans.terms import Alignment, ChangeCharge, ChangePolicy, ChangeTime, PlanTerms, Proration


class Act(StrEnum):
    """What a change does to the subscription as a whole."""

    CANCEL = "CANCEL"
    PAUSE = "PAUSE"
    RESUME = "RESUME"


_STEPS: Final = {Act.CANCEL: "cancel", Act.PAUSE: "pause", Act.RESUME: "resume"}


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be different from an instant on.

    :param anchor: what periods are counted from afterwards: the billing day moves.
    :param coupon: a coupon that is redeemed then; it changes no agreement.
    :param charge: what it costs in mid-period; None for the plan's own policy.
    :param is_at_period_end: whether it was meant for the end of a period.
    """

    at: datetime
    plan: SubscribedPlan | None = None
    quantity: int | None = None
    anchor: datetime | None = None
    act: Act | None = None
    coupon: Redemption | None = None
    charge: ChangeCharge | None = None
    is_at_period_end: bool = False


def changed(agreement: Agreement, change: Change) -> Agreement:
    """The agreement after a change; its period is as it was.

    :raises ConflictError: if it contradicts what the agreement is by then.
    """
    if agreement.status == SubscriptionStatus.CANCELED:
        raise ConflictError("The subscription is canceled by then.", code="after_cancellation")
    after = _acted(agreement, change.act)
    if change.plan is not None:
        after = _replanned(after, change.plan)
    if change.quantity is not None:
        after = replace(after, quantity=change.quantity)
    if change.anchor is not None:
        after = _anchored(after, change.anchor)
    if after == agreement and not change.coupon and change.charge != ChangeCharge.RESET:
        raise ConflictError("It would change nothing.", code="nothing_changes")
    require_quantity(after.terms, after.quantity)
    return after


def require_quantity(terms: PlanTerms, quantity: int) -> None:
    """Refuse a quantity that the terms do not sell.

    :raises ConflictError: with code `no_quantity` or `quantity_too_low`.
    """
    if terms.quantity_unit is None and quantity != 1:
        raise ConflictError("The plan is not sold by the unit.", code="no_quantity")
    if quantity < terms.minimum_quantity:
        raise ConflictError(
            f"The plan needs {terms.minimum_quantity} {terms.quantity_unit} at least.",
            code="quantity_too_low",
        )


def timed(
    agreement: Agreement, change: Change, *, when: ChangeTime | datetime | None, now: datetime
) -> Change:
    """A change with the instant it takes effect at.

    :param when: None for what is usual: cancellations and moves of the billing day at the end of
        the period, changes of plan or quantity as the plan says, and everything else now.
    """
    chosen = when or _usual(agreement, change)
    if isinstance(chosen, datetime):
        return replace(change, at=chosen)
    if chosen == ChangeTime.NOW or agreement.stay is None:
        return replace(change, at=now)
    return replace(change, at=agreement.stay.period.end, is_at_period_end=True)


def policy(before: Agreement, after: Agreement) -> ChangePolicy:
    """When such a change takes effect and what it costs, by the plan that is left."""
    return before.terms.upgrade if after.rank > before.rank else before.terms.downgrade


def splits(before: Agreement, after: Agreement, change: Change) -> bool:
    """Whether a change ends the period it falls in, and does not only price it anew."""
    if change.plan or change.anchor or change.act:
        return True
    is_priced = after != before or change.charge is not None
    return is_priced and charge(before, after, change) == ChangeCharge.RESET


def charge(before: Agreement, after: Agreement, change: Change) -> ChangeCharge:
    """What a change in mid-period costs. Where a plan prorates nothing, no change does."""
    chosen = change.charge or policy(before, after).charge
    prorations = {before.terms.proration, after.terms.proration}
    if chosen == ChangeCharge.PRORATE and Proration.NONE in prorations:
        return ChangeCharge.NONE
    return chosen


def _usual(agreement: Agreement, change: Change) -> ChangeTime:
    if change.act == Act.CANCEL or change.anchor is not None:
        return ChangeTime.PERIOD_END
    if change.act is not None or (change.plan is None and change.quantity is None):
        return ChangeTime.NOW
    try:
        return policy(agreement, changed(agreement, change)).when
    except ConflictError:
        return ChangeTime.NOW  # it will be told with what else is wrong


def _acted(agreement: Agreement, act: Act | None) -> Agreement:
    if act is None:
        return agreement
    if act == Act.PAUSE and agreement.status == SubscriptionStatus.PAUSED:
        raise ConflictError("It is paused already.", code="already_paused")
    if act == Act.RESUME and agreement.status != SubscriptionStatus.PAUSED:
        raise ConflictError("It is not paused then.", code="not_paused")
    return agreement.step(_STEPS[act])


def _anchored(agreement: Agreement, anchor: datetime) -> Agreement:
    if agreement.terms.alignment == Alignment.CALENDAR:
        raise ConflictError("The plan's periods end with the calendar.", code="no_billing_day")
    return replace(agreement, anchor=anchor)


def _replanned(agreement: Agreement, plan: SubscribedPlan) -> Agreement:
    if not plan.is_on_sale and plan.plan != agreement.plan.plan:
        raise ConflictError("The plan is not on sale.", code="plan_not_on_sale")
    if plan.terms.currency != agreement.terms.currency:
        raise ConflictError(
            f"The plan is in {plan.terms.currency}, the subscription in"
            f" {agreement.terms.currency}.",
            code="currency_mismatch",
        )
    is_counted = plan.terms.quantity_unit is not None
    return replace(agreement, plan=plan, quantity=agreement.quantity if is_counted else 1)
