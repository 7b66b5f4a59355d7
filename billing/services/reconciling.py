"""Our books against a gateway's: what a lost notification left is mended, the rest is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from billing.core.lifecycle import WAITING_ATTEMPTS, AttemptStatus, DisputeStatus
from billing.gateways import registry
from billing.gateways.abilities import Recalls
from billing.gateways.base import (
    Charge,
    ChargeStatus,
    Dispute,
    Fact,
    Gateway,
    GatewayUnavailableError,
    Refund,
    Setup,
    SetupStatus,
)
from billing.models import CheckoutSession, PaymentAttempt
from billing.models import Dispute as DisputeRow
from billing.models import Refund as RefundRow
from billing.models.payment import CheckoutStatus
from billing.models.refund import DisputeSource
from billing.services import calling, following, gateway_events
from billing.services.calling import Question

_ATTEMPT: Final = {
    ChargeStatus.SUCCEEDED: AttemptStatus.SUCCEEDED,
    ChargeStatus.PROCESSING: AttemptStatus.PROCESSING,
    ChargeStatus.ACTION_REQUIRED: AttemptStatus.ACTION_REQUIRED,
    ChargeStatus.DECLINED: AttemptStatus.FAILED,
}
_SETUP: Final = {
    SetupStatus.OPEN: CheckoutStatus.OPEN,
    SetupStatus.COMPLETED: CheckoutStatus.COMPLETED,
    SetupStatus.DECLINED: CheckoutStatus.FAILED,
    SetupStatus.EXPIRED: CheckoutStatus.EXPIRED,
}
UNKNOWN_HERE: Final = "not known here"


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs.

    :param ours: how it stood here. `theirs`: how the gateway has it.
    :param is_mended: whether it agrees now.
    """

    noun: str
    external_id: str
    ours: str
    theirs: str
    is_mended: bool = False


@dataclass(slots=True)
class Comparison:
    """What was looked at, what differed, and the attempts to collect because of it."""

    gateway: str
    seen: int = 0
    differences: list[Difference] = field(default_factory=list)
    attempts: list[UUID] = field(default_factory=list)


def reconcile(
    gateway: str, *, since: datetime, now: datetime, is_dry_run: bool = False
) -> Comparison:
    """Compare all that a gateway has of ours since then, and all that waits at it, with our rows.

    What differs is followed like a notification that came late, unless it is a dry run.

    :raises GatewayUnavailableError: if the gateway does not answer; what was mended stays.
    """
    found = Comparison(gateway)
    vendor = registry.get(gateway)
    if isinstance(vendor, Recalls):
        for fact in _facts(gateway, vendor.recall(since), now=now):
            _compare(found, fact, now=now, is_dry_run=is_dry_run)
    if not is_dry_run:
        _ask_what_waits(found, now=now)
    return found


def _facts(gateway: str, facts: Iterator[Fact], *, now: datetime) -> Iterator[Fact]:
    def next_one(_gateway: Gateway) -> Fact | None:
        return next(facts, None)

    while (fact := calling.ask(Question(gateway, "recall"), next_one, now=now)) is not None:
        yield fact


def _compare(found: Comparison, fact: Fact, *, now: datetime, is_dry_run: bool) -> None:
    found.seen += 1
    noun, external_id, theirs = _said(fact)
    ours = _ours(found.gateway, fact)
    if ours == theirs or _is_ours_to_say(ours, theirs):
        return
    if not is_dry_run and ours != UNKNOWN_HERE:
        try:
            _, attempts = gateway_events.follow(fact, gateway=found.gateway, now=now)
        except GatewayUnavailableError:  # about what is not settled here yet
            attempts = []
        found.attempts += attempts
    is_mended = _ours(found.gateway, fact) == theirs
    found.differences.append(Difference(noun, external_id, ours, theirs, is_mended))


def _is_ours_to_say(ours: str, theirs: str) -> bool:
    """We gave up what the gateway calls declined."""
    return (ours, theirs) == (AttemptStatus.ABANDONED, AttemptStatus.FAILED)


def _said(fact: Fact) -> tuple[str, str, str]:
    """The noun, the gateway's id, and the status that ours should have."""
    if isinstance(fact, Charge):
        return "charge", fact.external_id, _ATTEMPT[fact.status]
    if isinstance(fact, Refund):
        return "refund", fact.external_id, _ATTEMPT[fact.status]
    if isinstance(fact, Dispute):
        return "dispute", fact.external_id, fact.status
    if isinstance(fact, Setup):
        return "set-up", fact.external_id, _SETUP[fact.status]
    return "payment method", fact.external_id, ""


def _ours(gateway: str, fact: Fact) -> str:
    found: str | None = None
    if isinstance(fact, Charge):
        rows = PaymentAttempt.objects.filter(gateway=gateway)
        found = _status(rows, fact.reference)
    elif isinstance(fact, Refund):
        found = _status(RefundRow.objects.all(), fact.reference)
    elif isinstance(fact, Dispute):
        rows_of = DisputeRow.objects.filter(payment__gateway=gateway)
        found = _first(rows_of.filter(external_id=fact.external_id))
        if (
            found is None
            and PaymentAttempt.objects.filter(
                gateway=gateway, external_id=fact.charge_external_id
            ).exists()
        ):
            return "not heard of"
    elif isinstance(fact, Setup):
        session = gateway_events.session_of(fact, gateway)
        found = session.status if session else None
    else:
        return ""
    return UNKNOWN_HERE if found is None else found


def _status(rows: QuerySet[Any], reference: str) -> str | None:  # of whatever has a status
    row_id = gateway_events.uuid_of(reference)
    return None if row_id is None else _first(rows.filter(pk=row_id))


def _first(rows: QuerySet[Any]) -> str | None:  # likewise
    return rows.values_list("status", flat=True).first()


def _ask_what_waits(found: Comparison, *, now: datetime) -> None:
    waiting = PaymentAttempt.objects.filter(gateway=found.gateway, status__in=WAITING_ATTEMPTS)
    for attempt in list(waiting):
        after = following.charge(attempt.pk, now=now).status
        _note(found, Difference("charge", attempt.external_id, attempt.status, after))
    on_their_way = RefundRow.objects.filter(
        payment__gateway=found.gateway, status=AttemptStatus.PROCESSING
    )
    for refund in list(on_their_way):
        after = following.refund(refund.pk, now=now).status
        _note(found, Difference("refund", refund.external_id, refund.status, after))
    contested = DisputeRow.objects.filter(
        payment__gateway=found.gateway, source=DisputeSource.GATEWAY, status=DisputeStatus.OPEN
    )
    for dispute in list(contested):
        after = following.dispute(dispute.pk, now=now).status
        _note(found, Difference("dispute", dispute.external_id, dispute.status, after))
    visits = CheckoutSession.objects.filter(gateway=found.gateway, status=CheckoutStatus.OPEN)
    for visit in list(visits):
        settled = following.setup(visit.pk, now=now)
        if settled is not None:
            found.attempts += settled.attempts
            after = settled.session.status
            _note(found, Difference("set-up", visit.external_id, visit.status, after))


def _note(found: Comparison, followed: Difference) -> None:
    found.seen += 1
    if followed.ours != followed.theirs:
        found.differences.append(replace(followed, is_mended=True))
