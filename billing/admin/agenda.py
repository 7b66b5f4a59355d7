"""What is scheduled for a subscription and what waits, as tables beneath it."""

from __future__ import annotations

from django.db.models import QuerySet

from billing.admin import cells, change_words
from billing.admin.tables import SHOWN, Table, beginning
from billing.core.money import total
from billing.models import Invoice, Redemption, ScheduledChange, Subscription
from billing.models.schedule import ChangeStatus
from billing.queries import agreements


def failed(subscription: Subscription) -> list[Table]:
    """Changes that could not be when they were due; no table where there are none."""
    rows = _changes(subscription, ChangeStatus.FAILED)
    found, more = beginning(
        rows, subscription=subscription.pk, status__exact=ChangeStatus.FAILED.value
    )
    if not found:
        return []
    lines = [
        [
            cells.link(row, cells.instant(row.due_at)),
            change_words.title(row),
            change_words.fault(row.reason),
            row.created_by,
        ]
        for row in found
    ]
    headers = ["Was due", "What", "Why it failed", "Asked by"]
    return [Table(ScheduledChange, "Changes that failed", headers, lines, more)]


def timeline(subscription: Subscription) -> Table:
    """What is still to come, in order, and the subscription after each of it."""
    lines = [
        [
            cells.link(row, cells.instant(step.change.at)),
            change_words.title(row),
            change_words.fault(step.conflict.detail)
            if step.conflict
            else change_words.after(step.after),
            row.created_by,
        ]
        for step, row in agreements.timeline(subscription)
    ]
    headers = ["When", "What", "The subscription afterwards", "Asked by"]
    return Table(ScheduledChange, "Still to come", headers, lines)


def waiting(subscription: Subscription) -> Table:
    """Lines that the next invoice takes up, and what they come to before discounts."""
    found = agreements.standing(subscription).waiting
    lines: list[list[object]] = [
        [row.description, row.explanation, cells.money(row.amount)] for row in found
    ]
    if len(found) > 1:
        currency = subscription.plan_terms.currency
        whole = total((row.amount for row in found), currency)
        lines.append(["Together", "", cells.money(whole)])
    headers = ["What", "How it came about", "#Amount"]
    return Table(Invoice, "On the next invoice", headers, lines)


def redemptions(subscription: Subscription) -> Table:
    """Coupons, in the order in which they take something off."""
    rows = Redemption.objects.filter(subscription=subscription).select_related("coupon")
    lines = [
        [
            cells.link(row.coupon),
            _left(row),
            cells.instant(row.covers_until),
            cells.instant(row.created_at),
            row.created_by,
        ]
        for row in rows.order_by("created_at", "pk")[:SHOWN]
    ]
    headers = ["Coupon", "#Periods left", "Covers until", "Redeemed", "By"]
    return Table(Redemption, "Coupons", headers, lines)


def settled(subscription: Subscription) -> Table:
    """What took effect or was withdrawn, newest first."""
    rows = _changes(subscription, ChangeStatus.APPLIED, ChangeStatus.WITHDRAWN)
    found, more = beginning(rows, subscription=subscription.pk)
    lines = [
        [
            cells.link(row, cells.instant(row.settled_at)),
            cells.status(row.status),
            change_words.title(row),
            row.created_by,
        ]
        for row in found
    ]
    headers = ["When", "Status", "What", "Asked by"]
    return Table(ScheduledChange, "Earlier changes", headers, lines, more)


def _changes(subscription: Subscription, *statuses: ChangeStatus) -> QuerySet[ScheduledChange]:
    rows = ScheduledChange.objects.filter(subscription=subscription, status__in=statuses)
    return rows.select_related("plan_version__plan", "coupon").order_by("-settled_at", "-pk")


def _left(row: Redemption) -> str:
    return "for ever" if row.periods_left is None else str(row.periods_left)
