"""`/charges`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from billing.models import PaymentAttempt
from billing.services import payments
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, Stage, set_stage

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = "0198d5a2-0000-7000-8000-000000000001"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """What the queue is told to collect."""
    attempts: list[UUID] = []

    def collect_soon(attempt_ids: Iterable[UUID]) -> None:
        attempts.extend(attempt_ids)

    monkeypatch.setattr("billing.tasks.collect_soon", collect_soon)
    return attempts


@pytest.fixture
def stage(db: None) -> Stage:
    """Alice and her pending invoice over 25.00."""
    return set_stage()


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k1"}], ids=["plain", "with key"])
def test_a_charge_is_written_down_and_a_worker_told(
    operator: Caller, stage: Stage, told: list[UUID], key: dict[str, str]
) -> None:
    answer = operator.post("/charges", {"invoice_id": str(stage.invoice.pk)}, **key)

    assert answer.status == 202
    assert answer.body == {
        "id": answer.body["id"],
        "invoice_id": str(stage.invoice.pk),
        "customer": str(stage.alice.pk),
        "payment_method": str(stage.method.pk),
        "gateway": "sandbox",
        "route_reason": "the default payment method",
        "amount": "25.00",
        "currency": "USD",
        "status": "created",
        "action": None,
        "expires_at": None,
        "decline_code": "",
        "decline_message": "",
        "external_id": "",
        "needs_decision": False,
        "created_at": "2026-04-01T09:00:00Z",
        "settled_at": None,
    }
    assert told == [UUID(answer.body["id"])]
    assert operator.get(f"/invoices/{stage.invoice.pk}").body["status"] == "pending"

    payments.collect(told[0], now=NOW)

    assert operator.get(f"/invoices/{stage.invoice.pk}").body["status"] == "paid"


def test_a_repetition_by_key_charges_once(operator: Caller, stage: Stage, told: list[UUID]) -> None:
    body = {"invoice_id": str(stage.invoice.pk)}
    first = operator.post("/charges", body, idempotency_key="k1")
    again = operator.post("/charges", body, idempotency_key="k1")

    assert again.body == first.body
    assert len(told) == PaymentAttempt.objects.count() == 1


def test_a_draft_gets_its_number(operator: Caller, stage: Stage, told: list[UUID]) -> None:
    items = [{"description": "Set-up", "quantity": "1", "unit_amount": "9"}]
    draft = operator.post(
        "/invoices", {"customer": str(stage.alice.pk), "currency": "USD", "items": items}
    ).body

    refused = caller(stage.alice).post("/charges", {"invoice_id": draft["id"]})
    taken = operator.post("/charges", {"invoice_id": draft["id"]})

    assert (refused.status, refused.code) == (403, "operator_only")
    assert (taken.status, taken.body["amount"]) == (202, "9.00")
    assert operator.get(f"/invoices/{draft['id']}").body["number"] == "INV-000002"


def test_with_another_method(operator: Caller, stage: Stage, told: list[UUID]) -> None:
    body = {"invoice_id": str(stage.invoice.pk), "payment_method": str(stage.spare_method.pk)}

    assert operator.post("/charges", body).body["payment_method"] == str(stage.spare_method.pk)


def test_once_at_a_time_and_never_again(operator: Caller, stage: Stage, told: list[UUID]) -> None:
    body = {"invoice_id": str(stage.invoice.pk)}
    operator.post("/charges", body)

    assert operator.post("/charges", body).code == "charge_under_way"
    payments.collect(told[0], now=NOW)
    paid = operator.post("/charges", body)
    assert (paid.status, paid.code) == (409, "nothing_to_charge")


def test_a_decline_stands_on_the_invoice(operator: Caller, stage: Stage, told: list[UUID]) -> None:
    card = operator.post(
        "/payment-methods",
        {"customer": str(stage.bob.pk), "gateway": "sandbox", "token": "tok_declined"},
    ).body
    items = [{"description": "Set-up", "quantity": "1", "unit_amount": "9"}]
    draft = operator.post(
        "/invoices", {"customer": str(stage.bob.pk), "currency": "USD", "items": items}
    ).body

    charge = operator.post("/charges", {"invoice_id": draft["id"]}).body
    payments.collect(UUID(charge["id"]), now=NOW)

    assert charge["payment_method"] == card["id"]
    told_later = operator.get(f"/charges/{charge['id']}").body
    assert {name: value for name, value in told_later.items() if charge[name] != value} == {
        "status": "failed",
        "decline_code": "card_declined",
        "decline_message": "The card was declined.",
        "external_id": f"ch.tok_declined.{charge['id']}",
        "settled_at": "2026-04-01T09:00:00Z",
    }
    body = operator.get(f"/invoices/{draft['id']}").body
    assert (body["status"], body["amount_due"]) == ("charged_with_error", "9.00")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"invoice_id": UNKNOWN}, 404, "not_found"),
        ({"invoice_id": "x"}, 400, "invalid_request"),
        ({"payment_method": UNKNOWN}, 404, "not_found"),
        ({"amount": "1.00"}, 400, "unknown_field"),
    ],
)
def test_bad_charges(
    *, operator: Caller, stage: Stage, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = operator.post("/charges", {"invoice_id": str(stage.invoice.pk), **fields})

    assert (answer.status, answer.code) == (status, code)
    assert PaymentAttempt.objects.count() == 0


def test_without_a_method(operator: Caller, stage: Stage) -> None:
    items = [{"description": "Set-up", "quantity": "1", "unit_amount": "9"}]
    draft = operator.post(
        "/invoices", {"customer": str(stage.bob.pk), "currency": "USD", "items": items}
    ).body

    answer = operator.post("/charges", {"invoice_id": draft["id"]})

    assert (answer.status, answer.code) == (400, "no_payment_method")
    assert operator.get(f"/invoices/{draft['id']}").body["status"] == "draft"
