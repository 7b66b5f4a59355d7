"""A gateway without a vendor: in this process, without storage, its outcomes decided by tokens.

Identifiers hold all there is to know (`ch.tok_ok.<reference>`), so `fetch` answers from them alone
and every repetition gives the same answer. For the same reason it keeps no balance: it would
refund a charge twice under two references. Never offer it to people who pay.

| token | setting up | charging |
| --- | --- | --- |
| `tok_ok` | completes | succeeds |
| `tok_declined`, `tok_insufficient_funds` | completes | declined, worth another try |
| `tok_expired` | completes | declined for good |
| `tok_processing` | completes | processing; by the time it is fetched it succeeded |
| `tok_processing_declined` | completes | processing; by the time it is fetched it was declined |
| `tok_action` | completes | asks the payer, who succeeds; declined if it is withdrawn first |
| `tok_unavailable` | completes | `GatewayUnavailableError` |
| `tok_unreachable` | completes | `GatewayUnreachableError` |
| `tok_rejected` | completes | `GatewayRejectedError` |
| `tok_setup_declined` | declined | |

These are charged well, and differ when the charge is refunded:

| token | refunding |
| --- | --- |
| `tok_refund_declined` | declined |
| `tok_refund_processing` | processing; by the time it is fetched it succeeded |
| `tok_refund_processing_declined` | processing; by the time it is fetched it was declined |
| `tok_refund_unavailable` | `GatewayUnavailableError` |
| `tok_refund_rejected` | `GatewayRejectedError` |

Whoever has a charge's identifier can have it disputed: `disputed` makes the dispute's.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

from billing import clock
from billing.core.errors import InvalidError
from billing.core.lifecycle import ActionKind, DisputeStatus
from billing.core.money import Money
from billing.gateways.base import (
    Action,
    BadSignatureError,
    Capabilities,
    Charge,
    ChargeRequest,
    ChargeStatus,
    Decline,
    Dispute,
    Fact,
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
    KindTerms,
    MethodChange,
    MethodDetails,
    Notification,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
    SetupStatus,
)

SIGNATURE_HEADER: Final = "Sandbox-Signature"
TOLERANCE: Final = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a token does: when charged, when asked about later, and the card it looks like."""

    status: ChargeStatus = ChargeStatus.SUCCEEDED
    later: ChargeStatus | None = None
    decline: Decline | None = None
    last4: str = "4242"


_DECLINED: Final = Decline("card_declined", "The card was declined.")
_WITHDRAWN: Final = Decline("withdrawn", "The charge was withdrawn before it was paid.")
_ASKED: Final = Action(ActionKind.PAGE)
_OUTCOMES: Final[Mapping[str, _Outcome]] = {
    "tok_ok": _Outcome(),
    "tok_declined": _Outcome(ChargeStatus.DECLINED, decline=_DECLINED, last4="0002"),
    "tok_insufficient_funds": _Outcome(
        ChargeStatus.DECLINED,
        decline=Decline("insufficient_funds", "The card has insufficient funds."),
        last4="9995",
    ),
    "tok_expired": _Outcome(
        ChargeStatus.DECLINED,
        decline=Decline("expired_card", "The card has expired.", is_hard=True),
        last4="0069",
    ),
    "tok_processing": _Outcome(ChargeStatus.PROCESSING, later=ChargeStatus.SUCCEEDED, last4="3000"),
    "tok_processing_declined": _Outcome(
        ChargeStatus.PROCESSING, later=ChargeStatus.DECLINED, decline=_DECLINED, last4="3019"
    ),
    "tok_action": _Outcome(
        ChargeStatus.ACTION_REQUIRED, later=ChargeStatus.ACTION_REQUIRED, last4="3184"
    ),
    "tok_unavailable": _Outcome(last4="5003"),
    "tok_unreachable": _Outcome(last4="5003"),
    "tok_rejected": _Outcome(last4="4000"),
    "tok_setup_declined": _Outcome(last4="0341"),
    "tok_refund_declined": _Outcome(last4="5126"),
    "tok_refund_processing": _Outcome(last4="7726"),
    "tok_refund_processing_declined": _Outcome(last4="5126"),
    "tok_refund_unavailable": _Outcome(last4="5003"),
    "tok_refund_rejected": _Outcome(last4="4000"),
}
_NOT_REFUNDED: Final = Decline("declined", "The card's bank did not take the refund.")
_REFUNDS: Final[Mapping[str, _Outcome]] = {
    "tok_refund_declined": _Outcome(ChargeStatus.DECLINED, decline=_NOT_REFUNDED),
    "tok_refund_processing": _Outcome(ChargeStatus.PROCESSING, later=ChargeStatus.SUCCEEDED),
    "tok_refund_processing_declined": _Outcome(
        ChargeStatus.PROCESSING, later=ChargeStatus.DECLINED, decline=_NOT_REFUNDED
    ),
}


