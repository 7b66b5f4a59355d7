"""The kinds of payment method: how each is made of a request, and where it can be used."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from stripe_sandbox import errors
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried
from stripe_sandbox.payments import accounts, cards, methods
from stripe_sandbox.payments.methods import CardEntry
from stripe_sandbox.sdk.parameters import named

Maker: TypeAlias = Callable[[Call, Json, str], Json]

# The only currency of a kind that has only one.
_CURRENCY = {"sepa_debit": "eur", "pix": "brl"}


def made(call: Call, params: Json, within: str = "") -> Json:
    """Make a payment method of what a request says of it, in its parameter `within`.

    :raises ApiError: if it says too little, or what is no test card and no test account.
    """
    kind = params.get("type") or ("card" if "card" in params else None)
    if kind is None:
        raise errors.missing(named(within, "type"))
    maker = _MAKERS.get(kind)
    if maker is None:
        raise errors.ApiError(
            f"This stand-in has {', '.join(_MAKERS)} only so far, and no '{kind}'.",
            param=named(within, "type"),
        )
    return maker(call, params, within)


def chosen(call: Call, params: Json, intent: Json) -> Json:
    """Return how an intent changes by the payment method a request names or describes.

    :raises ApiError: if the intent may not use it.
    """
    data = params.get("payment_method_data")
    if data:
        method = made(call, data, "payment_method_data")
    elif params.get("payment_method"):
        method = methods.resolve(call, params["payment_method"])
    else:
        return {}
    methods.owned(call, method, intent.get("customer"))
    require_allowed(intent, method)
    return {"payment_method": method["id"], "status": "requires_confirmation"}


def require_allowed(intent: Json, method: Json) -> None:
    """Refuse a kind of payment method that an intent does not take.

    :raises ApiError: `payment_intent_incompatible_payment_method`.
    """
    allowed = intent["payment_method_types"]
    if method["type"] not in allowed:
        raise errors.ApiError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this intent. It "
            f"takes one of the following types: {', '.join(allowed)}. Name others in "
            "`payment_method_types`.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )


def require_currency(types: Collection[str], currency: str) -> None:
    """Refuse kinds of payment method that do not exist in a currency.

    :raises ApiError: naming the first.
    """
    for kind in types:
        only = _CURRENCY.get(kind, currency)
        if currency != only:
            raise errors.ApiError(
                f"The currency provided ({currency}) is invalid for the payment method type "
                f"{kind}, which takes {only} only.",
                param="currency",
            )


def _card(call: Call, params: Json, within: str) -> Json:
    card = params.get("card")
    if card is None:
        raise errors.missing(named(within, "card"))
    kept = _kept(params)
    if "token" in card:
        found = cards.by_id(card["token"])
        if found is None:
            raise errors.no_such("token", card["token"], "card[token]")
        return methods.create(call, found, kept)
    entry = _entry(card)
    expiry = {"exp_month": entry.exp_month, "exp_year": entry.exp_year}
    return methods.create(call, entry.test_card(call.now()), kept | expiry)


def _entry(card: Json) -> CardEntry:
    for name in ("number", "exp_month", "exp_year"):
        if name not in card:
            raise errors.missing(f"card[{name}]")
    year = card["exp_year"]
    return CardEntry(
        card["number"], card["exp_month"], year + 2000 if year < 100 else year, card.get("cvc")
    )


def _sepa_debit(call: Call, params: Json, within: str) -> Json:
    details = params.get("sepa_debit")
    if details is None:
        raise errors.missing(named(within, "sepa_debit"))
    account = _account(details["iban"])
    holder = params.get("billing_details", {})
    for name in ("name", "email"):
        if not holder.get(name):
            raise errors.missing(f"{named(within, 'billing_details')}[{name}]")
    return methods.of_account(call, account, _kept(params))


def _account(iban: str) -> accounts.TestAccount:
    if not accounts.is_well_formed(iban):
        raise errors.ApiError(
            "The IBAN you provided is invalid.",
            code="invalid_bank_account_iban",
            param="sepa_debit[iban]",
        )
    account = accounts.by_iban(iban)
    if account is None:
        raise errors.ApiError(
            "This is not one of the published test IBANs. Never enter a real one.",
            code="bank_account_unusable",
            param="sepa_debit[iban]",
        )
    if account.scenario.refused:
        raise errors.ApiError(
            "The bank of this account takes no SEPA Direct Debit.",
            code=account.scenario.refused,
            param="sepa_debit[iban]",
        )
    return account


def _pix(call: Call, params: Json, within: str) -> Json:
    return methods.of_kind(call, "pix", {"pix": {}, **_kept(params)})


def _kept(params: Json) -> Json:
    return carried("payment_method", params, drop=("card", "sepa_debit", "pix", "customer", "type"))


_MAKERS: dict[str, Maker] = {"card": _card, "sepa_debit": _sepa_debit, "pix": _pix}
