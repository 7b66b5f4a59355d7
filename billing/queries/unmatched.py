"""Usage that was accepted and waits: no period of its customer counts its meter at that instant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Exists, Min, OuterRef, Q, QuerySet, Value, When

from billing.core.lifecycle import SubscriptionStatus
from billing.models import BillingPeriod, Subscription, UsageEvent


class Why(StrEnum):
    """What keeps an event from being counted; an operator can do something about most."""

    ERASED = "Customer erased"
    NOT_IN_PLAN = "Plan lacks the meter"
    NO_SUBSCRIPTION = "No subscription"
    NOT_BEGUN = "Subscription not begun"
    PAUSED = "Subscription paused"
    ENDED = "Subscription ended"
    OUTSIDE = "Outside of all periods"


class Waiting(NamedTuple):
    """How many events of a meter wait for one reason, and since when."""

    why: str
    meter: str
    events: int
    customers: int
    since: datetime


def with_why(events: QuerySet[Any]) -> QuerySet[Any]:
    """The same events with `why` they wait, which means nothing of those that do not."""
    theirs = Q(customer=OuterRef("customer"))
    there = BillingPeriod.objects.filter(
        theirs, starts_at__lte=OuterRef("occurred_at"), counts_until__gt=OuterRef("occurred_at")
    )
    subscriptions = Subscription.objects.filter(theirs)
    live = subscriptions.exclude(status=SubscriptionStatus.CANCELED)
    begun = BillingPeriod.objects.filter(theirs, subscription__in=live)
    cases = (
        (Q(customer__erased_at__isnull=False), Why.ERASED),
        (Exists(there), Why.NOT_IN_PLAN),
        (~Exists(subscriptions), Why.NO_SUBSCRIPTION),
        (~Exists(live), Why.ENDED),
        (Exists(live.filter(status=SubscriptionStatus.PAUSED)), Why.PAUSED),
        (~Exists(begun), Why.NOT_BEGUN),
    )
    whens = [When(condition, then=Value(why.value)) for condition, why in cases]
    why = Case(*whens, default=Value(Why.OUTSIDE.value), output_field=CharField())
    told: QuerySet[Any] = events.annotate(why=why)
    return told


def by_reason(limit: int) -> list[Waiting]:
    """The events that wait longest, counted by why and by meter, the oldest first.

    :param limit: how many events are looked at.
    """
    oldest = UsageEvent.objects.filter(period=None, withdrawn_at=None).order_by("pk")[:limit]
    counted = (
        with_why(UsageEvent.objects.filter(pk__in=oldest.values("pk")))
        .values_list("why", "meter__code")
        .annotate(Count("pk"), Count("customer", distinct=True), Min("occurred_at"))
    )
    found = [Waiting(*row) for row in counted.order_by()]
    return sorted(found, key=lambda row: (row.since, row.why, row.meter))
