"""`/checkout-sessions`."""

from __future__ import annotations

from typing import Any

import pytest

from billing.gateways.base import GatewayUnavailableError, Setup, SetupRequest, SetupStatus
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import Subscription
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

MISSING = "0198d5a2-0000-7000-8000-000000000001"


def _body(customer: Customer, **fields: Any) -> dict[str, Any]:
    return {
        "customer": str(customer.pk),
        "success_url": "https://shop.example.com/thanks?session={session}",
        "cancel_url": "https://shop.example.com/plans",
        **fields,
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SetupRequest]:
    """What the gateway is asked; it has a page."""
    requests: list[SetupRequest] = []

    def start_setup(_: SandboxGateway, request: SetupRequest) -> Setup:
        requests.append(request)
        return Setup(
            reference=request.reference,
            external_id=f"cs.{request.reference}",
            status=SetupStatus.OPEN,
            customer_external_id=f"cus.{request.anonymous_id}",
            url="https://pay.example/visit",
        )

    monkeypatch.setattr(SandboxGateway, "start_setup", start_setup)
    return requests


def test_a_visit_to_the_gateways_page(
    operator: Caller, alice: Customer, asked: list[SetupRequest]
) -> None:
    answer = operator.post("/checkout-sessions", _body(alice))

    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "url": "https://pay.example/visit",
        "customer": str(alice.pk),
        "invoice": None,
        "gateway": "sandbox",
        "kind": "card",
        "route_reason": "bank_transfer is switched off; first by priority (90)",
        "status": "open",
        "failure": "",
        "payment_method": None,
        "created_at": answer.body["created_at"],
        "expires_at": None,
    }
    assert operator.get(f"/checkout-sessions/{answer.body['id']}").body == answer.body
    (request,) = asked
    assert request.success_url == f"https://shop.example.com/thanks?session={answer.body['id']}"
    assert "alice" not in str(request)


def test_with_a_plan_they_are_subscribed_first(
    operator: Caller, alice: Customer, asked: list[SetupRequest]
) -> None:
    plan = builders.make_plan()

    for _ in range(2):
        answer = operator.post("/checkout-sessions", _body(alice, plan_id=str(plan.pk)))
        assert answer.status == 201

    assert Subscription.objects.get().plan_version.plan_id == plan.pk
    other = builders.make_plan("Other")
    refused = operator.post("/checkout-sessions", _body(alice, plan_id=str(other.pk)))
    assert (refused.status, refused.code) == (409, "already_subscribed")


def test_a_gateway_that_does_not_answer(
    operator: Caller, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_setup(_: SandboxGateway, __: SetupRequest) -> Setup:
        raise GatewayUnavailableError("no answer")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SandboxGateway, "start_setup", start_setup)
        answer = operator.post("/checkout-sessions", _body(alice), idempotency_key="k1")

    assert (answer.status, answer.code) == (503, "gateway_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert operator.post("/checkout-sessions", _body(alice), idempotency_key="k1").status == 201


def test_a_kind_that_asks_nothing_of_the_customer_is_set_up_at_once(
    operator: Caller, alice: Customer
) -> None:
    operator.patch("/gateways/bank_transfer", {"enabled": True})

    answer = operator.post("/checkout-sessions", _body(alice, kind="bank_transfer"))

    body = answer.body
    assert (answer.status, body["status"], body["url"]) == (201, "completed", "")
    assert (body["gateway"], body["kind"]) == ("bank_transfer", "bank_transfer")
    assert body["route_reason"] == "first by priority (70)"
    [method] = operator.get("/payment-methods").body["payment_methods"]
    assert (method["id"], method["kind"], method["is_default"]) == (
        body["payment_method"],
        "bank_transfer",
        True,
    )


def test_a_gateway_that_is_asked_for_is_taken_or_refused(
    operator: Caller, alice: Customer, asked: list[SetupRequest]
) -> None:
    named = operator.post("/checkout-sessions", _body(alice, gateway="sandbox", kind="card"))
    unknown = operator.post("/checkout-sessions", _body(alice, gateway="abacus"))
    switched_off = operator.post("/checkout-sessions", _body(alice, gateway="bank_transfer"))
    unfit = operator.post(
        "/checkout-sessions", _body(alice, gateway="sandbox", kind="bank_transfer")
    )
    nowhere = operator.post("/checkout-sessions", _body(alice, kind="bank_transfer"))

    assert (named.status, named.body["route_reason"]) == (201, "asked for")
    assert (unknown.status, unknown.code) == (400, "unknown_gateway")
    assert (switched_off.status, switched_off.code) == (400, "no_gateway")
    assert (unfit.status, unfit.code) == (400, "no_gateway")
    assert (nowhere.status, nowhere.code) == (503, "no_gateway")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"success_url": "javascript:alert(1)"}, "invalid_request", "success_url"),
        ({"success_url": "ftp://shop.example.com/"}, "no_web_address", "success_url"),
        ({"cancel_url": "/plans"}, "invalid_request", "cancel_url"),
        ({"kind": "cowrie"}, "unknown_kind", "kind"),
        ({"invoice_id": MISSING, "plan_id": MISSING}, "not_with_invoice", "plan_id"),
        ({"invoice_id": MISSING, "kind": "card"}, "not_with_invoice", "kind"),
        ({"success_url": "https://evil.example/"}, "return_url_not_allowed", "success_url"),
        (
            {"cancel_url": "https://example.com.evil.example"},
            "return_url_not_allowed",
            "cancel_url",
        ),
        ({"url": "https://example.com"}, "unknown_field", "url"),
    ],
)
def test_bad_visits(
    *, operator: Caller, alice: Customer, fields: dict[str, Any], code: str, field: str
) -> None:
    answer = operator.post("/checkout-sessions", _body(alice, **fields))

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
