"""What every gateway can do for us: five verbs over frozen values, and what it declares.

A gateway knows no tables, no forms and no HTML. It is told an anonymous id, amounts, currency
and our reference, and nothing else about the customer. Each turns `Money` into what its vendor
wants, by the vendor's own table of currencies. What only some can do stands in `abilities`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing.core.lifecycle import ActionKind, DisputeStatus
from billing.core.money import Money


class GatewayError(Exception):
    """A gateway could not do what was asked."""


class GatewayUnavailableError(GatewayError):
    """No answer, or none to rely on: what was asked may have happened. Ask again, same key."""


class GatewayUnreachableError(GatewayUnavailableError):
    """It was not reached, or turned us away unheard: what was asked certainly did not happen."""


class GatewayRejectedError(GatewayError):
    """The gateway understood and refuses: asking again is useless, nothing happened."""


class BadSignatureError(GatewayError):
    """A notification that does not prove it comes from the gateway."""


@dataclass(frozen=True, slots=True)
class KindTerms:
    """How a gateway takes one kind of payment method.

    :param currencies: ISO 4217; None for all that the gateway takes.
    :param is_pushed: the payer sends each payment themselves (pix, a transfer), so that setting
        it up asks nothing of them.
    """

    currencies: frozenset[str] | None = None
    is_pushed: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway declares of itself; operators narrow it down by its route.

    :param title: its name for people.
    :param kinds: payment methods by their kind (`card`, `sepa_debit`, `pix`, `paypal`, …).
    :param currencies: ISO 4217; None for all.
    :param priority: where no operator has said another; the lowest is asked first.
    :param is_enabled: likewise, whether it is asked at all.
    :param is_told_by_hand: what it takes is recorded by operators, it tells nothing itself.
    """

    title: str
    kinds: Mapping[str, KindTerms]
    currencies: frozenset[str] | None = None
    priority: int = 50
    is_enabled: bool = True
    is_told_by_hand: bool = False


class ChargeStatus(StrEnum):
    """What a gateway says of a charge. ACTION_REQUIRED: the payer has to do something first."""

    SUCCEEDED = "SUCCEEDED"
    PROCESSING = "PROCESSING"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class Action:
    """What a payer has to do before a charge goes on.

    :param url: a page of the gateway's that helps; empty where there is none (yet).
    :param code: what is scanned or copied to pay.
    :param expires_at: after which the gateway gives it up by itself; None for never.
    """

    kind: ActionKind
    url: str = ""
    code: str = ""
    expires_at: datetime | None = None


class SetupStatus(StrEnum):
    """What a gateway says of setting a payment method up."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why not. `is_hard`: the same method will never work (lost, stolen, closed, expired).

    :param message: for people; holds no personal data.
    """

    code: str
    message: str
    is_hard: bool = False


@dataclass(frozen=True, slots=True)
class MethodDetails:
    """A payment method, redacted."""

    external_id: str
    kind: str
    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """Take money off-session.

    :param reference: ours; the gateway's idempotency key, the same on every repetition.
    :param is_repeated: whether it may have been sent before. Then the gateway looks for it first,
        for it may have forgotten the key by now.
    :param receipt_email: where the gateway mails a receipt to; empty unless the installation has
        allowed that.
    """

    reference: str
    amount: Money
    customer_external_id: str
    method_external_id: str
    method_kind: str = "card"
    is_repeated: bool = False
    receipt_email: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as the gateway has it now. `reference` is empty for one that is not ours."""

    reference: str
    external_id: str
    status: ChargeStatus
    decline: Decline | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give back all or part of a charge, to where it came from.

    :param reference: ours; the gateway's idempotency key, the same on every repetition.
    :param is_repeated: whether it may have been sent before, as with a charge.
    """

    reference: str
    charge_external_id: str
    amount: Money
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the gateway has it now."""

    reference: str
    external_id: str
    status: ChargeStatus
    decline: Decline | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A charge that the payer's bank contests, as the gateway has it now.

    While it is open, and once it is lost, the gateway holds the amount back.

    :param reason: the gateway's word for it.
    :param evidence_due_at: until when evidence is taken; None for no longer, or not at all.
    """

    external_id: str
    charge_external_id: str
    amount: Money
    status: DisputeStatus
    reason: str = ""
    evidence_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """Make a payment method chargeable later, without the customer.

    :param customer_external_id: what the gateway calls the customer; None the first time.
    :param token: the gateway's own token of a method; None to send the customer to its page.
    :param kind: which kind of method the page asks for; a token knows its own.
    """

    reference: str
    anonymous_id: str
    customer_external_id: str | None = None
    token: str | None = None
    kind: str = "card"
    success_url: str = ""
    cancel_url: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """A set-up as the gateway has it now. OPEN ones have the `url` of the gateway's page."""

    reference: str
    external_id: str
    status: SetupStatus
    customer_external_id: str
    url: str = ""
    method: MethodDetails | None = None
    decline: Decline | None = None


@dataclass(frozen=True, slots=True)
class MethodChange:
    """A payment method that the network or the gateway changed; None details: it is gone."""

    external_id: str
    details: MethodDetails | None


@dataclass(frozen=True, slots=True)
class Notification:
    """That something happened to one of the gateway's objects. Not believed: fetch the object."""

    event_id: str
    kind: str
    object_type: str
    object_id: str
    occurred_at: datetime


Fact = Charge | Refund | Dispute | Setup | MethodChange


class Gateway(Protocol):
    """A vendor. Every call may be repeated with the same reference and changes nothing then.

    Every verb but `parse_event` raises `GatewayUnavailableError` or `GatewayRejectedError`.
    """

    name: str
    capabilities: Capabilities

    def charge(self, request: ChargeRequest) -> Charge:
        """Take money; a decline is an answer, not an error."""
        ...

    def refund(self, request: RefundRequest) -> Refund:
        """Give money back."""
        ...

    def start_setup(self, request: SetupRequest) -> Setup:
        """Begin setting a method up: by token at once, else on the gateway's page."""
        ...

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """What one of the gateway's objects is now; None where it means nothing to us.

        The types `charge`, `refund`, `setup` and `dispute` are known to every gateway and take the
        `external_id` of our own values; other types are the gateway's own words, as its
        notifications use them.
        """
        ...

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify a notification over its raw bytes and read it.

        :raises BadSignatureError: if it is not the gateway's, too old, or unreadable.
        """
        ...
