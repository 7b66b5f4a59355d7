"""What Stripe's account with us says: its lines, its fees, and what went to the bank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import stripe

from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.gateways.abilities import Movement, Payout
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import currencies, translate
from billing.gateways.stripe.translate import Fields

_DESCRIPTION: Final = 200

# https://docs.stripe.com/reports/reporting-categories
_KINDS: Final[Mapping[str, MovementKind]] = {
    "charge": MovementKind.CHARGE,
    "charge_failure": MovementKind.CHARGE,
    "partial_capture_reversal": MovementKind.CHARGE,
    "refund": MovementKind.REFUND,
    "refund_failure": MovementKind.REFUND,
    "dispute": MovementKind.DISPUTE,
    "dispute_reversal": MovementKind.DISPUTE,
    "payout": MovementKind.PAYOUT,
    "payout_reversal": MovementKind.PAYOUT,
    "fee": MovementKind.FEE,
    "network_cost": MovementKind.FEE,
    "tax": MovementKind.FEE,
}
_PAYOUTS: Final[Mapping[str, PayoutStatus]] = {
    "pending": PayoutStatus.PENDING,
    "in_transit": PayoutStatus.PENDING,
    "paid": PayoutStatus.PAID,
    "failed": PayoutStatus.FAILED,
    "canceled": PayoutStatus.FAILED,
}
# The objects that our rows know by their own ids; a charge is known by its intent's.
_NAMED: Final = frozenset({"refund", "dispute", "payout"})


def movements(client: stripe.StripeClient, since: datetime) -> Iterator[Movement]:
    """The balance transactions since then, newest first."""
    return _movements(client, created={"gte": int(since.timestamp())})


def payouts(client: stripe.StripeClient, since: datetime) -> Iterator[Payout]:
    """The payouts begun since then, newest first."""
    listed = clients.every(client.v1.payouts.list, created={"gte": int(since.timestamp())})
    return map(payout, listed)


def paid_out(client: stripe.StripeClient, payout_id: str) -> Iterator[Movement]:
    """What an automatic payout is made of.

    :raises GatewayRejectedError: for one that was ordered by hand: Stripe does not know that.
    """
    for found in _movements(client, payout=payout_id):
        if found.source_external_id != payout_id:
            yield found


def movement(fields: Fields) -> Movement:
    """A balance transaction, in the currency that Stripe settles in.

    One that is nothing but a fee has it as its amount at Stripe.
    """
    currency = fields["currency"]
    kind = _KINDS.get(fields["reporting_category"], MovementKind.OTHER)
    amount, fee = fields["amount"], fields["fee"]
    if kind is MovementKind.FEE:
        amount, fee = 0, fee - amount
    return Movement(
        external_id=fields["id"],
        kind=kind,
        amount=currencies.from_stripe(amount, currency),
        fee=currencies.from_stripe(fee, currency),
        occurred_at=translate.instant(fields["created"]),
        source_external_id=_source(fields.get("source")),
        description=str(fields.get("description") or "")[:_DESCRIPTION],
    )


def payout(fields: Fields) -> Payout:
    """A payout; negative where Stripe takes from our bank."""
    arrives = fields.get("arrival_date")
    return Payout(
        external_id=fields["id"],
        amount=currencies.from_stripe(fields["amount"], fields["currency"]),
        status=_PAYOUTS.get(fields["status"], PayoutStatus.PENDING),
        created_at=translate.instant(fields["created"]),
        arrives_at=translate.instant(arrives) if arrives else None,
    )


def _movements(client: stripe.StripeClient, **which: Any) -> Iterator[Movement]:
    listed = clients.every(client.v1.balance_transactions.list, expand=["data.source"], **which)
    return map(movement, listed)


def _source(source: Any) -> str:
    """What our rows call what a line is about; empty for what they do not know."""
    if not isinstance(source, Mapping):
        return ""
    if source.get("object") == "charge":
        return translate.id_of(source.get("payment_intent")) or str(source["id"])
    return str(source["id"]) if source.get("object") in _NAMED else ""
