"""Scheduled changes, and what they make of a subscription, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.admin import cells
from billing.core.agreement import Agreement
from billing.core.changes import Act
from billing.core.schedule import Conflict
from billing.models import ScheduledChange
from billing.services.schedule import ConflictingChangesError
from plans.terms import ChangeCharge

_ACTS: Final = {Act.CANCEL: "cancel", Act.PAUSE: "pause", Act.RESUME: "resume"}
_ENDS: Final = {Act.CANCEL: "ends", Act.PAUSE: "pauses", Act.RESUME: "goes on"}
CHARGES: Final = {
    ChangeCharge.PRORATE: "credit what is unused, charge the rest",
    ChangeCharge.FULL: "charge the new price whole, credit nothing",
    ChangeCharge.RESET: "credit what is unused, begin a new period",
    ChangeCharge.NONE: "nothing before the next period",
}


def what(row: ScheduledChange) -> str:
    """`plan Pro, version 2; quantity 5`. The row's plan and coupon must be at hand."""
    return "; ".join(_parts(row))


def title(row: ScheduledChange) -> str:
    """The same where it stands alone."""
    words = what(row)
    return words[:1].upper() + words[1:]


def heading(row: ScheduledChange) -> str:
    """`ends on 2026-05-01 00:00`, or `changes on … to Pro`, for who looks at the whole."""
    at = cells.instant(row.due_at)
    if row.act:
        return f"{_ENDS[Act(row.act)]} on {at}"
    if row.plan_version is not None:
        return f"changes on {at} to {row.plan_version.plan.name}"
    return f"changes on {at}: {what(row)}"


def after(agreement: Agreement) -> SafeString:
    """What a subscription is after a change."""
    words = [agreement.plan.name]
    unit = agreement.terms.quantity_unit
    if unit is not None:
        words.append(f"{agreement.quantity} × {unit}")
    if agreement.stay is not None:
        words.append(f"period to {cells.instant(agreement.stay.period.end)}")
    return format_html("{} {}", cells.status(agreement.status), ", ".join(words))


def fault(text: object) -> SafeString:
    """What is wrong, so that it is seen; the words tell as much as the colour."""
    return format_html('<strong class="fault">{}</strong>', text)


def contradictions(error: ConflictingChangesError) -> list[str]:
    """Everything that contradicts, one sentence for each change."""
    return [
        contradiction(conflict, None if row is error.asked else row)
        for conflict, row in error.conflicts
    ]


def contradiction(conflict: Conflict, row: ScheduledChange | None) -> str:
    """`2026-05-01 00:00, this change: …`; of another, what it is.

    :param row: the scheduled one; None for the one that is asked for.
    """
    name = "this change" if row is None else what(row)
    return f"{cells.instant(conflict.change.at)}, {name}: {conflict.detail}"


def _parts(row: ScheduledChange) -> Iterator[str]:
    if row.act:
        yield _ACTS[Act(row.act)]
    if row.plan_version is not None:
        yield f"plan {row.plan_version.plan.name}, version {row.plan_version.number}"
    if row.quantity is not None:
        yield f"quantity {row.quantity}"
    if row.coupon is not None:
        yield f"coupon {row.coupon.code}"
    if row.billing_anchor is not None:
        yield f"billing day from {cells.instant(row.billing_anchor)}"
    if row.charge:
        yield CHARGES[ChangeCharge(row.charge)]
