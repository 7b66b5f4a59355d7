"""Rows of credit: what is drawn from grants and given back to them, in the core's order.

In transactions of the callers', who hold the locks on the customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.core import drawing
from billing.core.drawing import Part, Rank
from billing.core.money import Money
from billing.models import BillingPeriod, CreditDraw, CreditGrant, Invoice, bulk
from billing.models.credit import DrawKind

Purses = defaultdict[tuple[UUID, str], list[CreditGrant]]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What credit is drawn for."""

    kind: DrawKind
    invoice: Invoice | None = None
    period: BillingPeriod | None = None
    by: str = ""


def usable(customer_ids: Sequence[UUID], *, now: datetime) -> Purses:
    """(Customer, currency) → the grants in force, in the order they are drawn."""
    found: Purses = defaultdict(list)
    if customer_ids:
        for grant in CreditGrant.objects.usable(now).filter(customer__in=customer_ids):
            found[grant.customer_id, grant.currency].append(grant)
    for grants in found.values():
        grants.sort(key=_order)
    return found


def draw(
    grants: Sequence[CreditGrant], wanted: Money, purpose: Purpose, *, now: datetime
) -> list[CreditDraw]:
    """Take from grants until it is enough or nothing is left; `put` stores it."""
    left = [Part(place, grant.remaining_minor) for place, grant in enumerate(grants)]
    parts = drawing.draw(left, wanted.minor)
    return [_drawn(grants[part.grant], part.minor, purpose, now) for part in parts]


def give_back(
    draws: Sequence[CreditDraw], wanted: Money, purpose: Purpose, *, now: datetime
) -> list[CreditDraw]:
    """Undo draws, the newest first, as far as they go; `put` stores it.

    :param draws: in the order they were stored, with their grants.
    """
    grants = {draw.grant_id: draw.grant for draw in draws}
    drawn = [Part(draw.grant_id, draw.amount_minor) for draw in draws]
    parts = drawing.give_back(drawn, wanted.minor)
    return [_drawn(grants[part.grant], -part.minor, purpose, now) for part in parts]


def put(draws: Sequence[CreditDraw]) -> None:
    """Store draws, and what is left of their grants."""
    bulk.insert(draws)
    grants = {draw.grant_id: draw.grant for draw in draws}
    bulk.update(list(grants.values()), "remaining_minor")


def total(draws: Sequence[CreditDraw], currency: str) -> Money:
    """What they take together."""
    return Money(sum(draw.amount_minor for draw in draws), currency)


def said(draws: Sequence[CreditDraw]) -> list[dict[str, Any]]:
    """What a fact says of them."""
    return [
        {
            "grant": str(draw.grant_id),
            "kind": draw.grant.kind,
            "amount": str(Money(draw.amount_minor, draw.grant.currency)),
        }
        for draw in draws
    ]


def _drawn(grant: CreditGrant, minor: int, purpose: Purpose, now: datetime) -> CreditDraw:
    grant.remaining_minor -= minor
    return CreditDraw(
        grant=grant,
        kind=purpose.kind,
        amount_minor=minor,
        invoice=purpose.invoice,
        billing_period=purpose.period,
        created_by=purpose.by,
        created_at=now,
    )


def _order(grant: CreditGrant) -> tuple[Any, ...]:
    return Rank(grant.expires_at, grant.priority, grant.effective_at, str(grant.pk)).order
