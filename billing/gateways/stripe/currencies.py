"""Money as Stripe counts it, by Stripe's own table.

Source: https://docs.stripe.com/currencies, its sections "Zero-decimal currencies",
"Three-decimal currencies" and "Special cases":

* Zero decimals, MGA among them, which has two in ISO 4217.
* Three decimals, of which the last must be 0.
* ISK and UGX have no decimals (and UGX is on Stripe's zero-decimal list), yet both are sent as if
  they had two: to charge 5 UGX the amount is 500.
* HUF and TWD are whole in payouts only; charges and refunds have two decimals.
* Everything else has two.
"""

from __future__ import annotations

from typing import Final

from billing.core import money
from billing.core.money import Money
from billing.gateways.base import GatewayRejectedError

# fmt: off
_ZERO: Final = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA",
    "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
})
# fmt: on
_THREE: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def to_stripe(amount: Money) -> int:
    """The integer that Stripe calls this amount.

    :raises GatewayRejectedError: if Stripe cannot take it exactly; nothing is ever rounded here.
    """
    ours, theirs = money.exponent(amount.currency), _decimals(amount.currency)
    factor: int = 10 ** abs(theirs - ours)
    value, rest = (amount.minor * factor, 0) if theirs > ours else divmod(amount.minor, factor)
    if rest or (theirs == 3 and value % 10):
        raise GatewayRejectedError(f"Stripe takes no such fraction of {amount.currency}: {amount}.")
    return value


def from_stripe(value: int, currency: str) -> Money:
    """The amount that Stripe calls this integer.

    :raises GatewayRejectedError: if our currency cannot hold it exactly.
    """
    code = currency.upper()
    ours, theirs = money.exponent(code), _decimals(code)
    factor: int = 10 ** abs(theirs - ours)
    minor, rest = (value * factor, 0) if ours > theirs else divmod(value, factor)
    if rest:
        raise GatewayRejectedError(f"{code} has no such fraction: {value}.")
    return Money(minor, code)


def _decimals(currency: str) -> int:
    if currency in _ZERO:
        return 0
    if currency in _THREE:
        return 3
    if money.exponent(currency) == 3:
        raise GatewayRejectedError(f"Stripe does not take {currency}.")
    return 2
