"""The gateways as cases of the contract, and a driver of the stand-in for Stripe."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

import stripe

from billing import clock
from billing.gateways.base import Charge, Gateway, Notification, Setup, SetupRequest
from billing.gateways.paypal.client import Account, Client
from billing.gateways.paypal.gateway import PayPalGateway
from billing.gateways.paypal.search import instant
from billing.gateways.paypal.signatures import Certificates
from billing.gateways.sandbox.gateway import SandboxGateway, signed_notification
from billing.gateways.stripe.gateway import StripeGateway
from paypal_sandbox.webhooks.signing import Message, Signer, made

_SHOP = "http://localhost/"
# Whose abilities and kinds say what of the contract is asked of which case.
GATEWAYS: Mapping[str, type[Gateway]] = {
    "paypal": PayPalGateway,
    "sandbox": SandboxGateway,
    "stripe": StripeGateway,
}

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

    def fail(self, path: str, *, action: str, moment: str = "before", **more: Any) -> None:
        """Let the next calls of `POST /v1/…` or the like go wrong (`times`, `delay`)."""
        method, _, where = path.rpartition(" ")
        wish: dict[str, Any] = {"method": method or "*", "path": where, "action": action}
        self._control("POST", "faults", wish | {"moment": moment} | more)

    def control(self, what: str, **fields: Any) -> dict[str, Any]:
        """Turn one of its knobs (`payments/settle` and the like); the object that it was about."""
        found: dict[str, Any] = self._control("POST", what, fields)
        return found

    def requests(self) -> list[dict[str, Any]]:
        """What was asked of Stripe's API, oldest first."""
        found: list[dict[str, Any]] = self._control("GET", "requests?path=/v1/")["data"]
        return found

    def fill_in(self, page: str, card_number: str) -> str:
        """Post the hosted page's form; where it leads."""
        form = {"card_number": card_number, "expiry": "12 / 40", "cvc": "123", "action": "submit"}
        return self._post(page, form)

    def sign_mandate(self, page: str, iban: str) -> str:
        """Post the hosted page's form of a bank account; where it leads."""
        form = {"iban": iban, "holder": "Jane Doe", "email": "jane@example.org"}
        return self._post(page, form | {"action": "submit"})

    def authenticate(self, page: str, outcome: str = "complete") -> str:
        """Answer the page of the card's bank, and go where it leads if that is still here."""
        query = dict(parse_qsl(urlsplit(page).query))
        onward = self._post(page, query | {"outcome": outcome})
        if onward.startswith(self.url):
            self._opener.open(onward, timeout=10).close()
        return onward

    def _post(self, page: str, form: Mapping[str, str]) -> str:
        where = urlsplit(page)._replace(query="").geturl()
        with self._opener.open(where, urlencode(form).encode(), timeout=10) as answer:
            return str(answer.headers["Location"] or "")

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
    unreachable: str  # likewise, of one that does not hear: see `turn_away`
    looks: tuple[str, str]  # the kind and last digits of what its good token sets up
    tokens: Mapping[str, str]

    def finish(self, setup: Setup) -> None: ...
    def silence(self) -> None: ...
    def turn_away(self) -> None: ...
    def silence_refunds(self) -> str: ...
    def returned(self, reference: str) -> int: ...
    def tell(self, notification: Notification) -> Told: ...
    def taken(self, reference: str) -> int: ...


class AskingCase(Case, Protocol):
    """Of a gateway that asks the payer."""

    def asking(self) -> Setup:
        """A method whose charges ask for its owner."""
        ...

    def agree(self, charge: Charge) -> None:
        """Do what the page asks for that the charge leads to."""
        ...


class DisputedCase(Case, Protocol):
    """Of a gateway that takes evidence."""

    def dispute(self, charge: Charge) -> str:
        """Let the payer's bank contest a charge; the dispute's id."""
        ...


class SandboxCase:
    """In this process."""

    unavailable = "tok_unavailable"
    unreachable = "tok_unreachable"
    looks = ("card", "4242")
    tokens: Mapping[str, str] = {
        "good": "tok_ok",
        "poor": "tok_declined",
        "refused": "tok_setup_declined",
        "unknown": "tok_of_nobody",
    }

    def __init__(self) -> None:
        self.gateway: Gateway = SandboxGateway()

    def finish(self, setup: Setup) -> None:
        """There is no page."""

    def silence(self) -> None:
        """The token says so."""

    def turn_away(self) -> None:
        """Likewise."""

    def asking(self) -> Setup:
        """The token says so."""
        return self.gateway.start_setup(SetupRequest("s-asks", "anon_asks", token="tok_action"))

    def agree(self, charge: Charge) -> None:
        """There is no page."""

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
    unreachable = ""
    looks = ("card", "4242")
    tokens: Mapping[str, str] = {
        "good": "pm_card_visa",
        "poor": "pm_card_chargeCustomerFail",
        "refused": "pm_card_chargeDeclined",
        "unknown": "pm_of_nobody",
    }

    def __init__(self, stand_in: StandIn, secret: str) -> None:
        self.gateway: Gateway = StripeGateway()
        self._stand_in, self._secret = stand_in, secret

    def finish(self, setup: Setup) -> None:
        self._stand_in.fill_in(setup.url, "4242 4242 4242 4242")

    def silence(self) -> None:
        self._stand_in.fail("POST /v1/payment_intents", action="cut", moment="after", times=3)

    def turn_away(self) -> None:
        self._stand_in.fail("POST /v1/payment_intents", action="429")

    def asking(self) -> Setup:
        """A card that is saved on the page, where its bank asks as it will for every charge."""
        request = SetupRequest("s-asks", "anon_asks", None, None, "card", _SHOP, _SHOP)
        started = self.gateway.start_setup(request)
        self._stand_in.authenticate(self._stand_in.fill_in(started.url, "4000 0027 6000 3184"))
        setup = self.gateway.fetch("setup", started.external_id)
        assert isinstance(setup, Setup)
        return setup

    def agree(self, charge: Charge) -> None:
        assert charge.action is not None
        self._stand_in.authenticate(charge.action.url)

    def dispute(self, charge: Charge) -> str:
        opened = self._stand_in.control("disputes/open", payment_intent=charge.external_id)
        return str(opened["id"])

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


