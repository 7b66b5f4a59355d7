"""Stripe's five verbs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe
from django.conf import settings

from billing.gateways.base import (
    BadSignatureError,
    Charge,
    ChargeRequest,
    Fact,
    GatewayUnavailableError,
    Notification,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
)
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import currencies, translate
from billing.gateways.stripe.mirror import Mirror

_TOLERANCE: Final = 300  # seconds, as Stripe advises
_HEADER: Final = "stripe-signature"


class StripeGateway:
    """Stripe, or whatever speaks its API at `STRIPE_API_BASE`.

    Charges are PaymentIntents and are known by their ids; a set-up is a Checkout Session where the
    customer goes to Stripe's page and a SetupIntent where a token is at hand. Stripe forgets an
    idempotency key after a day or so: a charge that may have been sent is looked for before that.
    """

    name = "stripe"

    def __init__(self) -> None:
        self._client = clients.build()
        self._mirror = Mirror()
        self._facts: Mapping[str, Callable[[Mapping[str, Any]], Fact | None]] = {
            "charge": self._charge_of,
            "checkout.session": self._checkout,
            "dispute": translate.dispute,
            "payment_intent": translate.charge,
            "payment_method": translate.method_change,
            "refund": translate.refund,
            "setup_intent": self._setup,
        }

    def charge(self, request: ChargeRequest) -> Charge:
        """Create and confirm a PaymentIntent, the customer being away."""
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": currencies.to_stripe(request.amount),
            "currency": request.amount.currency.lower(),
            "customer": request.customer_external_id,
            "payment_method": request.method_external_id,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "confirm": True,
            "off_session": True,
            "metadata": {"reference": request.reference},
        }
        with clients.answers():
            if request.is_repeated and (known := self._find(request)) is not None:
                return _outcome(known)
            try:
                intent = self._client.v1.payment_intents.create(
                    params, _once(f"attempt:{request.reference}")
                )
            except stripe.CardError as error:
                return translate.declined_charge(request.reference, clients.fields(error))
            except (stripe.APIError, stripe.IdempotencyError):
                if (known := self._find(request)) is None:
                    raise
                return _outcome(known)
        return translate.charge(intent.to_dict())

    def refund(self, request: RefundRequest) -> Refund:
        """Refund a PaymentIntent, or a charge of before there were any."""
        params: stripe.params.RefundCreateParams = {
            "amount": currencies.to_stripe(request.amount),
            "metadata": {"reference": request.reference},
        }
        if request.charge_external_id.startswith("pi_"):
            params["payment_intent"] = request.charge_external_id
        else:
            params["charge"] = request.charge_external_id
        with clients.answers():
            if request.is_repeated and (known := self._find_refund(request)) is not None:
                return translate.refund(known)
            try:
                refund = self._client.v1.refunds.create(
                    params, _once(f"refund:{request.reference}")
                )
            except (stripe.APIError, stripe.IdempotencyError):
                if (known := self._find_refund(request)) is None:
                    raise
                return translate.refund(known)
        return translate.refund(refund.to_dict())

    def start_setup(self, request: SetupRequest) -> Setup:
        """Set a `pm_…` up at once, or open a Checkout Session for cards.

        A token whose owner would have to authenticate is declined: only the page can ask.
        """
        with clients.answers():
            customer = request.customer_external_id or self._new_customer(request.anonymous_id)
            if request.token is None:
                return self._open_page(request, customer)
            return self._set_up(request, request.token, customer)

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """What the object is now, mirrored on the way, even where it means nothing to us.

        A set-up begun on Stripe's page is told by its session; its intent alone means nothing.
        """
        found = self._read(object_type, object_id)
        if found is None or object_type not in self._facts:
            return None
        return self._facts[object_type](found)

    def forget(self, customer_external_id: str) -> None:
        """Empty the mirror of them."""
        self._mirror.forget(customer_external_id)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify Stripe's signature, not more than five minutes old, and read the event.

        An event about something without an id (a balance) has an empty `object_id`.
        """
        _verify(body, next((v for k, v in headers.items() if k.lower() == _HEADER), ""))
        try:
            event = json.loads(body)
            about = event["data"]["object"]
            return Notification(
                event_id=_required(event["id"]),
                kind=_required(event["type"]),
                object_type=str(about.get("object") or ""),
                object_id=str(about.get("id") or ""),
                occurred_at=datetime.fromtimestamp(int(event["created"]), UTC),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
            raise BadSignatureError("Stripe's notification cannot be read.") from None

    def _find(self, request: ChargeRequest) -> dict[str, Any] | None:
        """What an earlier sending of this request made, if Stripe shows that it made something.

        Under one key Stripe repeats even its own failures for a day, whatever became of the money;
        and after that day the key alone no longer keeps a second sending from charging again.
        """
        intents = self._client.v1.payment_intents.list(
            {"customer": request.customer_external_id, "limit": 100}
        )
        for intent in intents.data:
            fields = intent.to_dict()
            if translate.reference(fields) == request.reference:
                return fields
        return None

    def _find_refund(self, request: RefundRequest) -> dict[str, Any] | None:
        """What an earlier sending of this refund made (see `_find`)."""
        params: stripe.params.RefundListParams = {"limit": 100}
        if request.charge_external_id.startswith("pi_"):
            params["payment_intent"] = request.charge_external_id
        else:
            params["charge"] = request.charge_external_id
        for refund in self._client.v1.refunds.list(params).data:
            fields = refund.to_dict()
            if translate.reference(fields) == request.reference:
                return fields
        return None

    def _new_customer(self, anonymous_id: str) -> str:
        customer = self._client.v1.customers.create(
            {"metadata": {"anonymous_id": anonymous_id}}, _once(f"customer:{anonymous_id}")
        )
        return customer.id

    def _open_page(self, request: SetupRequest, customer: str) -> Setup:
        session = self._client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": customer,
                "payment_method_types": ["card"],
                "success_url": request.success_url,
                "cancel_url": request.cancel_url,
                "client_reference_id": request.reference,
                "metadata": {"reference": request.reference},
            },
            _once(f"setup:{request.reference}"),
        )
        return translate.checkout(session.to_dict(), None, None)

    def _set_up(self, request: SetupRequest, token: str, customer: str) -> Setup:
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
            intent = self._client.v1.setup_intents.create(
                params, _once(f"setup:{request.reference}")
            ).to_dict()
        except stripe.CardError as error:
            return translate.declined_setup(request.reference, customer, clients.fields(error))
        return translate.setup(intent, intent.get("payment_method"))

    def _read(self, object_type: str, object_id: str) -> dict[str, Any] | None:
        """The object, mirrored; None if it is not there or not of a type that we read."""
        if object_type not in clients.READABLE or not object_id:
            return None
        with clients.answers():
            try:
                found = clients.retrieve(self._client, object_type, object_id)
            except stripe.InvalidRequestError as error:
                if clients.is_missing(error):
                    return None
                raise
        self._mirror.keep(found)
        return found.to_dict()

    def _charge_of(self, charge: Mapping[str, Any]) -> Fact | None:
        return self.fetch("payment_intent", str(charge.get("payment_intent") or ""))

    def _checkout(self, session: Mapping[str, Any]) -> Setup | None:
        if session["mode"] != "setup":
            return None
        if session["status"] != "complete":
            return translate.checkout(session, None, None)
        intent = self._read("setup_intent", str(session.get("setup_intent") or ""))
        return translate.checkout(session, intent, self._method_of(intent))

    def _setup(self, intent: Mapping[str, Any]) -> Setup | None:
        if not translate.reference(intent):
            return None
        return translate.setup(intent, self._method_of(intent))

    def _method_of(self, intent: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if intent is None or intent["status"] != "succeeded":
            return None
        return self._read("payment_method", str(intent.get("payment_method") or ""))


def _outcome(intent: Mapping[str, Any]) -> Charge:
    if not translate.is_over(intent):
        raise GatewayUnavailableError("Stripe has not made up its mind yet.")
    return translate.charge(intent)


def _once(key: str) -> stripe.RequestOptions:
    return {"idempotency_key": key}


def _required(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _verify(body: bytes, signature: str) -> None:
    """Say what is wrong, and quote nothing of it."""
    try:
        stripe.WebhookSignature.verify_header(
            body, signature, settings.STRIPE_WEBHOOK_SECRET, _TOLERANCE
        )
    except stripe.SignatureVerificationError as error:
        is_old = "tolerance" in str(error)
        what = "is too old" if is_old else "does not match"
        raise BadSignatureError(f"Stripe's signature {what}.") from None
    except (ValueError, TypeError):
        raise BadSignatureError("Stripe's notification cannot be read.") from None
