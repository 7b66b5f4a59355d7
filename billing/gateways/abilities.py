"""What only some gateways can do, each in a protocol of its own.

A gateway has an ability by having its methods. Every one of them but `forget` raises
`GatewayUnavailableError` or `GatewayRejectedError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.core.money import Money
from billing.gateways.base import Charge, Dispute, Fact, Gateway


@runtime_checkable
class AsksPayer(Protocol):
    """Charges at it may wait for the payer."""

    def resume(self, charge_external_id: str, *, return_url: str) -> Charge:
        """The payer is here: go on, if need be on the gateway's page, which leads to the URL."""
        ...

    def withdraw(self, charge_external_id: str) -> Charge:
        """Let nobody pay it any more. What it is then: declined, or what came first."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A file that proves something. It is handed on and not kept."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an operator answers a dispute with. It tells the gateway what they put in it."""

    text: str = ""
    documents: tuple[Document, ...] = ()


@runtime_checkable
class TakesEvidence(Protocol):
    """Disputes at it can be answered."""

    def submit_evidence(self, dispute_external_id: str, evidence: Evidence) -> Dispute:
        """Answer a dispute, once and for all."""
        ...


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the gateway's account with us, in the currency that it settles in.

    :param amount: what it brought, before the fee; negative for what it took.
    :param fee: what the gateway kept of it, or charged by itself (then the amount is nothing);
        negative for a fee given back.
    :param source_external_id: the charge, refund, dispute or payout that it is about, as our rows
        name it; empty for what is about none.
    """

    external_id: str
    kind: MovementKind
    amount: Money
    fee: Money
    occurred_at: datetime
    source_external_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that the gateway sends to our bank."""

    external_id: str
    amount: Money
    status: PayoutStatus
    created_at: datetime
    arrives_at: datetime | None = None


@runtime_checkable
class ReportsMoney(Protocol):
    """It tells what it kept as fees, and what it paid out."""

    def movements(self, since: datetime) -> Iterator[Movement]:
        """The lines of its account with us, oldest first or not."""
        ...

    def payouts(self, since: datetime) -> Iterator[Payout]:
        """What it paid out."""
        ...

    def paid_out(self, payout_external_id: str) -> Iterator[Movement]:
        """The lines that make a payout up, without its own."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """It can be asked what happened, should its notifications have been lost."""

    def recall(self, since: datetime) -> Iterator[Fact]:
        """Charges, refunds, disputes and set-ups of ours begun since then, as they are now."""
        ...


@runtime_checkable
class KeepsCopies(Protocol):
    """Copies of its objects are kept here beside our tables."""

    def forget(self, customer_external_id: str) -> None:
        """Delete those of a customer. Asks nobody."""
        ...


ABILITIES: Final[Mapping[str, type]] = {
    "asks_payer": AsksPayer,
    "takes_evidence": TakesEvidence,
    "reports_money": ReportsMoney,
    "recalls": Recalls,
}


def abilities(gateway: Gateway) -> list[str]:
    """What a gateway can do beyond the five verbs, in words."""
    return [word for word, protocol in ABILITIES.items() if isinstance(gateway, protocol)]
