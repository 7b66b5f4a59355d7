"""Stripe as a gateway: each verb is at home in a module of its own beside this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import stripe
from django.conf import settings

from billing.gateways.abilities import Evidence, Movement, Payout
from billing.gateways.base import (
    Capabilities,
    Charge,
    ChargeRequest,
    Dispute,
    Fact,
    Notification,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
)
from billing.gateways.stripe import charges, events, money, setups, translate
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import evidence as answers
from billing.gateways.stripe import recall as memory
from billing.gateways.stripe.mirror import Mirror
from billing.gateways.stripe.translate import Fields

# What our words for an object mean at Stripe, by how its id begins.
_OURS: Final[Mapping[str, Mapping[str, str]]] = {
    "charge": {"pi_": "payment_intent"},
    "setup": {"cs_": "checkout.session", "seti_": "setup_intent"},
}


class StripeGateway:
    """Stripe, or whatever speaks its API at `STRIPE_API_BASE`.

    Charges are PaymentIntents and are known by their ids; a set-up is a Checkout Session where the
    customer goes to Stripe's page and a SetupIntent where a token is at hand.
    """

    name = "stripe"
    capabilities = Capabilities("Stripe", setups.KINDS, priority=10)

    def __init__(self, client: stripe.StripeClient | None = None) -> None:
        self._client = client or clients.build()
        self._mirror = Mirror()
        self._facts: Mapping[str, Callable[[Fields], Fact | None]] = {
            "charge": self._charge_of,
            "checkout.session": self._checkout,
            "dispute": translate.dispute,
            "payment_intent": translate.charge,
            "payment_method": translate.method_change,
            "refund": translate.refund,
            "setup_intent": self._setup,
        }

    def charge(self, request: ChargeRequest) -> Charge:
        """Take money while the customer is away, or ask them for it (pix, 3-D Secure)."""
        return charges.charge(self._client, request)

    def resume(self, charge_external_id: str, *, return_url: str) -> Charge:
        """Ask the payer, who is here now."""
        return charges.resume(self._client, charge_external_id, return_url)

    def withdraw(self, charge_external_id: str) -> Charge:
        """Ask the payer no more."""
        return charges.withdraw(self._client, charge_external_id)

    def refund(self, request: RefundRequest) -> Refund:
        """Give money back."""
        return charges.refund(self._client, request)

    def start_setup(self, request: SetupRequest) -> Setup:
        """Set a `pm_…` or pix up at once, or open Stripe's page."""
        return setups.start(self._client, request)

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """What the object is now, mirrored on the way, even where it means nothing to us.

        A set-up begun on Stripe's page is told by its session; its intent alone means nothing.
        """
        if setups.is_pushed(object_id):
            return setups.pushed(object_type, object_id)
        theirs = _theirs(object_type, object_id)
        found = self._read(theirs, object_id)
        if found is None or theirs not in self._facts:
            return None
        return self._facts[theirs](found)

    def submit_evidence(self, dispute_external_id: str, evidence: Evidence) -> Dispute:
        """Answer a dispute, once and for all."""
        return answers.submit(self._client, dispute_external_id, evidence)

    def movements(self, since: datetime) -> Iterator[Movement]:
        """The lines of Stripe's account with us, newest first."""
        return money.movements(self._client, since)

    def payouts(self, since: datetime) -> Iterator[Payout]:
        """What Stripe paid out, newest first."""
        return money.payouts(self._client, since)

    def paid_out(self, payout_external_id: str) -> Iterator[Movement]:
        """The lines that make an automatic payout up."""
        return money.paid_out(self._client, payout_external_id)

    def recall(self, since: datetime) -> Iterator[Fact]:
        """What of ours began since then, as it is now; nothing is mirrored."""
        return memory.recall(self._client, since)

    def forget(self, customer_external_id: str) -> None:
        """Empty the mirror of them."""
        self._mirror.forget(customer_external_id)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify Stripe's signature and read the event."""
        return events.parse(body, headers)

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

    def _charge_of(self, charge: Fields) -> Fact | None:
        return self.fetch("payment_intent", str(charge.get("payment_intent") or ""))

    def _checkout(self, session: Fields) -> Setup | None:
        if session["mode"] != "setup":
            return None
        if session["status"] != "complete":
            return translate.checkout(session, None, None)
        intent = self._read("setup_intent", str(session.get("setup_intent") or ""))
        return translate.checkout(session, intent, self._method_of(intent))

    def _setup(self, intent: Fields) -> Setup | None:
        if not translate.reference(intent):
            return None
        return translate.setup(intent, self._method_of(intent))

    def _method_of(self, intent: Fields | None) -> Fields | None:
        if intent is None or intent["status"] != "succeeded":
            return None
        return self._read("payment_method", str(intent.get("payment_method") or ""))


def build() -> StripeGateway | None:
    """Where there is a key."""
    return StripeGateway() if settings.STRIPE_SECRET_KEY else None


def _theirs(object_type: str, object_id: str) -> str:
    """Stripe's word for a type of ours."""
    begins = _OURS.get(object_type, {})
    return next((word for how, word in begins.items() if object_id.startswith(how)), object_type)
