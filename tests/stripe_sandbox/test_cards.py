"""Stripe's published test cards behave as published, and are never kept whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.payments import cards

DECLINED = [
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ("pm_card_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
    ("pm_card_radarBlock", "card_declined", "fraudulent"),
]


def wish(method: str, **more: Any) -> Any:
    return {
        "amount": 1250,
        "currency": "usd",
        "payment_method": method,
        "payment_method_types": ["card"],
        "confirm": True,
        **more,
    }


@pytest.mark.parametrize(("method", "code", "decline_code"), DECLINED)
def test_a_declined_card_is_a_402_with_all_there_is_to_know(
    api: stripe.V1Services, method: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        api.payment_intents.create(wish(method))

    error = refusal.value.error
    assert error is not None
    assert (refusal.value.http_status, error.type, error.code) == (402, "card_error", code)
    assert error.decline_code == decline_code
    assert error.message
    assert error.doc_url == f"https://docs.stripe.com/error-codes#{code.replace('_', '-')}"
    assert error.payment_intent is not None
    assert error.payment_method is not None
    intent = api.payment_intents.retrieve(error.payment_intent.id)
    assert intent.to_dict() == error.payment_intent.to_dict()
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.latest_charge == error.charge
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == decline_code
    assert intent.last_payment_error["payment_method"]["id"] == error.payment_method.id


@pytest.mark.parametrize(("method", "code", "decline_code"), DECLINED)
def test_a_declined_card_cannot_be_saved(
    api: stripe.V1Services, *, alice: stripe.Customer, method: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        api.payment_methods.attach(method, {"customer": alice.id})

    assert refusal.value.code == code
    assert refusal.value.error is not None
    assert refusal.value.error.decline_code == decline_code
    assert api.customers.payment_methods.list(alice.id).data == []


def test_a_declined_card_leaves_a_failed_charge(api: stripe.V1Services) -> None:
    with pytest.raises(stripe.CardError):
        api.payment_intents.create(wish("pm_card_chargeDeclined"))

    charge = api.charges.list().data[0]
    assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
    assert charge.failure_code == "card_declined"
    assert charge.balance_transaction is None
    assert charge.outcome is not None
    assert (charge.outcome.type, charge.outcome.reason) == ("issuer_declined", "generic_decline")


def test_one_card_can_be_saved_and_not_charged(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    saved = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": alice.id})

    with pytest.raises(stripe.CardError) as refusal:
        api.payment_intents.create(wish(saved.id, customer=alice.id, off_session=True))

    assert saved.card is not None
    assert saved.card.last4 == "0341"
    assert refusal.value.code == "card_declined"


@pytest.mark.parametrize(
    ("method", "brand", "last4", "funding", "country"),
    [
        ("pm_card_visa", "visa", "4242", "credit", "US"),
        ("pm_card_visa_debit", "visa", "5556", "debit", "US"),
        ("pm_card_mastercard", "mastercard", "4444", "credit", "US"),
        ("pm_card_mastercard_prepaid", "mastercard", "5100", "prepaid", "US"),
        ("pm_card_amex", "amex", "0005", "credit", "US"),
        ("pm_card_jcb", "jcb", "0505", "credit", "US"),
        ("pm_card_br", "visa", "0002", "credit", "BR"),
        ("pm_card_de", "visa", "0016", "credit", "DE"),
    ],
)
def test_a_ready_made_id_becomes_a_payment_method_of_ones_own(
    api: stripe.V1Services,
    *,
    alice: stripe.Customer,
    method: str,
    brand: str,
    last4: str,
    funding: str,
    country: str,
) -> None:
    made = api.payment_methods.attach(method, {"customer": alice.id})

    assert made.id.startswith("pm_1")
    assert made.customer == alice.id
    card = made.card
    assert card is not None
    assert (card.brand, card.last4, card.funding, card.country) == (brand, last4, funding, country)
    assert (card.exp_month, card.exp_year) == (12, 2028)


def test_a_fingerprint_tells_the_same_card(api: stripe.V1Services) -> None:
    numbers = ["4242424242424242", "4242 4242 4242 4242", "5555555555554444"]

    prints = [
        api.payment_methods.create({"type": "card", "card": card_hash(number)})["card"][
            "fingerprint"
        ]
        for number in numbers
    ]

    assert prints[0] == prints[1] != prints[2]


def card_hash(number: str, **more: Any) -> Any:
    return {"number": number, "exp_month": 4, "exp_year": 2030, "cvc": "123", **more}


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"number": "4242424242424241"}, "incorrect_number", "number"),
        ({"number": "42"}, "incorrect_number", "number"),
        ({"number": "visa"}, "incorrect_number", "number"),
        ({"exp_month": 13}, "invalid_expiry_month", "exp_month"),
        ({"exp_year": 2020}, "invalid_expiry_year", "exp_year"),
        ({"cvc": "12"}, "invalid_cvc", "cvc"),
        ({"cvc": "abc"}, "invalid_cvc", "cvc"),
        ({"number": "378282246310005"}, "invalid_cvc", "cvc"),
        ({"number": "4111111111111111"}, "card_declined", None),
    ],
)
def test_a_card_that_is_none_is_refused(
    api: stripe.V1Services, change: dict[str, Any], code: str, param: str | None
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        api.payment_methods.create({"type": "card", "card": card_hash("4242424242424242") | change})

    assert (refusal.value.code, refusal.value.param) == (code, param)


def test_a_token_will_do(api: stripe.V1Services) -> None:
    made = api.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
    paid = api.payment_intents.create(wish("tok_visa"))

    assert made.card is not None
    assert made.card.brand == "mastercard"
    assert paid.status == "succeeded"


def test_neither_number_nor_code_is_kept_anywhere(sandbox: Sandbox, api: stripe.V1Services) -> None:
    api.payment_methods.create({"type": "card", "card": card_hash("4000056655665556", cvc="987")})

    kept = json.dumps(
        [
            [list(row) for row in sandbox.state.database.rows(f"SELECT * FROM {table}")]
            for table in ("objects", "requests", "settings")
        ],
        default=str,
    )
    answers = sandbox.state.database.rows("SELECT * FROM answers")
    whole = kept + "".join(str(list(row)) for row in answers)
    assert "4000056655665556" not in whole
    assert "987" not in json.loads(kept)[1][0][5]
    assert "5556" in whole


def test_every_published_number_is_well_formed() -> None:
    assert all(cards.is_well_formed(card.number) for card in cards.ALL)
    assert len({card.name for card in cards.ALL}) == len(cards.ALL)


def test_a_card_may_be_disputed_at_once(api: stripe.V1Services) -> None:
    paid = api.payment_intents.create(wish("pm_card_createDispute", expand=["latest_charge"]))

    assert paid["latest_charge"]["disputed"] is True
    assert api.disputes.list({"payment_intent": paid.id}).data[0].reason == "fraudulent"
