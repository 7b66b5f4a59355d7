"""Charges and refunds: PaymentIntents, known by their ids, and Stripe's refunds.

Stripe forgets an idempotency key after a day or so, and until then repeats even its own failures
under it, whatever became of the money. So a charge or refund that may have been sent is looked for
by our reference.

`resume` and `withdraw` need no key of ours: an intent takes money at most once, and cancelling it
twice is cancelling it once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import stripe

from billing.core.lifecycle import ActionKind
from billing.gateways import references
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    GatewayUnavailableError,
    Refund,
    RefundRequest,
)
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import currencies, translate
from billing.gateways.stripe.translate import Fields

_PIX: Final = "pix"
_CLOCKS_DIFFER: Final = timedelta(hours=1)
_CANCELABLE: Final = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"}
)


def charge(client: stripe.StripeClient, request: ChargeRequest) -> Charge:
    """Create and confirm a PaymentIntent, the customer being away."""
    params = _params(request)
    with clients.answers(is_repeated=request.is_repeated):
        if request.is_repeated and (known := _find(client, request)) is not None:
            return _outcome(known)
        try:
            intent = client.v1.payment_intents.create(
                params, clients.once(f"attempt:{request.reference}")
            )
        except stripe.CardError as error:
            return translate.declined_charge(request.reference, clients.fields(error))
        except (stripe.APIError, stripe.IdempotencyError):
            if (known := _find(client, request)) is None:
                raise
            return _outcome(known)
    return translate.charge(intent.to_dict())


def resume(client: stripe.StripeClient, intent_id: str, return_url: str) -> Charge:
    """Confirm an intent with its owner there. One that has a page or a code already, shows it."""
    with clients.answers():
        intent = _read(client, intent_id)
        if _asks_with(intent):
            intent = _confirmed(client, intent, return_url)
    return translate.charge(intent)


def withdraw(client: stripe.StripeClient, intent_id: str) -> Charge:
    """Cancel an intent. One whose money is on its way is left alone."""
    with clients.answers():
        intent = _read(client, intent_id)
        if _is_cancelable(intent):
            intent = _or_as_it_is(
                client,
                intent,
                lambda: client.v1.payment_intents.cancel(
                    intent_id, {"cancellation_reason": "abandoned"}
                ),
                is_untouched=_is_cancelable,
            )
    return translate.charge(intent)


def refund(client: stripe.StripeClient, request: RefundRequest) -> Refund:
    """Refund a PaymentIntent, or a charge of before there were any."""
    params: stripe.params.RefundCreateParams = {
        "amount": currencies.to_stripe(request.amount),
        "metadata": {"reference": request.reference},
    }
    if request.charge_external_id.startswith("pi_"):
        params["payment_intent"] = request.charge_external_id
    else:
        params["charge"] = request.charge_external_id
    with clients.answers(is_repeated=request.is_repeated):
        if request.is_repeated and (known := _find_refund(client, request)) is not None:
            return translate.refund(known)
        try:
            made = client.v1.refunds.create(params, clients.once(f"refund:{request.reference}"))
        except (stripe.APIError, stripe.IdempotencyError):
            if (known := _find_refund(client, request)) is None:
                raise
            return translate.refund(known)
    return translate.refund(made.to_dict())


def _params(request: ChargeRequest) -> stripe.params.PaymentIntentCreateParams:
    """The kind is named, so that no setting in Stripe's dashboard decides what can be charged.

    An intent that takes whatever the dashboard offers, and may not redirect, is not sure to have a
    page for `resume` to open.
    """
    params: stripe.params.PaymentIntentCreateParams = {
        "amount": currencies.to_stripe(request.amount),
        "currency": request.amount.currency.lower(),
        "customer": request.customer_external_id,
        "payment_method_types": [request.method_kind],
        "confirm": True,
        "metadata": {"reference": request.reference},
    }
    if request.method_kind == _PIX:  # nothing is saved: each payment has a code of its own
        params["payment_method_data"] = {"type": _PIX}
    else:
        params |= {"payment_method": request.method_external_id, "off_session": True}
    if request.receipt_email:
        params["receipt_email"] = request.receipt_email
    return params


def _find(client: stripe.StripeClient, request: ChargeRequest) -> dict[str, Any] | None:
    """What an earlier sending of this request made, if Stripe shows that it made something.

    However many came after it: all that the customer has since the reference was made.
    """
    params: stripe.params.PaymentIntentListParams = {
        "customer": request.customer_external_id,
        "limit": 100,
    }
    if (made_at := references.made_at(request.reference)) is not None:
        params["created"] = {"gte": int((made_at - _CLOCKS_DIFFER).timestamp())}
    for intent in client.v1.payment_intents.list(params).auto_paging_iter():
        fields = intent.to_dict()
        if translate.reference(fields) == request.reference:
            return fields
    return None


def _find_refund(client: stripe.StripeClient, request: RefundRequest) -> dict[str, Any] | None:
    """What an earlier sending of this refund made (see `_find`)."""
    params: stripe.params.RefundListParams = {"limit": 100}
    if request.charge_external_id.startswith("pi_"):
        params["payment_intent"] = request.charge_external_id
    else:
        params["charge"] = request.charge_external_id
    for found in client.v1.refunds.list(params).auto_paging_iter():
        fields = found.to_dict()
        if translate.reference(fields) == request.reference:
            return fields
    return None


def _outcome(intent: Fields) -> Charge:
    if not translate.is_tried(intent):
        raise GatewayUnavailableError("Stripe has not made up its mind yet.")
    return translate.charge(intent)


def _read(client: stripe.StripeClient, intent_id: str) -> dict[str, Any]:
    return client.v1.payment_intents.retrieve(intent_id).to_dict()


def _asks_with(intent: Fields) -> str:
    """The method to confirm with, or empty if there is nothing to confirm."""
    action = translate.charge(intent).action
    if action is None or action.url or action.kind is not ActionKind.PAGE:
        return ""
    told = intent.get("last_payment_error") or {}
    return translate.id_of(told.get("payment_method")) or translate.id_of(
        intent.get("payment_method")
    )


def _is_cancelable(intent: Fields) -> bool:
    return intent["status"] in _CANCELABLE


def _confirmed(client: stripe.StripeClient, intent: Fields, return_url: str) -> dict[str, Any]:
    try:
        return _or_as_it_is(
            client,
            intent,
            lambda: client.v1.payment_intents.confirm(
                intent["id"], {"payment_method": _asks_with(intent), "return_url": return_url}
            ),
            is_untouched=lambda now: bool(_asks_with(now)),
        )
    except stripe.CardError:
        return _read(client, intent["id"])


def _or_as_it_is(
    client: stripe.StripeClient,
    intent: Fields,
    put: Callable[[], stripe.PaymentIntent],
    *,
    is_untouched: Callable[[Fields], bool],
) -> dict[str, Any]:
    """What came of it; where that fails because somebody else came first, what it is now."""
    try:
        return put().to_dict()
    except (stripe.APIError, stripe.InvalidRequestError):
        now = _read(client, intent["id"])
        if is_untouched(now):
            raise
        return now
