"""Money as PayPal writes it, by PayPal's own table.

Source: https://developer.paypal.com/api/rest/reference/currency-codes/ (and, of the same list,
https://developer.paypal.com/reports/reference/supported-currencies):

* Amounts are text in major units: `"10.00"`, never more than two decimals.
* HUF, JPY and TWD have none; decimals are an error. In ISO 4217 HUF and TWD have two.
* No currency of three decimals is taken, nor any that is not listed.
* BRL, CNY and MYR are taken only by accounts of their own country. Whether the seller's is one,
  only the operator knows, and says so by the gateway's route.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from billing.core import money
from billing.core.errors import InvalidError
from billing.core.money import Money
from billing.gateways.base import GatewayRejectedError
from billing.gateways.paypal.client import Fields

_WHOLE: Final = frozenset({"HUF", "JPY", "TWD"})
# fmt: off
CURRENCIES: Final = _WHOLE | frozenset({
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS",
    "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD",
})
# fmt: on


def to_paypal(amount: Money) -> dict[str, str]:
    """The text that PayPal calls this amount, beside its currency.

    :raises GatewayRejectedError: if PayPal cannot take it exactly; nothing is ever rounded here.
    """
    if amount.currency not in CURRENCIES:
        raise GatewayRejectedError(f"PayPal does not take {amount.currency}.")
    decimals = 0 if amount.currency in _WHOLE else 2
    value = Decimal(amount.minor).scaleb(-money.exponent(amount.currency))
    written = f"{value:.{decimals}f}"
    if Decimal(written) != value:
        raise GatewayRejectedError(f"PayPal takes no fractions of {amount.currency}: {amount}.")
    return {"currency_code": amount.currency, "value": written}


def from_paypal(fields: Fields) -> Money:
    """The amount that PayPal writes like this.

    :raises GatewayRejectedError: if our currency cannot hold it exactly.
    """
    try:
        currency = str(fields["currency_code"])
        value = Decimal(str(fields["value"])).scaleb(money.exponent(currency))
        minor = int(value)
        is_exact = value == minor
    except (KeyError, InvalidOperation, InvalidError, ValueError, OverflowError):
        raise GatewayRejectedError("PayPal's amount cannot be read.") from None
    if not is_exact:
        raise GatewayRejectedError(f"{currency} has no such fraction.")
    return Money(minor, currency)
