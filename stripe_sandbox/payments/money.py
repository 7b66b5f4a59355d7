"""Amounts: the smallest that can be charged, what a charge costs, how one is written."""

from __future__ import annotations

from stripe_sandbox.errors import ApiError

_ZERO_DECIMAL = frozenset({
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
})  # fmt: skip
_THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
_MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
_LARGEST = 99_999_999
_CURRENCY_LENGTH = 3


def require_chargeable(amount: int, currency: str) -> None:
    """Refuse what Stripe would not charge.

    :raises ApiError: if the amount is too small or too large, or the currency is none.
    """
    require_currency(currency)
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    smallest = _MINIMUM.get(currency, 1)
    if amount < smallest:
        raise ApiError(
            f"Amount must be at least {written(smallest, currency)}.",
            code="amount_too_small",
            param="amount",
        )
    if amount > _LARGEST:
        raise ApiError(
            f"Amount must be no more than {written(_LARGEST, currency)}.",
            code="amount_too_large",
            param="amount",
        )


def require_currency(currency: str) -> str:
    """Return a currency as it is written here.

    :raises ApiError: if it is none.
    """
    if len(currency) != _CURRENCY_LENGTH or not currency.isalpha():
        raise ApiError(
            f"Invalid currency: {currency}. Stripe takes three-letter ISO codes.", param="currency"
        )
    return currency.lower()


def fee(amount: int, kind: str = "card") -> int:
    """Return what a charge costs: 2.9 % and 30 for a card, 35 for a debit, 1.19 % for Pix.

    Fractions are rounded, halves up; the flat part is in the smallest unit of any currency.
    """
    if kind == "sepa_debit":
        return 35
    if kind == "pix":
        return (amount * 119 + 5000) // 10000
    return (amount * 29 + 500) // 1000 + 30


def dispute_fee(currency: str) -> int:
    """Return what a dispute costs: 15 whole units of any currency."""
    return int(15 * 10 ** _decimals(currency))


def written(amount: int, currency: str) -> str:
    """Write an amount for people, such as `12.50 USD`."""
    decimals = _decimals(currency)
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(decimals + 1, "0")
    whole = digits[:-decimals] if decimals else digits
    fraction = f".{digits[-decimals:]}" if decimals else ""
    return f"{sign}{whole}{fraction} {currency.upper()}"


def _decimals(currency: str) -> int:
    return 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2