class SandboxGateway:
    """The gateway for tests, simulations and a first look."""

    name = "sandbox"
    capabilities = Capabilities("Sandbox", {"card": KindTerms()}, priority=90)

    def charge(self, request: ChargeRequest) -> Charge:
        """Do what the method's token says; a bare token will do for a method."""
        token = _token(request.method_external_id)
        if token == "tok_unavailable":  # noqa: S105  # not a secret
            raise GatewayUnavailableError("The sandbox does not answer for this token.")
        if token == "tok_unreachable":  # noqa: S105
            raise GatewayUnreachableError("The sandbox cannot be reached with this token.")
        if token == "tok_rejected":  # noqa: S105
            raise GatewayRejectedError("The sandbox refuses this token.")
        return _charge(token, request.reference, _OUTCOMES[token].status)

    def refund(self, request: RefundRequest) -> Refund:
        """Do what the charge's token says; nothing comes back of one that took no money."""
        _, token, _ = _split(request.charge_external_id, "ch", 3)
        outcome = _OUTCOMES[token]
        if ChargeStatus.SUCCEEDED not in {outcome.status, outcome.later}:
            raise GatewayRejectedError("There is nothing to refund: the charge took no money.")
        if token == "tok_refund_unavailable":  # noqa: S105  # not a secret
            raise GatewayUnavailableError("The sandbox does not answer for this token.")
        if token == "tok_refund_rejected":  # noqa: S105
            raise GatewayRejectedError("The sandbox refuses this token.")
        return _refund(token, request.reference, _REFUNDS.get(token, _Outcome()).status)

    def start_setup(self, request: SetupRequest) -> Setup:
        """There is no page to send anybody to: without a token it completes with a good method."""
        token = _known(request.token or "tok_ok")
        customer = request.customer_external_id or f"cus.{request.anonymous_id}"
        return _setup(token, customer, request.reference)

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """Read what happened out of the identifier; None for one that is not the sandbox's."""
        try:
            return _fetch(object_type, object_id)
        except GatewayRejectedError:
            return None

    def resume(self, charge_external_id: str, *, return_url: str) -> Charge:
        """The payer has nothing to do but be there: it succeeds."""
        _, token, reference = _split(charge_external_id, "ch", 3)
        return _charge(token, reference, ChargeStatus.SUCCEEDED)

    def withdraw(self, charge_external_id: str) -> Charge:
        """Nothing is kept, so that whoever withdraws it comes first."""
        _, _, reference = _split(charge_external_id, "ch", 3)
        return Charge(reference, charge_external_id, ChargeStatus.DECLINED, _WITHDRAWN)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify and read what `signed_notification` made."""
        given = next((v for k, v in headers.items() if k.lower() == SIGNATURE_HEADER.lower()), "")
        if not hmac.compare_digest(sign(body).encode(), given.encode()):
            raise BadSignatureError("The sandbox's signature does not match.")
        notification = _read(body)
        if abs(clock.now() - notification.occurred_at) > TOLERANCE:
            raise BadSignatureError("The sandbox's notification is too old.")
        return notification


def disputed(charge_external_id: str, amount: Money, status: DisputeStatus) -> str:
    """The identifier by which `fetch` tells of a dispute over a charge in that state."""
    return f"dp.{status}.{amount.minor}.{amount.currency}.{charge_external_id}"


def sign(body: bytes) -> str:
    """The signature that proves a body to be the sandbox's: HMAC-SHA256 under the secret key."""
    return salted_hmac("billing.gateways.sandbox", body, algorithm="sha256").hexdigest()


