"""Stripe's published test cards: their numbers, their ready-made ids, and how each behaves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

from stripe_sandbox.payments import declines
from stripe_sandbox.payments.declines import Decline


class Challenge(Enum):
    """When a card asks its holder to prove themselves (3-D Secure)."""

    NEVER = "never"
    UNLESS_SET_UP = "unless set up"
    WHEN_PRESENT = "when present, having been set up elsewhere"
    ALWAYS = "always"


@dataclass(frozen=True)
class TestCard:
    """One published card.

    `at_once` refuses it wherever it is used; `when_charged` lets it be saved and refuses each
    charge.
    """

    name: str
    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    at_once: Decline | None = None
    when_charged: Decline | None = None
    challenge: Challenge = Challenge.NEVER
    disputed: str | None = None
    refund: str = "succeeded"
    alias: str | None = None

    @property
    def last4(self) -> str:
        """The only digits that are ever told."""
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same for the same number, and nothing of it."""
        return hashlib.sha256(f"test card {self.number}".encode()).hexdigest()[:16]


_BRANDS = (
    TestCard("visa", "4242424242424242"),
    TestCard("visa_debit", "4000056655665556", funding="debit"),
    TestCard("mastercard", "5555555555554444", "mastercard"),
    TestCard("mastercard_2series", "2223003122003222", "mastercard"),
    TestCard("mastercard_debit", "5200828282828210", "mastercard", "debit"),
    TestCard("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid"),
    TestCard("amex", "378282246310005", "amex"),
    TestCard("amex_2", "371449635398431", "amex"),
    TestCard("discover", "6011111111111117", "discover"),
    TestCard("discover_2", "6011000990139424", "discover"),
    TestCard("diners", "3056930009020004", "diners"),
    TestCard("diners_14digits", "36227206271667", "diners"),
    TestCard("jcb", "3566002020360505", "jcb"),
    TestCard("unionpay", "6200000000000005", "unionpay"),
)
_COUNTRIES = tuple(
    TestCard(country.lower(), number, country=country, alias=country.lower())
    for country, number in {
        "US": "4242424242424242",
        "AR": "4000000320000021",
        "BR": "4000000760000002",
        "CA": "4000001240000000",
        "MX": "4000004840008001",
        "AT": "4000000400000008",
        "BE": "4000000560000004",
        "CH": "4000007560000009",
        "DE": "4000002760000016",
        "DK": "4000002080000001",
        "ES": "4000007240000007",
        "FR": "4000002500000003",
        "GB": "4000008260000000",
        "IE": "4000003720000005",
        "IT": "4000003800000008",
        "NL": "4000005280000002",
        "PL": "4000006160000005",
        "PT": "4000006200000007",
        "SE": "4000007520000008",
        "CZ": "4000002030000002",
        "EE": "4000002330000009",
        "FI": "4000002460000001",
        "GR": "4000003000000030",
        "HU": "4000003480000005",
        "NO": "4000005780000007",
        "AU": "4000000360000006",
        "CN": "4000001560000002",
        "HK": "4000003440000004",
        "MY": "4000004580000002",
        "NZ": "4000005540000008",
        "IN": "4000003560000008",
        "JP": "4000003920000003",
        "SG": "4000007020000003",
    }.items()
)
_DECLINED = tuple(
    TestCard(f"visa_{name}", number, at_once=decline, alias=name)
    for name, number, decline in (
        ("chargeDeclined", "4000000000000002", declines.GENERIC),
        ("chargeDeclinedInsufficientFunds", "4000000000009995", declines.INSUFFICIENT_FUNDS),
        ("chargeDeclinedLostCard", "4000000000009987", declines.LOST),
        ("chargeDeclinedStolenCard", "4000000000009979", declines.STOLEN),
        ("chargeDeclinedVelocityLimitExceeded", "4000000000006975", declines.VELOCITY),
        ("chargeDeclinedExpiredCard", "4000000000000069", declines.EXPIRED),
        ("chargeDeclinedIncorrectCvc", "4000000000000127", declines.INCORRECT_CVC),
        ("chargeDeclinedProcessingError", "4000000000000119", declines.PROCESSING),
    )
)
_SPECIAL = (
    TestCard("chargeCustomerFail", "4000000000000341", when_charged=declines.GENERIC),
    TestCard("chargeDeclinedFraudulent", "4100000000000019", at_once=declines.FRAUDULENT,
             alias="radarBlock"),
    TestCard("authenticationRequiredOnSetup", "4000002500003155",
             challenge=Challenge.UNLESS_SET_UP),
    TestCard("authenticationRequired", "4000002760003184", challenge=Challenge.ALWAYS),
    TestCard("authenticationRequiredSetupForOffSession", "4000003800000446",
             challenge=Challenge.WHEN_PRESENT),
    TestCard("authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178",
             challenge=Challenge.UNLESS_SET_UP, when_charged=declines.INSUFFICIENT_FUNDS),
    TestCard("threeDSecure2Required", "4000000000003220", challenge=Challenge.UNLESS_SET_UP,
             alias="threeDSecureRequired"),
    TestCard("threeDSecureRequiredChargeDeclined", "4000008400001629",
             challenge=Challenge.UNLESS_SET_UP, when_charged=declines.GENERIC),
    TestCard("threeDSecureOptional", "4000000000003055"),
    TestCard("createDispute", "4000000000000259", disputed="fraudulent"),
    TestCard("createDisputeProductNotReceived", "4000000000002685",
             disputed="product_not_received"),
    TestCard("createDisputeInquiry", "4000000000001976", disputed="inquiry"),
    TestCard("pendingRefund", "4000000000007726", refund="pending"),
    TestCard("refundFail", "4000000000005126", refund="failed"),
    TestCard("bypassPending", "4000000000000077"),
)  # fmt: skip

ALL = _BRANDS + _COUNTRIES + _DECLINED + _SPECIAL
_BY_NUMBER = {card.number: card for card in reversed(ALL)}
_BY_NAME = {card.alias: card for card in reversed(ALL) if card.alias} | {
    card.name: card for card in ALL
}


def by_number(number: str) -> TestCard | None:
    """Return the published card with this number."""
    return _BY_NUMBER.get(number)


def by_id(ready_made: str) -> TestCard | None:
    """Return the card behind `pm_card_…` or `tok_…`."""
    for prefix in ("pm_card_", "tok_"):
        if ready_made.startswith(prefix):
            return _BY_NAME.get(ready_made.removeprefix(prefix))
    return None


def by_name(name: str) -> TestCard:
    """Return a card by the name it was noted under."""
    return _BY_NAME[name]


def is_well_formed(number: str) -> bool:
    """Say whether a card number's check digit is right."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
