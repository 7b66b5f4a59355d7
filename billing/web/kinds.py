"""Kinds of payment methods in the words that customers read: adding one, and paying with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.gateways import registry
from billing.models import PaymentMethod
from billing.models.payment import KIND_WORDS
from billing.services import routes
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    :param noun: as in "your card".
    :param add: what the button says that adds one.
    :param how: what happens then.
    """

    code: str
    noun: str
    add: str
    how: str


def addable(
    customer: Customer, *, having: Iterable[PaymentMethod], now: datetime
) -> Sequence[Kind]:
    """What a customer may add now. What is only pushed need not be there twice.

    :param having: the payment methods that they have.
    """
    country = customer.details.country_code
    offered = routes.offers(currency=customer.currency, country=country, now=now)
    there = {method.kind for method in having if is_pushed(method)}
    return [of(offer.kind) for offer in offered if offer.kind not in there]


def of(code: str) -> Kind:
    """The words for a kind; one without words of its own goes by its title."""
    return _KINDS.get(code) or _unknown(code)


def is_pushed(method: PaymentMethod) -> bool:
    """Whether its owner sends each payment themselves, so that it is never charged."""
    gateway = registry.offered().get(method.gateway)
    terms = None if gateway is None else gateway.capabilities.kinds.get(method.kind)
    return terms is not None and terms.is_pushed


def paying(method: PaymentMethod) -> str:
    """`with Visa •••• 4242`, `by bank transfer`."""
    return "by bank transfer" if method.kind == "bank_transfer" else f"with {method}"


def used(method: PaymentMethod) -> str:
    """What being the default means."""
    if is_pushed(method):
        return f"From now on you pay {paying(method)}."
    return f"From now on {method} is charged."


def _unknown(code: str) -> Kind:
    title = KIND_WORDS.get(code, code.replace("_", " "))
    if not title:
        return Kind("", "payment method", "Add a payment method", "")
    return Kind(code, "payment method", f"Add {title}", "")


_KINDS: Final[Mapping[str, Kind]] = {
    kind.code: kind
    for kind in (
        Kind(
            "card",
            "card",
            "Add a card",
            "You enter it on the page of our payment provider. We never see its number, only its"
            " last four digits and when it expires.",
        ),
        Kind(
            "sepa_debit",
            "bank account",
            "Add a SEPA direct debit",
            "You enter your IBAN on the page of our payment provider, and what you owe is"
            " collected from your account.",
        ),
        Kind(
            "pix",
            "Pix",
            "Pay with Pix",
            "There is nothing to enter. You get a code for each bill and pay it in the app of"
            " your bank.",
        ),
        Kind(
            "paypal",
            "PayPal account",
            "Add PayPal",
            "You allow us at PayPal to charge your account.",
        ),
        Kind(
            "bank_transfer",
            "bank transfer",
            "Pay by bank transfer",
            "You transfer the amount of each bill yourself. The invoice names our account and the"
            " reference.",
        ),
    )
}