def signed_notification(notification: Notification) -> tuple[bytes, dict[str, str]]:
    """The body and headers by which the sandbox would tell us of this."""
    body = json.dumps(
        {
            "id": notification.event_id,
            "kind": notification.kind,
            "object_type": notification.object_type,
            "object_id": notification.object_id,
            "occurred_at": notification.occurred_at.isoformat(),
        }
    ).encode()
    return body, {SIGNATURE_HEADER: sign(body)}


def _read(body: bytes) -> Notification:
    try:
        fields = json.loads(body)
        return Notification(
            event_id=str(fields["id"]),
            kind=str(fields["kind"]),
            object_type=str(fields["object_type"]),
            object_id=str(fields["object_id"]),
            occurred_at=datetime.fromisoformat(fields["occurred_at"]),
        )
    except (ValueError, KeyError, TypeError):
        raise BadSignatureError("The sandbox's notification cannot be read.") from None


def _fetch(object_type: str, object_id: str) -> Fact | None:
    if object_type == "charge":
        _, token, reference = _split(object_id, "ch", 3)
        outcome = _OUTCOMES[token]
        return _charge(token, reference, outcome.later or outcome.status)
    if object_type == "refund":
        _, token, reference = _split(object_id, "re", 3)
        told = _REFUNDS.get(token, _Outcome())
        return _refund(token, reference, told.later or told.status)
    if object_type == "dispute":
        return _dispute(object_id)
    if object_type == "setup":
        _, token, customer, reference = _split(object_id, "seti", 4)
        return _setup(token, customer.replace(":", "."), reference)
    if object_type == "payment_method":
        return MethodChange(object_id, _method(object_id))
    return None


def _charge(token: str, reference: str, status: ChargeStatus) -> Charge:
    decline = _OUTCOMES[token].decline if status is ChargeStatus.DECLINED else None
    action = _ASKED if status is ChargeStatus.ACTION_REQUIRED else None
    return Charge(reference, f"ch.{token}.{reference}", status, decline, action)


def _refund(token: str, reference: str, status: ChargeStatus) -> Refund:
    told = _REFUNDS.get(token, _Outcome())
    decline = told.decline if status is ChargeStatus.DECLINED else None
    return Refund(reference, f"re.{token}.{reference}", status, decline)


def _dispute(object_id: str) -> Dispute:
    found = object_id.split(".", 4)
    if len(found) != 5 or found[0] != "dp" or found[1] not in set(DisputeStatus):
        raise GatewayRejectedError("The sandbox has no such object.")
    _, status, minor, currency, charge = found
    _split(charge, "ch", 3)
    try:
        amount = Money(int(minor), currency)
    except (ValueError, InvalidError):
        raise GatewayRejectedError("The sandbox has no such object.") from None
    return Dispute(f"dp.{charge}", charge, amount, DisputeStatus(status), "fraudulent")


def _setup(token: str, customer: str, reference: str) -> Setup:
    is_declined = token == "tok_setup_declined"  # noqa: S105
    return Setup(
        reference=reference,
        external_id=f"seti.{token}.{customer.replace('.', ':')}.{reference}",
        status=SetupStatus.DECLINED if is_declined else SetupStatus.COMPLETED,
        customer_external_id=customer,
        method=None if is_declined else _method(f"pm.{token}.{reference}"),
        decline=_DECLINED if is_declined else None,
    )


def _method(external_id: str) -> MethodDetails:
    token = _token(external_id)
    exp_year = 2020 if token == "tok_expired" else 2040  # noqa: S105
    return MethodDetails(external_id, "card", "visa", _OUTCOMES[token].last4, 12, exp_year)


def _token(method_external_id: str) -> str:
    if method_external_id in _OUTCOMES:
        return method_external_id
    return _split(method_external_id, "pm", 3)[1]


def _split(external_id: str, prefix: str, parts: int) -> list[str]:
    found = external_id.split(".", parts - 1)
    if len(found) != parts or found[0] != prefix:
        raise GatewayRejectedError("The sandbox has no such object.")
    _known(found[1])
    return found


def _known(token: str) -> str:
    if token not in _OUTCOMES:
        raise GatewayRejectedError("The sandbox has no such token.")
    return token


def build() -> SandboxGateway | None:
    """Only in sandboxes: it takes no money, so nobody may pay with it."""
    return SandboxGateway() if settings.TEST_CLOCKS else None
