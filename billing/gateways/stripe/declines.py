"""Which of Stripe's declines are final for the same payment method.

Source: https://docs.stripe.com/declines/codes, and the codes that Stripe's own Smart Retries never
retry (https://docs.stripe.com/billing/revenue-recovery/smart-retries), except
`authentication_required`: there the card is good and the customer has to be asked. A code that is
not listed is worth another attempt: giving up on one that Stripe adds would be the worse mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from billing.gateways.base import Decline

AUTHENTICATION_REQUIRED: Final = "authentication_required"

_UNKNOWN: Final = "generic_decline"
_CODE_LENGTH: Final = 64
_MESSAGE_LENGTH: Final = 500

_HARD: Final = frozenset(
    {
        # The number or date is wrong or has run out.
        "expired_card",
        "incorrect_number",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "new_account_information_available",
        # The card or account is gone, or is not to be used.
        "account_closed",
        "bank_account_restricted",
        "fraudulent",
        "highest_risk_level",
        "invalid_account",
        "invalid_account_number",
        "lost_card",
        "merchant_blacklist",
        "no_account",
        "pickup_card",
        "previously_declined_do_not_retry",
        "restricted_card",
        "stolen_card",
        # It cannot pay for this.
        "card_not_supported",
        "currency_not_supported",
        "testmode_decline",
        "transaction_not_allowed",
        # Its owner has forbidden it.
        "debit_not_authorized",
        "do_not_try_again",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stop_payment_order",
    }
)


def asks_payer(error: Mapping[str, Any]) -> bool:
    """Whether the bank only wants the card's owner to be there and prove themselves."""
    return AUTHENTICATION_REQUIRED in {error.get("code"), error.get("decline_code")}


# Where Stripe's sentence is meant for whoever writes the program.
_OURS: Final[Mapping[str, str]] = {
    AUTHENTICATION_REQUIRED: "The bank asks for a confirmation.",
    "payment_intent_authentication_failure": "The confirmation at the bank failed.",
    "setup_intent_authentication_failure": "The confirmation at the bank failed.",
    "payment_intent_payment_attempt_expired": "The time to pay has run out.",
    "payment_intent_payment_attempt_failed": "The bank did not make the payment.",
}


def decline(error: Mapping[str, Any] | None) -> Decline:
    """Why not, from Stripe's error object (or `last_payment_error`, `last_setup_error`).

    Where the card network itself says not to try again, that decides.
    """
    fields = error or {}
    code = str(fields.get("decline_code") or fields.get("code") or _UNKNOWN)
    message = _OURS.get(code) or str(fields.get("message") or "The payment method was declined.")
    is_hard = code in _HARD or fields.get("advice_code") == "do_not_try_again"
    return Decline(code[:_CODE_LENGTH], message[:_MESSAGE_LENGTH], is_hard)
