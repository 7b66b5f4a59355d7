"""Customers send the money themselves, and operators record what arrives.

Nobody is called. A charge gives instructions and waits; what arrives is recorded as a payment,
and matched by the reference that the invoice names (`services/incoming`). Identifiers hold all
there is to know, so that every repetition gives the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from billing.core.lifecycle import ActionKind
from billing.gateways.base import (
    Action,
    BadSignatureError,
    Capabilities,
    Charge,
    ChargeRequest,
    ChargeStatus,
    Decline,
    Fact,
    GatewayRejectedError,
    KindTerms,
    MethodChange,
    MethodDetails,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
    SetupStatus,
)

KIND: Final = "bank_transfer"
_WITHDRAWN: Final = Decline("withdrawn", "The transfer is not awaited any more.")


class BankTransferGateway:
    """An account at a bank. Switched off until an operator switches it on."""

    name = "bank_transfer"
    capabilities = Capabilities(
        "Bank transfer",
        {KIND: KindTerms(is_pushed=True)},
        priority=70,
        is_enabled=False,
        is_told_by_hand=True,
    )

    def charge(self, request: ChargeRequest) -> Charge:
        """Ask the payer for a transfer."""
        return _asked(request.reference)

    def refund(self, request: RefundRequest) -> Refund:
        """What came by transfer goes back by a transfer that an operator makes."""
        raise GatewayRejectedError("A transfer is paid back by hand.")

    def start_setup(self, request: SetupRequest) -> Setup:
        """There is nothing to set up."""
        return _set_up(request.anonymous_id, request.reference)

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """Nobody could tell more than the identifier does."""
        kind, _, rest = object_id.partition(":")
        if not rest:
            return None
        if (object_type, kind) == ("charge", "transfer"):
            return _asked(rest)
        if (object_type, kind) == ("setup", "setup"):
            anonymous_id, _, reference = rest.partition(":")
            return _set_up(anonymous_id, reference)
        if (object_type, kind) == ("payment_method", "payer"):
            return MethodChange(object_id, MethodDetails(object_id, KIND))
        return None

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> NoReturn:
        """A bank tells us nothing here."""
        raise BadSignatureError("Nobody tells us about transfers.")

    def resume(self, charge_external_id: str, *, return_url: str) -> Charge:
        """The instructions are all there is."""
        return _asked(_reference(charge_external_id))

    def withdraw(self, charge_external_id: str) -> Charge:
        """Stop waiting; should it arrive all the same, it is recorded like any other."""
        reference = _reference(charge_external_id)
        return Charge(reference, charge_external_id, ChargeStatus.DECLINED, _WITHDRAWN)


def build() -> BankTransferGateway:
    """Always: it needs nothing."""
    return BankTransferGateway()


def _asked(reference: str) -> Charge:
    action = Action(ActionKind.TRANSFER)
    return Charge(reference, f"transfer:{reference}", ChargeStatus.ACTION_REQUIRED, action=action)


def _set_up(anonymous_id: str, reference: str) -> Setup:
    return Setup(
        reference=reference,
        external_id=f"setup:{anonymous_id}:{reference}",
        status=SetupStatus.COMPLETED,
        customer_external_id=anonymous_id,
        method=MethodDetails(f"payer:{anonymous_id}", KIND),
    )


def _reference(external_id: str) -> str:
    kind, _, reference = external_id.partition(":")
    if kind != "transfer" or not reference:
        raise GatewayRejectedError("There is no such transfer.")
    return reference
