"""Payment methods: made from test cards and accounts, attached to customers, refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.errors import ApiError, CardError
from stripe_sandbox.payments import accounts, cards
from stripe_sandbox.payments.accounts import TestAccount
from stripe_sandbox.payments.cards import TestCard
from stripe_sandbox.payments.declines import NOT_A_TEST_CARD, Decline


@dataclass(frozen=True)
class CardEntry:
    """What a person typed, or an API call sent: used, and never kept."""

    number: str
    exp_month: int
    exp_year: int
    cvc: str | None = None

    def test_card(self, now: float) -> TestCard:
        """Return the published card this is.

        :raises CardError: if it cannot be a card, or is not a published one.
        """
        number = self.number.replace(" ", "").replace("-", "")
        if not cards.is_well_formed(number):
            raise _typo("incorrect_number", "Your card number is incorrect.", "number")
        self._check_rest(datetime.fromtimestamp(now, UTC))
        found = cards.by_number(number)
        if found is None:
            raise refusal(NOT_A_TEST_CARD)
        if self.cvc is not None and len(self.cvc) != (4 if found.brand == "amex" else 3):
            raise _typo("invalid_cvc", "Your card's security code is invalid.", "cvc")
        return found

    def _check_rest(self, today: datetime) -> None:
        if not 1 <= self.exp_month <= 12:
            message = "Your card's expiration month is invalid."
            raise _typo("invalid_expiry_month", message, "exp_month")
        if (self.exp_year, self.exp_month) < (today.year, today.month):
            message = "Your card's expiration year is invalid."
            raise _typo("invalid_expiry_year", message, "exp_year")
        if self.cvc is not None and not (self.cvc.isascii() and self.cvc.isdigit()):
            raise _typo("invalid_cvc", "Your card's security code is invalid.", "cvc")


def refusal(decline: Decline, **extra: object) -> CardError:
    """Return the error for a refused card."""
    told: Json = {**extra}
    if decline.decline_code:
        told["decline_code"] = decline.decline_code
    if decline.advice:
        told["advice_code"] = decline.advice
    return CardError(decline.message, code=decline.code, param=_blamed(decline), extra=told)


def create(call: Call, card: TestCard, fields: Json | None = None) -> Json:
    """Make a payment method of a card; what is given of expiry and holder is kept."""
    given = {**(fields or {})}
    next_year = datetime.fromtimestamp(call.now(), UTC).year + 1
    expiry = {
        "exp_month": given.pop("exp_month", 12),
        "exp_year": given.pop("exp_year", next_year),
    }
    fields = {"card": _card_hash(card) | expiry, **given}
    return of_kind(call, "card", fields, notes={"card": card.name})


def of_account(call: Call, account: TestAccount, fields: Json | None = None) -> Json:
    """Make a payment method of a bank account; what is given of its holder is kept."""
    holder = {"name": "Jenny Rosen", "email": "jenny@example.test"}
    details = {
        "bank_code": account.bank_code,
        "branch_code": "",
        "country": account.country,
        "fingerprint": account.fingerprint,
        "generated_from": {},
        "last4": account.last4,
    }
    body = {"billing_details": holder, **(fields or {}), "sepa_debit": details}
    return of_kind(call, "sepa_debit", body, notes={"account": account.name})


def of_kind(call: Call, kind: str, fields: Json, notes: Json | None = None) -> Json:
    """Make a payment method of a kind."""
    body = {"id": ids.new("pm"), "type": kind, "allow_redisplay": "unspecified", **fields}
    return call.create("payment_method", body, notes=notes or {"kind": kind})


def ready_made(call: Call, method_id: str) -> Json | None:
    """Make a payment method of a ready-made id, if it is one."""
    card, account = cards.by_id(method_id), accounts.by_id(method_id)
    if account:
        return of_account(call, account)
    return create(call, card) if card else None


def resolve(call: Call, method_id: str, param: str = "payment_method") -> Json:
    """Return a payment method by its id, making one of a ready-made id.

    :raises ApiError: if there is none.
    """
    return ready_made(call, method_id) or call.fetch("payment_method", method_id, param)


def account_of(call: Call, method: Json) -> TestAccount:
    """Return the test account behind a payment method."""
    return accounts.by_name(call.state.objects.notes(method["id"])["account"])


def used(call: Call, intent: Json, method: Json) -> None:
    """Save a payment method if its intent asks for that; else one without a customer is spent."""
    if intent["setup_future_usage"]:
        call.state.objects.note(method["id"], set_up=True)
        if intent["customer"]:
            attach(call, method, intent["customer"])
            return
    if not method["customer"]:
        call.state.objects.note(method["id"], spent=True)


def card_of(call: Call, method: Json) -> TestCard:
    """Return the test card behind a payment method."""
    return cards.by_name(call.state.objects.notes(method["id"])["card"])


def attach(call: Call, method: Json, customer: str) -> Json:
    """Give a payment method to a customer.

    :raises ApiError: if it already belongs to another, or was used up.
    :raises CardError: if its card is refused wherever it is used.
    """
    if method["customer"] == customer:
        return method
    if method["customer"]:
        raise ApiError(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    if call.state.objects.notes(method["id"]).get("spent"):
        raise ApiError(
            "This PaymentMethod was previously used without being attached to a Customer or was "
            "detached from a Customer, and may not be used again."
        )
    if method["type"] == "pix":
        raise ApiError("A Pix payment method is for one payment, and cannot be attached.")
    refused = card_of(call, method).at_once if method["type"] == "card" else None
    if refused:
        raise refusal(refused)
    return call.change(method, {"customer": customer}, event="payment_method.attached")


def detach(call: Call, method: Json) -> Json:
    """Take a payment method from its customer for good.

    :raises ApiError: if it has none.
    """
    if not method["customer"]:
        raise ApiError(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.",
            code="payment_method_unexpected_state",
        )
    call.state.objects.note(method["id"], spent=True)
    changed = call.change(method, {"customer": None})
    call.emit("payment_method.detached", changed, {"customer": method["customer"]})
    return changed


def renew(call: Call, method: Json, news: Json) -> Json:
    """Give a card the expiry, and perhaps the last digits, that its network says it has now.

    :raises ApiError: if it is no card, or the news is none.
    """
    if method["type"] != "card":
        raise ApiError(f"The payment method {method['id']} is no card.", param="payment_method")
    card = {**method["card"]}
    for name in ("exp_month", "exp_year"):
        if name in news:
            card[name] = int(news[name])
    if "last4" in news:
        card["last4"] = str(news["last4"])
        number = f"{method['id']} {card['last4']}"
        card["fingerprint"] = hashlib.sha256(number.encode()).hexdigest()[:16]
    return call.change(method, {"card": card}, event="payment_method.automatically_updated")


def owned(call: Call, method: Json, customer: str | None) -> Json:
    """Return a payment method that this customer may use.

    :raises ApiError: if it belongs to another, or to one who was not named.
    """
    owner = method["customer"]
    if owner and not customer:
        raise ApiError(
            f"The provided PaymentMethod ({method['id']}) is attached to a Customer. Please "
            "include the Customer in the `customer` parameter.",
            param="payment_method",
        )
    if owner and owner != customer:
        raise ApiError(
            f"The customer {customer} does not own the payment method {method['id']}.",
            param="payment_method",
        )
    if not owner and call.state.objects.notes(method["id"]).get("spent"):
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first.",
            param="payment_method",
        )
    return method


def _card_hash(card: TestCard) -> Json:
    return {
        "brand": card.brand,
        "checks": {"cvc_check": "pass"},
        "country": card.country,
        "display_brand": {"amex": "american_express", "diners": "diners_club"}.get(
            card.brand, card.brand
        ),
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "last4": card.last4,
        "networks": {"available": [card.brand]},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.brand != "unionpay"},
    }


def _typo(code: str, message: str, param: str) -> CardError:
    return CardError(message, code=code, param=param)


def _blamed(decline: Decline) -> str | None:
    """Name the field a refusal is about, where there is one."""
    return {"incorrect_cvc": "cvc", "expired_card": "exp_month"}.get(decline.code)
