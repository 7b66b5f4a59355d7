"""The gateways as cases of the contract, and a driver of the stand-in for Stripe."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import stripe

from billing.gateways.base import Gateway, Notification, Setup
from billing.gateways.sandbox import SandboxGateway, signed_notification
from billing.gateways.stripe.gateway import StripeGateway

Told = tuple[bytes, Mapping[str, str]]


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it leads back to the shop."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class StandIn:
    """Drives the stand-in through its own API and its pages."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _Staying(), _Refused()
        )

    def fail(self, path: str, *, action: str, moment: str = "before", times: int = 1) -> None:
        """Let the next calls of `POST /v1/…` or the like go wrong."""
        method, _, where = path.rpartition(" ")
        wish: dict[str, Any] = {"method": method or "*", "path": where, "action": action}
        wish |= {"moment": moment, "times": times}
        self._control("POST", "faults", wish)

    def requests(self) -> list[dict[str, Any]]:
        """What was asked of Stripe's API, oldest first."""
        found: list[dict[str, Any]] = self._control("GET", "requests?path=/v1/")["data"]
        return found

    def fill_in(self, page: str, card_number: str) -> None:
        """Post the hosted page's form."""
        form = {"card_number": card_number, "expiry": "12 / 40", "cvc": "123", "action": "submit"}
        self._opener.open(page, urlencode(form).encode(), timeout=10).close()

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # loopback
            f"{self.url}/_control/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
        )
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)


class _Refused(urllib.request.HTTPErrorProcessor):
    """Takes a page that says no (402) or sends away (303) for an answer."""

    def http_response(self, _request: Any, response: Any) -> Any:
        return response


class Case(Protocol):
    """What the contract needs to know of a gateway besides the protocol."""

    gateway: Gateway
    unavailable: str  # the method a charge of which gets no answer, or empty: see `silence`
    tokens: Mapping[str, str]
    types: Mapping[str, str]

    def finish(self, setup: Setup) -> None: ...
    def silence(self) -> None: ...
    def silence_refunds(self) -> str: ...
    def returned(self, reference: str) -> int: ...
    def tell(self, notification: Notification) -> Told: ...
    def taken(self, reference: str) -> int: ...


class SandboxCase:
    """In this process."""

    unavailable = "tok_unavailable"
    tokens: Mapping[str, str] = {
        "good": "tok_ok",
        "poor": "tok_declined",
        "refused": "tok_setup_declined",
        "unknown": "tok_of_nobody",
    }
    types: Mapping[str, str] = {
        "charge": "charge",
        "refund": "refund",
        "setup": "setup",
        "page": "setup",
    }

    def __init__(self) -> None:
        self.gateway: Gateway = SandboxGateway()

    def finish(self, setup: Setup) -> None:
        """There is no page."""

    def silence(self) -> None:
        """The token says so."""

    def silence_refunds(self) -> str:
        """Whose refunds get no answer."""
        return "tok_refund_unavailable"

    def returned(self, reference: str) -> int:
        """As with charges."""
        return self.taken(reference)

    def tell(self, notification: Notification) -> Told:
        return signed_notification(notification)

    def taken(self, reference: str) -> int:
        """It remembers nothing: the identifier tells that it is the same charge."""
        return 1 if reference else 0


class StripeCase:
    """Over HTTP, at the stand-in."""

    unavailable = ""
    tokens: Mapping[str, str] = {
        "good": "pm_card_visa",
        "poor": "pm_card_chargeCustomerFail",
        "refused": "pm_card_chargeDeclined",
        "unknown": "pm_of_nobody",
    }
    types: Mapping[str, str] = {
        "charge": "payment_intent",
        "refund": "refund",
        "setup": "setup_intent",
        "page": "checkout.session",
    }

    def __init__(self, stand_in: StandIn, secret: str) -> None:
        self.gateway: Gateway = StripeGateway()
        self._stand_in, self._secret = stand_in, secret

    def finish(self, setup: Setup) -> None:
        self._stand_in.fill_in(setup.url, "4242 4242 4242 4242")

    def silence(self) -> None:
        self._stand_in.fail("POST /v1/payment_intents", action="cut", moment="after", times=3)

    def silence_refunds(self) -> str:
        self._stand_in.fail("POST /v1/refunds", action="cut", moment="after", times=3)
        return "pm_card_visa"

    def returned(self, reference: str) -> int:
        client = stripe.StripeClient(
            "sk_test_" + "0" * 32, base_addresses={"api": self._stand_in.url}
        )
        found = client.v1.refunds.list({"limit": 100}).data
        return sum(
            refund.metadata is not None and refund.metadata["reference"] == reference
            for refund in found
        )

    def tell(self, notification: Notification) -> Told:
        return stripe_notification(notification, self._secret)

    def taken(self, reference: str) -> int:
        client = stripe.StripeClient(
            "sk_test_" + "0" * 32, base_addresses={"api": self._stand_in.url}
        )
        intents = client.v1.payment_intents.list({"limit": 100}).data
        return sum(
            intent.status == "succeeded" and intent.metadata["reference"] == reference
            for intent in intents
        )


def stripe_notification(notification: Notification, secret: str) -> Told:
    """The body and headers by which Stripe would tell us of this."""
    body = json.dumps(
        {
            "id": notification.event_id,
            "object": "event",
            "type": notification.kind,
            "created": int(notification.occurred_at.timestamp()),
            "data": {"object": {"object": notification.object_type, "id": notification.object_id}},
        }
    )
    return body.encode(), stripe_signature(body, secret, notification.occurred_at)


def stripe_signature(body: str, secret: str, at: datetime) -> dict[str, str]:
    """Stripe's signature of a body, as of then."""
    signed = stripe.WebhookSignature.generate_signature_header(
        body, secret, timestamp=int(at.timestamp())
    )
    return {"Stripe-Signature": signed}