class PayPalStandIn(StandIn):
    """Drives the stand-in for PayPal."""

    def requests(self) -> list[dict[str, Any]]:
        """What was asked of PayPal's API, oldest first."""
        found: list[dict[str, Any]] = self._control("GET", "requests")["data"]
        return found

    def agree(self, page: str, account: str = "good") -> str:
        """Post the page's form as one of the test accounts; where it leads."""
        query = dict(parse_qsl(urlsplit(page).query))
        return self._post(page, query | {"account": account, "action": "approve"})

    def moved(self, reference: str, code: str) -> int:
        """How many transactions of a sort bear a reference, and were not denied."""
        query = {"start_date": instant(clock.now() - timedelta(days=30))}
        query |= {"end_date": instant(clock.now()), "transaction_type": code}
        answer = Client(paypal_account(self.url)).get("/v1/reporting/transactions", query)
        found = answer["transaction_details"]
        return sum(one["transaction_info"].get("custom_field") == reference for one in found)


class PayPalCase:
    """Over HTTP, at the stand-in."""

    unavailable = ""
    unreachable = ""
    looks = ("paypal", "")

    def __init__(self, stand_in: PayPalStandIn, webhook_id: str) -> None:
        self._stand_in, self._webhook_id = stand_in, webhook_id
        certificates = Certificates(
            stand_in.url, fetch=lambda _: paypal_seal().certificate.encode()
        )
        self.gateway: Gateway = PayPalGateway(paypal_account(stand_in.url), certificates)
        request = SetupRequest("s-refused", "anon_refused", None, None, "paypal", _SHOP, _SHOP)
        self.tokens: Mapping[str, str] = {
            "good": "vault_good",
            "poor": "vault_declined",
            "refused": self.gateway.start_setup(request).external_id,  # nobody agrees to it
            "unknown": "vault_of_nobody",
        }

    def finish(self, setup: Setup) -> None:
        self._stand_in.agree(setup.url)

    def silence(self) -> None:
        self._stand_in.fail("POST /v2/checkout/orders", action="cut", moment="after")

    def turn_away(self) -> None:
        self._stand_in.fail("POST /v2/checkout/orders", action="429")

    def silence_refunds(self) -> str:
        self._stand_in.fail("POST /v2/payments/captures/*", action="cut", moment="after")
        return "vault_good"

    def dispute(self, charge: Charge) -> str:
        opened = self._stand_in.control("disputes/open", capture=charge.external_id)
        return str(opened["dispute_id"])

    def returned(self, reference: str) -> int:
        return self._stand_in.moved(reference, "T1107")

    def taken(self, reference: str) -> int:
        return self._stand_in.moved(reference, "T0003")

    def tell(self, notification: Notification) -> Told:
        return paypal_notification(notification, self._stand_in.url, self._webhook_id)


def paypal_account(url: str) -> Account:
    """An account at the stand-in, which lets everybody in."""
    return Account(url, "client", "a-secret-of-ours")


def able(protocol: type) -> list[str]:
    """The gateways that have an ability."""
    return [name for name, gateway in GATEWAYS.items() if issubclass(gateway, protocol)]


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


def paypal_notification(notification: Notification, base: str, webhook_id: str) -> Told:
    """The body and headers by which PayPal would tell us of this."""
    about = "dispute_id" if notification.object_type == "dispute" else "id"
    event = {
        "id": notification.event_id,
        "event_type": notification.kind,
        "create_time": notification.occurred_at.isoformat(),
        "resource_type": notification.object_type,
        "resource": {about: notification.object_id},
    }
    body = json.dumps(event).encode()
    return body, paypal_signature(body, base, webhook_id, notification.occurred_at)


def paypal_signature(body: bytes, base: str, webhook_id: str, at: datetime) -> dict[str, str]:
    """PayPal's headers of a body, as of then."""
    sent_at, number = instant(at), "8c1a6b04-f2e2-11ef-9cc7-0242ac120002"
    return {
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": f"{base}/v1/notifications/certs/CERT-1",
        "PAYPAL-TRANSMISSION-ID": number,
        "PAYPAL-TRANSMISSION-SIG": paypal_seal().sign(Message(number, sent_at, webhook_id, body)),
        "PAYPAL-TRANSMISSION-TIME": sent_at,
    }


@cache
def paypal_seal() -> Signer:
    """A key like PayPal's, and its certificate."""
    return Signer(made())
