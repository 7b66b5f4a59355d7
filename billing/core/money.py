"""Amounts: integer minor units beside an ISO 4217 currency, and the one rounding.

A *rate* (unit price, percentage) is a Decimal and is never called money. Between a rate and an
amount stands exact rational arithmetic (`Fraction`), rounded once, by `round_minor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from billing.core.currencies import EXPONENTS
from billing.core.errors import InvalidError


def exponent(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): EUR 2, JPY 0, KWD 3.

    :raises InvalidError: if there is no such currency.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise InvalidError(
            f"{currency!r} is not an ISO 4217 currency.", code="unknown_currency"
        ) from None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen, fils). Currencies never mix."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str | Decimal, currency: str) -> Money:
        """Read an amount in major units.

        :raises InvalidError: if it is no number, or has more decimals than the currency.
        """
        try:
            value = Decimal(text)
        except (InvalidOperation, ValueError):
            raise InvalidError(f"{text!r} is not an amount.", code="invalid_amount") from None
        if not value.is_finite():
            raise InvalidError(f"{text!r} is not an amount.", code="invalid_amount")
        minor = Fraction(value) * 10 ** exponent(currency)
        if minor.denominator != 1:
            raise InvalidError(
                f"{text} has more decimals than {currency} ({exponent(currency)}).",
                code="too_many_decimals",
            )
        return cls(minor.numerator, currency)

    @classmethod
    def read(cls, text: str) -> Money:
        """What `str` has written: `1,234.50 EUR`.

        :raises InvalidError: if it is not of that form.
        """
        figure, _, currency = text.partition(" ")
        return cls.parse(figure.replace(",", ""), currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.major:,f} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise InvalidError(
                f"{self.currency} and {other.currency} do not mix.", code="currency_mismatch"
            )
        return other.minor


def round_half_away(value: Fraction | Decimal) -> int:
    """The nearest integer, halves away from zero, so that a credit mirrors its debit."""
    exact = Fraction(value)
    magnitude = (2 * abs(exact) + 1) // 2
    return int(magnitude) if exact >= 0 else -int(magnitude)


def round_minor(major: Fraction | Decimal, currency: str) -> Money:
    """Round an exact amount in major units to the currency's minor unit.

    This is the only rounding of money there is; it is applied once per invoice line.
    """
    return Money(round_half_away(Fraction(major) * 10 ** exponent(currency)), currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum, which is zero in `currency` where there is nothing to add."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def allocate(amount: Money, weights: Sequence[Fraction | Decimal | int]) -> list[Money]:
    """Split an amount by weights so that the parts sum to it exactly (largest remainder).

    The minor units left over after rounding down go to the largest remainders, earlier parts
    first. Weights are non-negative and not all zero.

    :raises InvalidError: if a weight is negative or all are zero.
    """
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact, Fraction(0))
    if whole <= 0 or any(weight < 0 for weight in exact):
        raise InvalidError("Weights must be positive.", code="invalid_weights")
    sign = -1 if amount.minor < 0 else 1
    shares = [abs(amount.minor) * weight / whole for weight in exact]
    parts = [int(share) for share in shares]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], i))
    for index in by_remainder[: abs(amount.minor) - sum(parts)]:
        parts[index] += 1
    return [Money(sign * part, amount.currency) for part in parts]
