"""Charges: orders that are paid at once from a payment token, known by the ids of their captures.

Of the ids that PayPal gives (order, capture), the capture's is the one that refunds, disputes and
notifications speak of.

PayPal keeps a `PayPal-Request-Id` of orders for 6 hours and answers a repetition with what the
first sending made. After that only the `invoice_id`, our reference, stands in the way of a second
payment, and only where the seller's account has "Block accidental payments" switched on. So what
may have been sent is first looked for (`search`), and where that cannot be done it is not sent.
"""

from __future__ import annotations

from typing import Final

from billing.gateways.base import Charge, ChargeRequest, ChargeStatus, GatewayUnavailableError
from billing.gateways.paypal import client as clients
from billing.gateways.paypal import currencies, declines, search, translate
from billing.gateways.paypal.client import Client, EarlierError, Fields, RefusedError

ORDERS: Final = "/v2/checkout/orders"
CAPTURES: Final = "/v2/payments/captures"


def charge(client: Client, request: ChargeRequest) -> Charge:
    """Take money while the payer is away."""
    body = _order(request)
    with clients.doubtful(is_repeated=request.is_repeated):
        if request.is_repeated and (known := _find(client, request)) is not None:
            return known
        try:
            order = client.post(ORDERS, body, f"attempt:{request.reference}")
        except RefusedError as refusal:
            if declines.is_decline(refusal.issue):
                return translate.declined_charge(request.reference, refusal.issue)
            raise
        except EarlierError:
            return _found(client, request)
    with clients.doubtful():
        return _outcome(client, request, order)


def of_order(client: Client, order_id: str) -> Charge | None:
    """What became of an order; None if it is not there or was not paid."""
    order = client.find(ORDERS, order_id)
    capture = next(translate.captures(order), None) if order else None
    return translate.charge(capture) if capture else None


def _order(request: ChargeRequest) -> Fields:
    """What PayPal is told. The payer's own receipt, PayPal sends by itself."""
    return {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "amount": currencies.to_paypal(request.amount),
                "custom_id": request.reference,
                "invoice_id": request.reference,
            }
        ],
        "payment_source": {
            "paypal": {
                "vault_id": request.method_external_id,
                "stored_credential": {
                    "payment_initiator": "MERCHANT",
                    "usage": "SUBSEQUENT",
                    "usage_pattern": "UNSCHEDULED_POSTPAID",
                },
            }
        },
    }


def _outcome(client: Client, request: ChargeRequest, order: Fields) -> Charge:
    """What became of an order. One that waits for the payer takes nothing unless we ask it to."""
    capture = next(translate.captures(order), None)
    if capture is None and order.get("status") == "COMPLETED":
        whole = client.find(ORDERS, str(order.get("id") or "")) or {}
        capture = next(translate.captures(whole), None)
    if capture is not None:
        return translate.charge({"custom_id": request.reference} | dict(capture))
    if order.get("status") == declines.PAYER_ACTION:
        return translate.declined_charge(request.reference, declines.PAYER_ACTION)
    raise GatewayUnavailableError("PayPal has not made up its mind yet.")


def _found(client: Client, request: ChargeRequest) -> Charge:
    with clients.doubtful():
        known = _find(client, request)
    if known is None:
        raise GatewayUnavailableError("PayPal was asked before, and does not show what came of it.")
    return known


def _find(client: Client, request: ChargeRequest) -> Charge | None:
    """What an earlier sending of this request took, or tried to, if PayPal shows it."""
    try:
        ids = list(
            search.transactions(client, request.reference, request.amount.currency, search.PAYMENT)
        )
    except RefusedError as refusal:
        raise GatewayUnavailableError(f"Earlier payments cannot be searched. {refusal}") from None
    shown = (client.find(CAPTURES, one) for one in ids)
    charges = [translate.charge(one) for one in shown if one is not None]
    if ids and not charges:
        raise GatewayUnavailableError("PayPal knows of the payment, and does not show it.")
    taken = (one for one in charges if one.status is not ChargeStatus.DECLINED)
    return next(taken, charges[0] if charges else None)
