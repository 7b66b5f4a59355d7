"""Amounts: PayPal's own table of currencies, whole minor units inside, strings outside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from paypal_sandbox import errors
from stripe_sandbox.bodies import Json

# The forint and the Taiwan dollar have decimals for everyone but PayPal.
_WHOLE = frozenset({"HUF", "JPY", "TWD"})
_HUNDREDTHS = frozenset(
    {
        "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN",
        "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD",
    }
)  # fmt: skip
_VALUE = re.compile(r"-?\d+|-?\d*\.\d+")
_LONGEST = 32
_FEE_PER_MYRIAD = 349
_FIXED_FEE = {True: 40, False: 49}


@dataclass(frozen=True)
class Amount:
    """So many of the smallest unit of a currency, as PayPal has it."""

    minor: int
    currency: str

    def written(self) -> Json:
        """Write it as PayPal does."""
        if self.currency in _WHOLE:
            value = str(self.minor)
        else:
            sign, minor = "-" if self.minor < 0 else "", abs(self.minor)
            value = f"{sign}{minor // 100}.{minor % 100:02d}"
        return {"currency_code": self.currency, "value": value}

    def of(self, minor: int) -> Amount:
        """Return another amount of the same currency."""
        return Amount(minor, self.currency)

    @property
    def fee(self) -> Amount:
        """What PayPal keeps of a payment: 3.49 % and a little, never more than there is."""
        share = (self.minor * _FEE_PER_MYRIAD + 5_000) // 10_000
        return self.of(min(self.minor, share + _FIXED_FEE[self.currency in _WHOLE]))


def stored(body: Json) -> Amount:
    """Read an amount that was written here."""
    currency = body["currency_code"]
    scale = 1 if currency in _WHOLE else 100
    return Amount(int(Decimal(body["value"]) * scale), currency)


def read(body: object, field: str) -> Amount:
    """Read an amount somebody sent.

    :raises PayPalError: if it is malformed, not positive, or not of PayPal's currencies.
    """
    if not isinstance(body, dict):
        raise errors.missing(field)
    for name in ("currency_code", "value"):
        if not isinstance(body.get(name), str):
            raise errors.missing(f"{field}/{name}")
    currency, value = body["currency_code"], body["value"]
    if currency not in _WHOLE | _HUNDREDTHS:
        raise errors.refused(
            "INVALID_CURRENCY_CODE",
            "Currency code is invalid or is not currently supported.",
            field=f"{field}/currency_code",
        )
    if len(value) > _LONGEST or not _VALUE.fullmatch(value):
        raise errors.invalid(
            "INVALID_PARAMETER_SYNTAX",
            "The value of a field does not conform to the expected format.",
            f"{field}/value",
        )
    _check_decimals(currency, value, f"{field}/value")
    amount = stored(body)
    if amount.minor <= 0:
        raise errors.refused(
            "CANNOT_BE_ZERO_OR_NEGATIVE", "Must be greater than zero.", field=f"{field}/value"
        )
    return amount


def _check_decimals(currency: str, value: str, field: str) -> None:
    decimals = len(value.partition(".")[2])
    if currency in _WHOLE and decimals:
        raise errors.refused(
            "DECIMALS_NOT_SUPPORTED", "Currency does not support decimals.", field=field
        )
    if decimals > 2:
        raise errors.refused(
            "DECIMAL_PRECISION",
            "If the currency supports decimals, only two decimal place precision is supported.",
            field=field,
        )
