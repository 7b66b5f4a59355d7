"""What gateways kept and paid out: their own account with us, taken over line by line.

Each line is known once. Its fee is posted when it is first seen, and so is a payout.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar

from django.db import transaction

from billing.core import postings
from billing.core.errors import ConflictError
from billing.core.lifecycle import PayoutStatus
from billing.core.postings import Postings
from billing.gateways import registry
from billing.gateways.abilities import Movement, Payout, ReportsMoney
from billing.gateways.base import Gateway, GatewayRejectedError
from billing.models import GatewayMovement, GatewayPayout
from billing.services import calling, journal
from billing.services.calling import Question

logger = logging.getLogger(__name__)

_Line = TypeVar("_Line", Movement, Payout)

_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """How much was new."""

    movements: int
    payouts: int


def reporting() -> list[str]:
    """The gateways that tell what they kept and paid out."""
    return [name for name, it in registry.offered().items() if isinstance(it, ReportsMoney)]


def take_over(gateway: str, *, since: datetime, now: datetime) -> Taken:
    """Take over what is new of a gateway's account since then. Again is the same as once.

    :raises ConflictError: if the gateway does not tell.
    :raises GatewayUnavailableError: if it does not answer; what was taken over stays.
    """
    vendor = registry.get(gateway)
    if not isinstance(vendor, ReportsMoney):
        raise ConflictError(f"{gateway} does not tell what it keeps.", code="not_reported")
    movements = payouts = 0
    for chunk in _read(gateway, vendor.movements(since), now=now):
        movements += _take_movements(gateway, chunk, None, now=now)
    for payout in [one for part in _read(gateway, vendor.payouts(since), now=now) for one in part]:
        row, is_new = _take_payout(gateway, payout, now=now)
        payouts += is_new
        if not row.movements.exists():
            movements += _take_made_up_of(gateway, vendor, row, now=now)
    return Taken(movements, payouts)


def _take_made_up_of(
    gateway: str, vendor: ReportsMoney, payout: GatewayPayout, *, now: datetime
) -> int:
    """The lines of a payout; of one that was ordered by hand, some vendors do not know them."""
    taken = 0
    try:
        for chunk in _read(gateway, vendor.paid_out(payout.external_id), now=now):
            taken += _take_movements(gateway, chunk, payout, now=now)
    except GatewayRejectedError:
        logger.info("%s does not say what payout %s is made of.", gateway, payout.external_id)
    return taken


def _read(gateway: str, lines: Iterator[_Line], *, now: datetime) -> Iterator[Sequence[_Line]]:
    """By the page, each through the breaker."""

    def page(_gateway: Gateway) -> Sequence[_Line]:
        return list(islice(lines, _CHUNK))

    while chunk := calling.ask(Question(gateway, "report"), page, now=now):
        yield chunk


@transaction.atomic(durable=True)
def _take_movements(
    gateway: str, lines: Sequence[Movement], payout: GatewayPayout | None, *, now: datetime
) -> int:
    """Store those that are new, with their fees; all belong to the payout, if one is named."""
    rows = [
        GatewayMovement(
            gateway=gateway,
            external_id=line.external_id,
            kind=line.kind,
            amount_minor=line.amount.minor,
            fee_minor=line.fee.minor,
            currency=line.amount.currency,
            source_external_id=line.source_external_id,
            description=line.description[:255],
            occurred_at=line.occurred_at,
        )
        for line in lines
    ]
    GatewayMovement.objects.bulk_create(rows, ignore_conflicts=True)
    stored = GatewayMovement.objects.filter(
        gateway=gateway, external_id__in=[line.external_id for line in lines]
    )
    new = list(stored.filter(pk__in=[row.pk for row in rows]))
    if payout is not None:
        stored.update(payout=payout)
    journal.post(*(_fee(row, now=now) for row in new if row.fee_minor))
    return len(new)


@transaction.atomic(durable=True)
def _take_payout(gateway: str, payout: Payout, *, now: datetime) -> tuple[GatewayPayout, bool]:
    row, is_new = GatewayPayout.objects.get_or_create(
        gateway=gateway,
        external_id=payout.external_id,
        defaults={
            "amount_minor": payout.amount.minor,
            "currency": payout.amount.currency,
            "status": payout.status,
            "created_at": payout.created_at,
            "arrives_at": payout.arrives_at,
        },
    )
    if is_new:
        posted = postings.payout_sent(row.amount, gateway=gateway)
        journal.post(_paid_out("PAYOUT_SENT", row, posted, now=now))
    has_failed = payout.status == PayoutStatus.FAILED
    if has_failed and (is_new or row.status != PayoutStatus.FAILED):
        posted = postings.payout_failed(row.amount, gateway=gateway)
        journal.post(_paid_out("PAYOUT_FAILED", row, posted, now=now))
    row.status, row.arrives_at = payout.status, payout.arrives_at
    row.save(update_fields=["status", "arrives_at"])
    return row, is_new


def _fee(row: GatewayMovement, *, now: datetime) -> journal.Fact:
    return journal.Fact(
        kind="FEE_CHARGED",
        key=f"movement:{row.pk}:fee",
        customer_id=None,
        occurred_at=now,
        context={
            "gateway": row.gateway,
            "external_id": row.external_id,
            "about": row.source_external_id,
            "fee": str(row.fee),
            "charged_at": row.occurred_at.isoformat(),
        },
        postings=postings.fee_charged(row.fee, gateway=row.gateway),
    )


def _paid_out(kind: str, row: GatewayPayout, posted: Postings, *, now: datetime) -> journal.Fact:
    return journal.Fact(
        kind=kind,
        key=f"payout:{row.pk}:{kind.lower()}",
        customer_id=None,
        occurred_at=now,
        context={
            "gateway": row.gateway,
            "external_id": row.external_id,
            "amount": str(row.amount),
        },
        postings=posted,
        source_kind="payout",
        source_id=row.pk,
    )
