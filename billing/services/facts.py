"""What the journal says of subscriptions: one entry for each thing that became of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from billing.core import mrr
from billing.core.agreement import Agreement
from billing.core.lifecycle import SubscriptionStatus
from billing.models import ScheduledChange, Subscription
from billing.services.journal import Fact
from plans.terms import PlanTerms


def started(subscription: Subscription) -> Fact:
    """It was made."""
    return _fact(
        "SUBSCRIPTION_STARTED",
        subscription,
        key=f"subscription:{subscription.pk}:started",
        at=subscription.created_at,
        plan=subscription.plan_name,
        plan_version=subscription.plan_version.number,
        terms=subscription.plan_version.terms,
        quantity=subscription.quantity,
        status=SubscriptionStatus.INCOMPLETE.lower(),
        by=subscription.created_by,
    )


def of_turn(
    subscription: Subscription, before: Agreement, after: Agreement, *, at: datetime
) -> Iterator[Fact]:
    """What a turn made of its status; nothing where that is as it was."""
    if before.status == after.status:
        return
    stands = _stands(after)
    if after.status == SubscriptionStatus.TRIALING:
        ends = after.trial_end.isoformat() if after.trial_end else None
        yield _fact(
            "TRIAL_STARTED",
            subscription,
            key=f"subscription:{subscription.pk}:trial_started",
            at=at,
            trial_end=ends,
            **stands,
        )
    elif after.status == SubscriptionStatus.INCOMPLETE:
        yield _fact(
            "TRIAL_ENDED_WITHOUT_PAYMENT_METHOD",
            subscription,
            key=f"subscription:{subscription.pk}:trial_ended",
            at=before.trial_end or at,
            **stands,
        )
    elif after.status == SubscriptionStatus.ACTIVE and before.anchor is None:
        yield _fact(
            "SUBSCRIPTION_ACTIVATED",
            subscription,
            key=f"subscription:{subscription.pk}:activated",
            at=after.anchor or at,
            first_period_ends=after.stay.period.end.isoformat() if after.stay else None,
            **stands,
        )
    else:
        kind = _KINDS[after.status]
        yield _fact(kind, subscription, key=_key(subscription, kind, at), at=at, **stands)


def scheduled(subscription: Subscription, change: ScheduledChange) -> Fact:
    """A change was put on the timeline."""
    return _change("CHANGE_SCHEDULED", subscription, change, at=change.created_at)


def changed(
    subscription: Subscription, change: ScheduledChange, after: Agreement, *, at: datetime
) -> Fact:
    """A change took effect; `after` is how the subscription stands with it."""
    return _change("SUBSCRIPTION_CHANGED", subscription, change, at=at, **_stands(after))


def failed(subscription: Subscription, change: ScheduledChange, *, at: datetime) -> Fact:
    """A change could not be when it was due."""
    return _change("CHANGE_FAILED", subscription, change, at=at, reason=change.reason)


def withdrawn(subscription: Subscription, change: ScheduledChange, *, at: datetime) -> Fact:
    """A change was taken off the timeline."""
    return _change("CHANGE_WITHDRAWN", subscription, change, at=at, by=change.settled_by)


def fell_past_due(subscription: Subscription, *, at: datetime) -> Fact:
    """What it owes was not paid: it keeps its access for the grace period only."""
    return _put_as(SubscriptionStatus.PAST_DUE, "SUBSCRIPTION_FELL_PAST_DUE", subscription, at)


def recovered(subscription: Subscription, *, at: datetime) -> Fact:
    """Nothing that was declined is due any more."""
    return _put_as(SubscriptionStatus.ACTIVE, "SUBSCRIPTION_RECOVERED", subscription, at)


def trial_moved(subscription: Subscription, until: datetime, *, at: datetime, by: str) -> Fact:
    """A trial ends earlier or later than it was to."""
    return _fact(
        "TRIAL_END_MOVED",
        subscription,
        key=f"subscription:{subscription.pk}:trial_end:{subscription.version}",
        at=at,
        trial_end=until.isoformat(),
        by=by,
    )


def _change(
    kind: str, subscription: Subscription, change: ScheduledChange, *, at: datetime, **more: Any
) -> Fact:
    version = change.plan_version
    asked = {
        "change": str(change.pk),
        "due_at": change.due_at.isoformat(),
        "plan": None if version is None else version.plan.name,
        "plan_version": None if version is None else version.number,
        "terms": None if version is None else version.terms,
        "quantity": change.quantity,
        "coupon": change.coupon.code if change.coupon else None,
        "billing_anchor": change.billing_anchor.isoformat() if change.billing_anchor else None,
        "act": change.act or None,
        "charge": change.charge or None,
        "by": change.created_by,
    }
    said = {name: value for name, value in asked.items() if value is not None}
    key = f"change:{change.pk}:{kind.lower()}:{at.isoformat()}"
    return _fact(kind, subscription, key=key, at=at, **{**said, **more})


def _key(subscription: Subscription, kind: str, at: datetime) -> str:
    """What may happen again is named after its instant, too."""
    return f"subscription:{subscription.pk}:{kind.lower()}:{at.isoformat()}"


def _fact(kind: str, subscription: Subscription, *, key: str, at: datetime, **context: Any) -> Fact:
    return Fact(
        kind=kind,
        key=key,
        customer_id=subscription.customer_id,
        occurred_at=at,
        context={"subscription": str(subscription.pk), **context},
        source_kind="subscription",
        source_id=subscription.pk,
    )


def _put_as(
    status: SubscriptionStatus, kind: str, subscription: Subscription, at: datetime
) -> Fact:
    terms, quantity = subscription.plan_terms, subscription.quantity
    return _fact(
        kind,
        subscription,
        key=f"subscription:{subscription.pk}:{kind.lower()}:{uuid7()}",  # in an instant, twice
        at=at,
        **_said(status, subscription.plan_name, terms, quantity),
    )


def _stands(agreement: Agreement) -> dict[str, Any]:
    return _said(agreement.status, agreement.plan.name, agreement.terms, agreement.quantity)


def _said(status: SubscriptionStatus, plan: str, terms: PlanTerms, quantity: int) -> dict[str, Any]:
    """What one must know of a subscription to say what it grants and what it recurs with."""
    recurs = mrr.at_status(status, terms, quantity)
    return {
        "status": status.lower(),
        "plan": plan,
        "quantity": quantity,
        "features": dict(terms.features),
        "limits": dict(terms.limits),
        "mrr": {"amount": f"{recurs.major:f}", "currency": recurs.currency},
    }


_KINDS = {
    SubscriptionStatus.ACTIVE: "SUBSCRIPTION_RESUMED",
    SubscriptionStatus.PAST_DUE: "SUBSCRIPTION_RESUMED",
    SubscriptionStatus.PAUSED: "SUBSCRIPTION_PAUSED",
    SubscriptionStatus.CANCELED: "SUBSCRIPTION_CANCELED",
}
