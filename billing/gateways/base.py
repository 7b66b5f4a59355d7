"""What every gateway can do for us: five verbs over frozen values, and two errors.

A gateway knows no tables, no forms and no HTML. It is told an anonymous id, amounts, currency
and our reference, and nothing else about the customer. Each turns `Money` into what its vendor
wants, by the vendor's own table of currencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing.core.lifecycle import DisputeStatus
from billing.core.money import Money


class GatewayError(Exception):
    """A gateway could not do what was asked."""


class GatewayUnavailableError(GatewayError):
    """No answer, or none to rely on: what was asked may have happened. Ask again, same key."""


class GatewayRejectedError(GatewayError):
    """The gateway understood and refuses: asking again is useless, nothing happened."""


class BadSignatureError(GatewayError):
    """A notification that does not prove it comes from the gateway."""


class ChargeStatus(StrEnum):
    """What a gateway says of a charge."""

    SUCCEEDED = "SUCCEEDED"
    PROCESSING = "PROCESSING"
    DECLINED = "DECLINED"


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
    """

    reference: str
    amount: Money
    customer_external_id: str
    method_external_id: str
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as the gateway has it now. `reference` is empty for one that is not ours."""

    reference: str
    external_id: str
    status: ChargeStatus
    decline: Decline | None = None


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
    """

    external_id: str
    charge_external_id: str
    amount: Money
    status: DisputeStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """Make a payment method chargeable later, without the customer.

    :param customer_external_id: what the gateway calls the customer; None the first time.
    :param token: the gateway's own token of a method; None to send the customer to its page.
    """

    reference: str
    anonymous_id: str
    customer_external_id: str | None = None
    token: str | None = None
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

    Every verb but `forget` and `parse_event` raises `GatewayUnavailableError` or
    `GatewayRejectedError`.
    """

    name: str

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
        """What one of the gateway's objects is now; None where it means nothing to us."""
        ...

    def forget(self, customer_external_id: str) -> None:
        """Delete what is kept here of the gateway's objects of a customer. Asks nobody."""
        ...

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify a notification over its raw bytes and read it.

        :raises BadSignatureError: if it is not the gateway's, too old, or unreadable.
        """
        ...
