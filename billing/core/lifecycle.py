"""The state tables of subscriptions, invoices, disputes and payment attempts: what follows what.

The invoice's states and steps are those of seed 002 and `api.md`, section 6; `reopen` is ours, for
a payment that was allocated to the wrong invoice. A trigger holds the table to the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from billing.core.errors import ConflictError


class SubscriptionStatus(StrEnum):
    """INCOMPLETE: not begun, or its trial over, and waiting for a payment method."""

    INCOMPLETE = "INCOMPLETE"
    TRIALING = "TRIALING"
    ACTIVE = "ACTIVE"
    PAST_DUE = "PAST_DUE"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"


class InvoiceStatus(StrEnum):
    """The life of an invoice; DRAFT alone has no number and can still be edited."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    PAID = "PAID"
    CHARGED_WITH_ERROR = "CHARGED_WITH_ERROR"
    CANCELED = "CANCELED"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"
    REFUNDED = "REFUNDED"
    IN_PROTEST = "IN_PROTEST"
    CHARGEBACK = "CHARGEBACK"


class AttemptStatus(StrEnum):
    """The life of one charge at a gateway.

    CREATED: written down, not sent. SENDING: the call is under way, or its worker died in it.
    UNKNOWN: no answer came; it is asked about, never charged again under another key.
    PROCESSING: the gateway will tell later. ACTION_REQUIRED: the payer has to do something first.
    ABANDONED: it came to nothing, and that is no failure of the payer's.
    """

    CREATED = "CREATED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    PROCESSING = "PROCESSING"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


class DisputeStatus(StrEnum):
    """A contested payment: still open, or decided for us or for the customer."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class ActionKind(StrEnum):
    """What the payer is asked for.

    PAGE: to go to the gateway's page, which `resume` opens while they are there.
    CODE: to pay with a code, such as pix.
    TRANSFER: to send the money themselves, with our reference.
    """

    PAGE = "PAGE"
    CODE = "CODE"
    TRANSFER = "TRANSFER"


class MovementKind(StrEnum):
    """Why a gateway's account with us moved."""

    CHARGE = "CHARGE"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    PAYOUT = "PAYOUT"
    FEE = "FEE"
    OTHER = "OTHER"


class PayoutStatus(StrEnum):
    """Money on its way from a gateway to our bank."""

    PENDING = "PENDING"
    PAID = "PAID"
    FAILED = "FAILED"


OPEN_ATTEMPTS: Final = frozenset(
    {
        AttemptStatus.CREATED,
        AttemptStatus.SENDING,
        AttemptStatus.UNKNOWN,
        AttemptStatus.PROCESSING,
        AttemptStatus.ACTION_REQUIRED,
    }
)
# At the gateway, which has said what it waits for.
WAITING_ATTEMPTS: Final = frozenset({AttemptStatus.PROCESSING, AttemptStatus.ACTION_REQUIRED})
UNSENT_ATTEMPTS: Final = OPEN_ATTEMPTS - WAITING_ATTEMPTS
RUNNING: Final = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
LIVE: Final = RUNNING | {
    SubscriptionStatus.INCOMPLETE,
    SubscriptionStatus.TRIALING,
    SubscriptionStatus.PAUSED,
}
COLLECTIBLE: Final = frozenset({InvoiceStatus.PENDING, InvoiceStatus.CHARGED_WITH_ERROR})
# Paid, or what can follow upon that.
ONCE_PAID: Final = frozenset(
    {
        InvoiceStatus.PAID,
        InvoiceStatus.REFUNDED,
        InvoiceStatus.IN_PROTEST,
        InvoiceStatus.CHARGEBACK,
    }
)


@dataclass(frozen=True, slots=True)
class StateTable:
    """Steps by name: from which states each may be taken, and where it leads."""

    noun: str
    steps: Mapping[str, tuple[frozenset[str], str]]

    def after(self, state: str, step: str) -> str:
        """The state that follows.

        :raises ConflictError: if the step is forbidden in this state.
        """
        allowed, target = self.steps[step]
        if state not in allowed:
            raise ConflictError(
                f"Cannot {step.replace('_', ' ')}: the {self.noun} is {state.lower()}.",
                code="forbidden_transition",
            )
        return target

    def allows(self, state: str, step: str) -> bool:
        """Whether the step may be taken."""
        return state in self.steps[step][0]


def _step(*sources: str, to: str) -> tuple[frozenset[str], str]:
    return frozenset(sources), to


_S = SubscriptionStatus
SUBSCRIPTION: Final = StateTable(
    "subscription",
    {
        "activate": _step(_S.INCOMPLETE, _S.TRIALING, to=_S.ACTIVE),
        "wait_for_payment_method": _step(_S.TRIALING, to=_S.INCOMPLETE),
        "fall_past_due": _step(_S.ACTIVE, _S.PAST_DUE, to=_S.PAST_DUE),
        "recover": _step(_S.PAST_DUE, _S.ACTIVE, to=_S.ACTIVE),
        "pause": _step(*RUNNING, to=_S.PAUSED),
        "resume": _step(_S.PAUSED, to=_S.ACTIVE),
        "cancel": _step(*LIVE, to=_S.CANCELED),
    },
)

_I = InvoiceStatus
INVOICE: Final = StateTable(
    "invoice",
    {
        "finalize": _step(_I.DRAFT, to=_I.PENDING),
        "pay": _step(_I.PENDING, _I.CHARGED_WITH_ERROR, to=_I.PAID),
        "fail": _step(_I.PENDING, _I.CHARGED_WITH_ERROR, to=_I.CHARGED_WITH_ERROR),
        "write_off": _step(_I.CHARGED_WITH_ERROR, to=_I.UNCOLLECTIBLE),
        "cancel": _step(_I.DRAFT, _I.PENDING, _I.CHARGED_WITH_ERROR, to=_I.CANCELED),
        "refund": _step(_I.PAID, to=_I.REFUNDED),
        "contest": _step(_I.PAID, to=_I.IN_PROTEST),
        "lose": _step(_I.IN_PROTEST, to=_I.CHARGEBACK),
        "win": _step(_I.IN_PROTEST, to=_I.PAID),
        "reopen": _step(_I.PAID, to=_I.PENDING),
    },
)

_D = DisputeStatus
DISPUTE: Final = StateTable(
    "dispute", {"win": _step(_D.OPEN, to=_D.WON), "lose": _step(_D.OPEN, to=_D.LOST)}
)

_A = AttemptStatus
ATTEMPT: Final = StateTable(
    "payment attempt",
    {
        "send": _step(_A.CREATED, _A.SENDING, _A.UNKNOWN, to=_A.SENDING),
        "hold": _step(_A.SENDING, to=_A.CREATED),
        "lose_sight": _step(_A.SENDING, to=_A.UNKNOWN),
        "process": _step(*OPEN_ATTEMPTS, to=_A.PROCESSING),
        "ask_payer": _step(*OPEN_ATTEMPTS, to=_A.ACTION_REQUIRED),
        # A gateway may say so after we had given it up: what it took is never lost.
        "succeed": _step(*OPEN_ATTEMPTS, _A.FAILED, _A.ABANDONED, to=_A.SUCCEEDED),
        "fail": _step(*OPEN_ATTEMPTS, to=_A.FAILED),
        "come_back": _step(_A.SUCCEEDED, to=_A.PROCESSING),  # a refund that nobody took
        "abandon": _step(*OPEN_ATTEMPTS, to=_A.ABANDONED),
    },
)
