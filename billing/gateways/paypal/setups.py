"""Setting accounts at PayPal up: on PayPal's page, or by a token.

A setup token is what a payer agrees to. It lasts three hours or so, and is exchanged, once, for the
payment token that is charged from then on.

The vault repeats no reference of ours: a setup token has no field for one, and its only room for
anything of ours (`merchant_customer_id`) is about the customer, who may have several. So a set-up
that is fetched has an empty `reference`, and is known by its `external_id`. That is the setup
token's id where the payer goes to PayPal's page, and the payment token's where a token was given:
there nobody asks for the setup token any more, and the payment token lasts.
"""

from __future__ import annotations

from typing import Final

from billing.gateways.base import (
    GatewayRejectedError,
    GatewayUnavailableError,
    MethodChange,
    Setup,
    SetupRequest,
)
from billing.gateways.paypal import declines, translate
from billing.gateways.paypal.client import Client, Fields, RefusedError

SETUP_TOKENS: Final = "/v3/vault/setup-tokens"
PAYMENT_TOKENS: Final = "/v3/vault/payment-tokens"
_USED: Final = "SETUP_TOKEN_ALREADY_TOKENIZED"


def start(client: Client, request: SetupRequest) -> Setup:
    """Complete it by a token of PayPal's, or open PayPal's page.

    A setup token whose owner has yet to agree is declined: only the page can ask them.
    """
    if request.token is not None:
        return _by_token(client, request, request.token)
    if request.kind != translate.KIND:
        raise GatewayRejectedError(f"PayPal is asked for no {request.kind} here.")
    found = client.post(SETUP_TOKENS, _asked(request), f"setup:{request.reference}")
    return translate.open_setup(found, request.reference)


def fetch(client: Client, external_id: str) -> Setup | None:
    """A set-up now; where the payer has agreed, it is completed on the way.

    :param external_id: of a setup token or of a payment token. None if there is neither (any more).
    """
    found = client.find(SETUP_TOKENS, external_id)
    if found is None:
        token = client.find(PAYMENT_TOKENS, external_id)
        return translate.completed_setup(external_id, token) if token else None
    if translate.is_open(found):
        return translate.open_setup(found)
    return _exchanged(client, found)


def method_change(client: Client, token_id: str) -> MethodChange:
    """A payment token now. One that is not there was deleted: such are never shown again."""
    found = client.find(PAYMENT_TOKENS, token_id)
    return translate.method_change(found) if found else MethodChange(token_id, None)


def _asked(request: SetupRequest) -> Fields:
    """What PayPal is told: nothing of the person, and to ask for no address.

    Several tokens per payer are permitted, so that two customers of ours who share an account at
    PayPal do not share a token too.
    """
    known = request.customer_external_id
    return {
        "customer": {"id": known} if known else {"merchant_customer_id": request.anonymous_id},
        "payment_source": {
            "paypal": {
                "usage_type": "MERCHANT",
                "permit_multiple_payment_tokens": True,
                "experience_context": {
                    "return_url": request.success_url,
                    "cancel_url": request.cancel_url,
                    "shipping_preference": "NO_SHIPPING",
                },
            }
        },
    }


def _by_token(client: Client, request: SetupRequest, token: str) -> Setup:
    """By a setup token that was agreed to, or else by a payment token that is there already."""
    body = _exchange(token)
    if request.customer_external_id:
        body |= {"customer": {"id": request.customer_external_id}}
    try:
        found = client.post(PAYMENT_TOKENS, body, f"setup:{request.reference}")
    except RefusedError as refusal:
        if refusal.issue == declines.PAYER_ACTION:
            return translate.declined_setup(token, refusal.issue, request.reference)
        known = client.find(PAYMENT_TOKENS, token)
        if known is None:
            raise refusal from None
        found = known
    return translate.completed_setup(translate.id_of(found), found, request.reference)


def _exchanged(client: Client, setup: Fields) -> Setup:
    """Exchange a setup token; the key is its own id, so that it is done once whoever asks."""
    setup_id = translate.id_of(setup)
    try:
        token = client.post(PAYMENT_TOKENS, _exchange(setup_id), f"exchange:{setup_id}")
    except RefusedError as refusal:
        if refusal.issue == declines.PAYER_ACTION:
            return translate.open_setup(setup)
        if refusal.status != 422:
            raise
        if refusal.issue != _USED:
            return translate.declined_setup(setup_id, refusal.issue)
        token = _only_one(client, translate.customer(setup))
    return translate.completed_setup(setup_id, token)


def _exchange(setup_id: str) -> dict[str, Fields]:
    return {"payment_source": {"token": {"id": setup_id, "type": "SETUP_TOKEN"}}}


def _only_one(client: Client, customer: str) -> Fields:
    """The token that a setup token was exchanged for too long ago for PayPal to say it again.

    PayPal tells which tokens a customer has, not which came of what: so it has to be the only one.
    """
    query = {"customer_id": customer, "page_size": "5"}
    tokens = client.get(PAYMENT_TOKENS, query).get("payment_tokens") if customer else None
    if not tokens or len(tokens) != 1:
        raise GatewayUnavailableError("PayPal does not show which payment token came of this.")
    found: Fields = tokens[0]
    return found
