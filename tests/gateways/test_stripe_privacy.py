"""What Stripe is told: of people, nothing, but what an operator puts into evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing import clock
from billing.core.money import Money
from billing.gateways.abilities import Document, Evidence
from billing.gateways.base import Charge, ChargeRequest, RefundRequest, Setup, SetupRequest
from billing.gateways.stripe.gateway import StripeGateway
from tests.gateways.cases import StandIn, StripeCase

pytestmark = pytest.mark.django_db

# Every parameter that may ever leave. None of them could hold who somebody is.
SENT = {
    "amount",
    "automatic_payment_methods.allow_redirects",
    "automatic_payment_methods.enabled",
    "cancel_url",
    "cancellation_reason",
    "client_reference_id",
    "confirm",
    "created.gte",
    "currency",
    "customer",
    "expand",
    "limit",
    "metadata.anonymous_id",
    "metadata.reference",
    "mode",
    "off_session",
    "payment_intent",
    "payment_method",
    "payment_method_data.type",
    "payment_method_types",
    "payout",
    "return_url",
    "success_url",
    "usage",
}
# The exception. The file goes without the name that it has at the operator's.
EVIDENCE = {
    "evidence.uncategorized_file",
    "evidence.uncategorized_text",
    "file.filename",
    "file.size",
    "file.type",
    "purpose",
    "submit",
}
SHOP = "http://localhost/"


@pytest.fixture
def case(stand_in: StandIn) -> StripeCase:
    return StripeCase(stand_in, "whsec_any")


@pytest.fixture
def gateway(case: StripeCase) -> StripeGateway:
    assert isinstance(case.gateway, StripeGateway)
    return case.gateway


def leaves(params: Any, path: str = "") -> Iterator[str]:
    if isinstance(params, dict):
        for name, value in params.items():
            inner = f"{path}.{name}" if path else name
            yield from leaves(value, path if name.isdigit() else inner)
    elif isinstance(params, list):
        for value in params:
            yield from leaves(value, path)
    else:
        yield path


def sent(stand_in: StandIn) -> set[str]:
    return {leaf for request in stand_in.requests() for leaf in leaves(request["params"])}


def request_for(setup: Setup, reference: str) -> ChargeRequest:
    assert setup.method is not None
    return ChargeRequest(
        reference, Money(1000, "EUR"), setup.customer_external_id, setup.method.external_id
    )


def every_verb(gateway: StripeGateway, case: StripeCase) -> Charge:
    setup = gateway.start_setup(SetupRequest("s1", "anon_1", token="pm_card_visa"))
    for kind in gateway.capabilities.kinds:
        gateway.start_setup(SetupRequest(f"s-{kind}", "anon_1", None, None, kind, SHOP, SHOP))
    charge = gateway.charge(request_for(setup, "a1"))
    gateway.charge(replace(request_for(setup, "a1"), is_repeated=True))
    pix = ChargeRequest("a2", Money(1000, "BRL"), setup.customer_external_id, "pix:x:y", "pix")
    gateway.withdraw(gateway.charge(pix).external_id)
    asked = gateway.charge(request_for(case.asking(), "a3"))
    gateway.resume(asked.external_id, return_url=SHOP)
    refund = RefundRequest("r1", charge.external_id, Money(100, "EUR"))
    gateway.refund(refund)
    gateway.refund(replace(refund, is_repeated=True))
    gateway.fetch("charge", charge.external_id)
    gateway.fetch("setup", setup.external_id)
    gateway.fetch("customer", setup.customer_external_id)
    return charge


def every_list(gateway: StripeGateway, stand_in: StandIn) -> None:
    payout = stand_in.control("payouts/pay", currency="eur", include_pending=True)
    since = clock.now() - timedelta(hours=1)
    assert list(gateway.recall(since))
    assert list(gateway.movements(since))
    assert list(gateway.payouts(since))
    assert list(gateway.paid_out(payout["id"]))


def test_nothing_personal_is_ever_sent(
    gateway: StripeGateway, case: StripeCase, stand_in: StandIn
) -> None:
    every_verb(gateway, case)
    every_list(gateway, stand_in)

    assert sent(stand_in) <= SENT
    assert {"metadata.anonymous_id", "amount", "return_url", "payout"} <= sent(stand_in)


def test_evidence_is_the_exception_and_goes_to_disputes_only(
    gateway: StripeGateway, case: StripeCase, stand_in: StandIn
) -> None:
    setup = gateway.start_setup(SetupRequest("s1", "anon_1", token="pm_card_visa"))
    dispute = case.dispute(gateway.charge(request_for(setup, "a1")))
    proof = Document("alice-smith.pdf", "application/pdf", b"%PDF-1.4 Alice Smith signed")

    gateway.submit_evidence(dispute, Evidence("She signed for it.", (proof,)))

    told = {
        request["path"]
        for request in stand_in.requests()
        if set(leaves(request["params"])) & EVIDENCE
    }
    assert told == {"/v1/files", f"/v1/disputes/{dispute}"}
    assert sent(stand_in) <= SENT | EVIDENCE
    assert "alice" not in str(stand_in.requests()).lower()


def test_a_receipt_is_mailed_only_where_that_was_asked_for(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    setup = gateway.start_setup(SetupRequest("s1", "anon_1", token="pm_card_visa"))
    gateway.charge(request_for(setup, "a1"))
    assert "receipt_email" not in sent(stand_in)

    gateway.charge(replace(request_for(setup, "a2"), receipt_email="alice@example.org"))

    assert sent(stand_in) - SENT == {"receipt_email"}
