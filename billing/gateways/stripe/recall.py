"""What happened, told again: for the case that Stripe's notifications were lost.

Lists tell all there is to tell, so that nothing is asked for one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import stripe

from billing.gateways.base import Charge, Dispute, Fact, Refund, Setup
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import translate


def recall(client: stripe.StripeClient, since: datetime) -> Iterator[Fact]:
    """Set-ups first, for charges are made with them; then charges, refunds and disputes."""
    created = {"gte": int(since.timestamp())}
    yield from _visits(client, created)
    yield from _setups(client, created)
    yield from _charges(client, created)
    yield from _refunds(client, created)
    yield from _disputes(client, created)


def _visits(client: stripe.StripeClient, created: dict[str, int]) -> Iterator[Setup]:
    expand = ["data.setup_intent.payment_method"]
    for session in clients.every(client.v1.checkout.sessions.list, created=created, expand=expand):
        if session["mode"] == "setup" and translate.visit_reference(session):
            intent = session.get("setup_intent")
            method = intent.get("payment_method") if intent else None
            yield translate.checkout(session, intent, method)


def _setups(client: stripe.StripeClient, created: dict[str, int]) -> Iterator[Setup]:
    for intent in clients.every(
        client.v1.setup_intents.list, created=created, expand=["data.payment_method"]
    ):
        if translate.reference(intent):
            yield translate.setup(intent, intent.get("payment_method"))


def _charges(client: stripe.StripeClient, created: dict[str, int]) -> Iterator[Charge]:
    for intent in clients.every(client.v1.payment_intents.list, created=created):
        if translate.reference(intent):
            yield translate.charge(intent)


def _refunds(client: stripe.StripeClient, created: dict[str, int]) -> Iterator[Refund]:
    for refund in clients.every(client.v1.refunds.list, created=created):
        if translate.reference(refund):
            yield translate.refund(refund)


def _disputes(client: stripe.StripeClient, created: dict[str, int]) -> Iterator[Dispute]:
    """Ours are those of our charges: a dispute bears no reference itself."""
    for fields in clients.every(
        client.v1.disputes.list, created=created, expand=["data.payment_intent"]
    ):
        intent = fields.get("payment_intent")
        dispute = translate.dispute(fields)
        if dispute is not None and intent and translate.reference(intent):
            yield dispute
