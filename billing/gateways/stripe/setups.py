"""Setting payment methods up: on Stripe's page, by token, or not at all.

A pix payment is sent by the payer, each with a code of its own, and Stripe has nothing to save for
it. Its set-up and its method are the same name of ours, which tells all there is to know of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import stripe

from billing.gateways.base import (
    GatewayRejectedError,
    KindTerms,
    MethodChange,
    MethodDetails,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import translate

KINDS: Final[Mapping[str, KindTerms]] = {
    "card": KindTerms(),
    "sepa_debit": KindTerms(frozenset({"EUR"})),
    "pix": KindTerms(frozenset({"BRL"}), is_pushed=True),
}
_PIX: Final = "pix"


def start(client: stripe.StripeClient, request: SetupRequest) -> Setup:
    """Set a `pm_…` up at once, or open a Checkout Session for the kind that is asked for.

    A token whose owner would have to authenticate is declined: only the page can ask.
    """
    if request.token is None and request.kind not in KINDS:
        raise GatewayRejectedError(f"Stripe is asked for no {request.kind} here.")
    with clients.answers():
        customer = request.customer_external_id or _new_customer(client, request)
        if request.token is not None:
            return _by_token(client, request, request.token, customer)
        if request.kind == _PIX:
            return _pushed(f"{_PIX}:{customer}:{request.reference}", customer, request.reference)
        return _on_page(client, request, customer)


def is_pushed(external_id: str) -> bool:
    """Whether it names what Stripe has nothing of."""
    return external_id.startswith(f"{_PIX}:")


def pushed(object_type: str, external_id: str) -> Setup | MethodChange | None:
    """What such a name tells."""
    customer, _, reference = external_id.removeprefix(f"{_PIX}:").partition(":")
    if not reference:
        return None
    if object_type == "setup":
        return _pushed(external_id, customer, reference)
    if object_type == "payment_method":
        return MethodChange(external_id, MethodDetails(external_id, _PIX))
    return None


def _pushed(external_id: str, customer: str, reference: str) -> Setup:
    return Setup(
        reference=reference,
        external_id=external_id,
        status=SetupStatus.COMPLETED,
        customer_external_id=customer,
        method=MethodDetails(external_id, _PIX),
    )


def _new_customer(client: stripe.StripeClient, request: SetupRequest) -> str:
    """Two set-ups at once get one customer. Stripe repeats its own failures under a key for a day:
    then each set-up makes one of its own, which is worth nothing until a method is there.
    """
    anonymous_id = request.anonymous_id
    params: stripe.params.CustomerCreateParams = {"metadata": {"anonymous_id": anonymous_id}}
    key = f"customer:{anonymous_id}"
    try:
        return client.v1.customers.create(params, clients.once(key)).id
    except stripe.APIError:
        return client.v1.customers.create(params, clients.once(f"{key}:{request.reference}")).id


def _on_page(client: stripe.StripeClient, request: SetupRequest, customer: str) -> Setup:
    session = client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer,
            "payment_method_types": [request.kind],
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
            "client_reference_id": request.reference,
            "metadata": {"reference": request.reference},
        },
        clients.once(f"setup:{request.reference}"),
    )
    return translate.checkout(session.to_dict(), None, None)


def _by_token(
    client: stripe.StripeClient, request: SetupRequest, token: str, customer: str
) -> Setup:
    params: stripe.params.SetupIntentCreateParams = {
        "customer": customer,
        "payment_method": token,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "usage": "off_session",
        "confirm": True,
        "metadata": {"reference": request.reference},
        "expand": ["payment_method"],
    }
    try:
        intent = client.v1.setup_intents.create(
            params, clients.once(f"setup:{request.reference}")
        ).to_dict()
    except stripe.CardError as error:
        return translate.declined_setup(request.reference, customer, clients.fields(error))
    return translate.setup(intent, intent.get("payment_method"))
