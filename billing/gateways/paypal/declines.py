"""Which of PayPal's refusals are declines, and which of those are final for the same method.

Source: the issues of `422` in PayPal's published definition of Orders v2 (`checkout_orders_v2` in
https://github.com/paypal/paypal-rest-api-specifications) for creating and capturing orders, and
the processor's response codes there and in the documentation of PayPal's server SDK. Every issue
that is not listed here is a fault of the request and no decline. A code that is not listed is
worth another attempt: giving up on one that PayPal adds would be the worse mistake.

That the seller's own account is limited or blocks the payment says nothing about the payer's: such
declines are never hard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from billing.gateways.base import Decline
from billing.gateways.paypal.client import Fields

PAYER_ACTION: Final = "PAYER_ACTION_REQUIRED"
_UNKNOWN: Final = "DECLINED"
_SENTENCE: Final = "PayPal declined the payment."
_GONE: Final = "The agreement with PayPal is over. It has to be set up again."

_HARD: Final[Mapping[str, str]] = {
    "AGREEMENT_ALREADY_CANCELLED": _GONE,
    "BILLING_AGREEMENT_NOT_FOUND": _GONE,
    "TOKEN_EXPIRED": _GONE,
    "TOKEN_ID_NOT_FOUND": _GONE,
    "COMPLIANCE_VIOLATION": "PayPal may not take this payment.",
    "DOMESTIC_TRANSACTION_REQUIRED": "PayPal takes this only within one country.",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": "The PayPal account is locked or closed.",
}
_SOFT: Final[Mapping[str, str]] = {
    "CARD_EXPIRED": "The card behind the PayPal account has expired.",
    "INSTRUMENT_DECLINED": "The card or bank behind the PayPal account declined.",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "PayPal was asked too often for this payment.",
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": "The seller's PayPal account is locked or closed.",
    "PAYEE_ACCOUNT_RESTRICTED": "The seller's PayPal account is restricted.",
    "PAYEE_BLOCKED_TRANSACTION": "The seller's settings at PayPal block this payment.",
    "PAYER_ACCOUNT_RESTRICTED": "The PayPal account is restricted.",
    PAYER_ACTION: "PayPal wants the payer to be there.",
    "PAYER_CANNOT_PAY": "PayPal does not let this account pay.",
    "PAYMENT_SOURCE_CANNOT_BE_USED": "The PayPal account cannot pay for this.",
    "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR": "The bank behind the PayPal account declined.",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": "The payer has to choose another source at PayPal.",
    "REFERENCED_CARD_EXPIRED": "The card behind the PayPal account has expired.",
    "TRANSACTION_BLOCKED_BY_PAYEE": "The seller's settings at PayPal block this payment.",
    "TRANSACTION_LIMIT_EXCEEDED": "The amount is above a limit at PayPal.",
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": "The seller may not receive that much at PayPal.",
    "TRANSACTION_REFUSED": _SENTENCE,
}
# 5140 card closed, 5150 pick up, 5180 restricted, 9500 fraud, 9510 security violation, 9520 lost
# or stolen, PP06 account closed, PPAB blocked by the issuer, PPRN no further attempt is permitted.
# An expired card (5400) is not among them: the account behind which it stands may have another.
_HARD_PROCESSOR: Final = frozenset(
    {"5140", "5150", "5180", "9500", "9510", "9520", "PP06", "PPAB", "PPRN"}
)


def is_decline(issue: str) -> bool:
    """Whether an issue says that the payment was declined, rather than that it makes no sense."""
    return issue in _HARD or issue in _SOFT


def by_issue(issue: str) -> Decline:
    """Why not, from the issue that PayPal refuses a payment with."""
    if issue in _HARD:
        return Decline(issue, _HARD[issue], is_hard=True)
    return Decline(issue or _UNKNOWN, _SOFT.get(issue, _SENTENCE))


def of_capture(capture: Fields) -> Decline:
    """Why not, from a capture that took nothing."""
    processor = (capture.get("processor_response") or {}).get("response_code")
    if processor:
        return Decline(str(processor), _SENTENCE, is_hard=processor in _HARD_PROCESSOR)
    reason = (capture.get("status_details") or {}).get("reason")
    return Decline(str(reason or capture.get("status") or _UNKNOWN), _SENTENCE)
