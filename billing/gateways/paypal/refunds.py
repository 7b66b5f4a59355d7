"""Refunds of captures.

PayPal keeps a `PayPal-Request-Id` of refunds for 45 days, and refuses an `invoice_id` (our
reference) that a refund bore before. One that may have been sent is looked for first: among the
refunds of its order, which PayPal shows at once, and else in the search of transactions.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from billing.gateways.base import (
    GatewayRejectedError,
    GatewayUnavailableError,
    Refund,
    RefundRequest,
)
from billing.gateways.paypal import client as clients
from billing.gateways.paypal import currencies, search, translate
from billing.gateways.paypal.charges import CAPTURES, ORDERS
from billing.gateways.paypal.client import Client, EarlierError, Fields, RefusedError

REFUNDS: Final = "/v2/payments/refunds"


def refund(client: Client, request: RefundRequest) -> Refund:
    """Give back all or part of a capture."""
    if not request.charge_external_id:
        raise GatewayRejectedError("There is nothing to refund: the charge took no money.")
    body = {
        "amount": currencies.to_paypal(request.amount),
        "custom_id": request.reference,
        "invoice_id": request.reference,
    }
    path = f"{CAPTURES}/{quote(request.charge_external_id, safe='')}/refund"
    with clients.doubtful(is_repeated=request.is_repeated):
        if request.is_repeated and (known := _find(client, request)) is not None:
            return translate.refund(known)
        try:
            made = client.post(path, body, f"refund:{request.reference}")
        except EarlierError:
            return translate.refund(_found(client, request))
    return translate.refund({"custom_id": request.reference} | dict(made))


def _found(client: Client, request: RefundRequest) -> Fields:
    with clients.doubtful():
        known = _find(client, request)
    if known is None:
        raise GatewayUnavailableError("PayPal was asked before, and does not show what came of it.")
    return known


def _find(client: Client, request: RefundRequest) -> Fields | None:
    """What an earlier sending of this refund made, if PayPal shows that it made something."""
    capture = client.find(CAPTURES, request.charge_external_id) or {}
    order_id = translate.order_of(capture)
    order = client.find(ORDERS, order_id) if order_id else None
    if order is None:
        return _searched(client, request)
    for found in translate.refunds(order):
        if translate.reference(found) == request.reference:
            return found
    return None


def _searched(client: Client, request: RefundRequest) -> Fields | None:
    try:
        ids = search.transactions(client, request.reference, request.amount.currency, search.REFUND)
        shown = (client.find(REFUNDS, one) for one in ids)
        return next((one for one in shown if one is not None), None)
    except RefusedError as refusal:
        raise GatewayUnavailableError(f"Earlier refunds cannot be searched. {refusal}") from None
