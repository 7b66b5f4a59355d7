"""Charges that wait for their payer, for an operator, or for the gateway."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing.core.lifecycle import ActionKind, AttemptStatus
from billing.gateways.base import Action, Charge, ChargeStatus, GatewayUnavailableError
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import PaymentAttempt, PaymentMethod
from billing.services import payments
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, Stage

pytestmark = pytest.mark.django_db

BACK = {"return_url": "https://shop.example.com/paid"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the queue is told."""
    found: list[tuple[str, str]] = []

    def soon(task: Any, **arguments: str) -> None:
        found.append((task.name.rpartition(".")[2], *arguments.values()))

    monkeypatch.setattr("billing.tasks.soon", soon)
    return found


def charged(stage: Stage, token: str, *, is_sent: bool = True) -> PaymentAttempt:
    """A charge of Alice's invoice to a card of hers that does what its token says."""
    method = stage.spare_method
    PaymentMethod.objects.filter(pk=method.pk).update(external_id=f"pm.{token}.1")
    found = payments.charge(
        stage.invoice.pk, by="test", now=NOW, payment_method_id=stage.spare_method.pk
    )
    assert found is not None
    if is_sent:
        payments.collect(found.pk, now=NOW)
    found.refresh_from_db()
    return found


def test_a_charge_that_waits_for_its_payer_says_for_what(operator: Caller, stage: Stage) -> None:
    waiting = charged(stage, "tok_action")

    answer = caller(stage.alice).get(f"/charges/{waiting.pk}")

    assert answer.body == {
        "id": str(waiting.pk),
        "invoice_id": str(stage.invoice.pk),
        "customer": str(stage.alice.pk),
        "payment_method": str(stage.spare_method.pk),
        "gateway": "sandbox",
        "route_reason": "asked for",
        "amount": "25.00",
        "currency": "USD",
        "status": "action_required",
        "action": {"kind": "page", "url": "", "code": "", "expires_at": None},
        "expires_at": "2026-04-04T09:00:00Z",
        "decline_code": "",
        "decline_message": "",
        "external_id": f"ch.tok_action.{waiting.pk}",
        "needs_decision": False,
        "created_at": "2026-04-01T09:00:00Z",
        "settled_at": None,
    }


def test_a_code_is_shown_with_its_end(operator: Caller, stage: Stage) -> None:
    waiting = charged(stage, "tok_action")
    said = {"kind": "CODE", "url": "", "code": "0002", "expires_at": "2026-04-01T11:00:00+02:00"}
    PaymentAttempt.objects.filter(pk=waiting.pk).update(action=said)

    assert operator.get(f"/charges/{waiting.pk}").body["action"] == {
        "kind": "code",
        "url": "",
        "code": "0002",
        "expires_at": "2026-04-01T09:00:00Z",
    }


def test_the_payer_goes_on_and_it_is_paid(operator: Caller, stage: Stage) -> None:
    waiting = charged(stage, "tok_action")

    answer = caller(stage.alice).post(f"/charges/{waiting.pk}/resume", BACK)

    assert (answer.status, answer.body["status"], answer.body["action"]) == (
        200,
        "succeeded",
        None,
    )
    invoice = operator.get(f"/invoices/{stage.invoice.pk}").body
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", "25.00")
    again = caller(stage.alice).post(f"/charges/{waiting.pk}/resume", BACK)
    assert (again.status, again.code) == (409, "nothing_to_do")


def test_the_page_to_go_to_stands_in_the_action(
    operator: Caller, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, seen = charged(stage, "tok_action"), []

    def resume(_: SandboxGateway, external_id: str, *, return_url: str) -> Charge:
        seen.append(return_url)
        page = Action(ActionKind.PAGE, "https://pay.example/3ds")
        return Charge(str(waiting.pk), external_id, ChargeStatus.ACTION_REQUIRED, action=page)

    monkeypatch.setattr(SandboxGateway, "resume", resume)

    answer = operator.post(f"/charges/{waiting.pk}/resume", BACK, idempotency_key="k1")
    replayed = operator.post(f"/charges/{waiting.pk}/resume", BACK, idempotency_key="k1")

    assert answer.body["action"]["url"] == "https://pay.example/3ds"
    assert (answer.body["status"], answer.body["expires_at"]) == (
        "action_required",
        "2026-04-04T09:00:00Z",
    )
    assert replayed.body == answer.body
    assert seen == ["https://shop.example.com/paid"]


def test_a_gateway_that_does_not_answer_is_asked_again(
    operator: Caller, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = charged(stage, "tok_action")

    def silent(*_: object, **__: object) -> Charge:
        raise GatewayUnavailableError("no answer")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SandboxGateway, "resume", silent)
        meanwhile.setattr(SandboxGateway, "withdraw", silent)
        for step, body in (("resume", BACK), ("withdraw", None)):
            answer = operator.post(f"/charges/{waiting.pk}/{step}", body, idempotency_key=step)
            assert (answer.status, answer.code) == (503, "gateway_unavailable")
            assert answer.headers["Retry-After"] == "1"

    assert operator.get(f"/charges/{waiting.pk}").body["status"] == "action_required"
    assert (
        operator.post(f"/charges/{waiting.pk}/resume", BACK, idempotency_key="resume").status == 200
    )


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("javascript:alert(1)", "invalid"),
        ("ftp://shop.example.com/", "no_web_address"),
        ("/paid", "invalid_request"),
        ("", "blank"),
        ("https://shop.example.com/" + "x" * 2000, "max_length"),
    ],
)
def test_where_nobody_is_sent_back_to(operator: Caller, stage: Stage, url: str, code: str) -> None:
    waiting = charged(stage, "tok_action")

    answer = operator.post(f"/charges/{waiting.pk}/resume", {"return_url": url})

    assert (answer.status, list(answer.body["errors"])) == (400, ["return_url"])
    assert answer.code == ("invalid_request" if code == "invalid" else code)
    assert operator.get(f"/charges/{waiting.pk}").body["status"] == "action_required"


def test_what_is_withdrawn_may_be_paid_another_way(operator: Caller, stage: Stage) -> None:
    waiting, theirs = charged(stage, "tok_action"), caller(stage.alice)
    body = {"invoice_id": str(stage.invoice.pk), "payment_method": str(stage.method.pk)}
    assert theirs.post("/charges", body).code == "charge_under_way"

    answer = theirs.post(f"/charges/{waiting.pk}/withdraw")

    assert (answer.status, answer.body["status"]) == (200, "abandoned")
    assert (answer.body["decline_code"], answer.body["settled_at"]) == (
        "withdrawn",
        "2026-04-01T09:00:00Z",
    )
    assert operator.get(f"/invoices/{stage.invoice.pk}").body["amount_due"] == "25.00"
    again = theirs.post(f"/charges/{waiting.pk}/withdraw")
    assert (again.status, again.body["status"]) == (200, "abandoned")
    assert theirs.post("/charges", body).status == 202
    listed = operator.get("/transactions?status=abandoned").body["transactions"]
    assert [row["id"] for row in listed] == [str(waiting.pk)]


def test_a_charge_that_nobody_answers_for_is_an_operators_to_decide(
    operator: Caller, stage: Stage
) -> None:
    silent = charged(stage, "tok_unavailable")
    address, taken = f"/charges/{silent.pk}/decision", {"was_taken": True, "external_id": "ch_1"}
    assert operator.get(f"/charges/{silent.pk}").body["status"] == "unknown"
    early = operator.post(address, taken)
    assert (early.status, early.code) == (409, "still_asking")
    PaymentAttempt.objects.filter(pk=silent.pk).update(is_undecided=True)
    listed = operator.get("/charges?needs_decision=true").body["charges"]
    assert [row["id"] for row in listed] == [str(silent.pk)]

    nameless = operator.post(address, {"was_taken": True})
    answer = operator.post(address, taken)

    assert (nameless.status, nameless.code) == (400, "required")
    assert list(nameless.body["errors"]) == ["external_id"]
    assert (answer.status, answer.body["status"], answer.body["external_id"]) == (
        200,
        "succeeded",
        "ch_1",
    )
    invoice = operator.get(f"/invoices/{stage.invoice.pk}").body
    assert (invoice["status"], invoice["amount_due"]) == ("paid", "0.00")
    assert operator.get("/charges?needs_decision=true").body["total"] == 0


def test_what_was_not_taken_is_still_owed(operator: Caller, stage: Stage) -> None:
    silent = charged(stage, "tok_unavailable")
    PaymentAttempt.objects.filter(pk=silent.pk).update(is_undecided=True)

    answer = operator.post(f"/charges/{silent.pk}/decision", {"was_taken": False})

    assert (answer.body["status"], answer.body["decline_code"]) == ("failed", "not_taken")
    invoice = operator.get(f"/invoices/{stage.invoice.pk}").body
    assert (invoice["status"], invoice["amount_due"]) == ("charged_with_error", "25.00")


def test_an_id_that_is_another_charges(operator: Caller, stage: Stage) -> None:
    waiting = charged(stage, "tok_action")
    operator.post(f"/charges/{waiting.pk}/withdraw")
    silent = charged(stage, "tok_unavailable")
    PaymentAttempt.objects.filter(pk=silent.pk).update(is_undecided=True)

    answer = operator.post(
        f"/charges/{silent.pk}/decision",
        {"was_taken": True, "external_id": f"ch.tok_action.{waiting.pk}"},
    )

    assert (answer.status, answer.code) == (409, "external_id_taken")
    assert operator.get(f"/charges/{silent.pk}").body["status"] == "unknown"


@pytest.mark.parametrize(
    ("token", "task"),
    [("tok_unavailable", "collect"), ("tok_processing", "ask_charge")],
)
def test_a_worker_is_told_to_ask_at_once(
    *,
    operator: Caller,
    stage: Stage,
    told: list[tuple[str, str]],
    token: str,
    task: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    attempt = charged(stage, token)
    PaymentAttempt.objects.filter(pk=attempt.pk, status=AttemptStatus.UNKNOWN).update(
        is_undecided=True
    )

    with django_capture_on_commit_callbacks(execute=True):
        answer = operator.post(f"/charges/{attempt.pk}/ask", idempotency_key="k1")

    assert (answer.status, answer.body["needs_decision"]) == (202, False)
    assert told == [(task, str(attempt.pk))]


def test_of_what_is_known_nobody_is_asked(
    operator: Caller, stage: Stage, told: list[tuple[str, str]]
) -> None:
    attempt = charged(stage, "tok_ok")

    answer = operator.post(f"/charges/{attempt.pk}/ask")

    assert (answer.status, answer.code, told) == (409, "nothing_to_ask", [])


def test_calls_say_what_came_of_them(operator: Caller, stage: Stage) -> None:
    attempt = charged(stage, "tok_unavailable")
    PaymentMethod.objects.filter(pk=stage.spare_method.pk).update(external_id="pm.tok_ok.1")
    payments.collect(attempt.pk, now=NOW)

    body = operator.get(f"/charges/{attempt.pk}/calls").body

    assert body["total"] == 2
    assert [{**row, "took_ms": row["took_ms"] >= 0} for row in body["calls"]] == [
        {
            "verb": "charge",
            "outcome": "no_answer",
            "detail": "The sandbox does not answer for this token.",
            "took_ms": True,
            "at": "2026-04-01T09:00:00Z",
        },
        {
            "verb": "charge",
            "outcome": "answered",
            "detail": "",
            "took_ms": True,
            "at": "2026-04-01T09:00:00Z",
        },
    ]


def test_charges_are_listed_by_every_filter_and_only_to_their_owner(
    operator: Caller, stage: Stage
) -> None:
    withdrawn = charged(stage, "tok_action")
    operator.post(f"/charges/{withdrawn.pk}/withdraw")
    paid = charged(stage, "tok_ok")

    def ids(who: Caller, query: str) -> list[UUID]:
        return [UUID(row["id"]) for row in who.get(f"/charges?{query}").body["charges"]]

    alice, bob = caller(stage.alice), caller(stage.bob)
    assert ids(alice, "") == [paid.pk, withdrawn.pk]
    assert ids(operator, f"invoice={stage.invoice.pk}") == [paid.pk, withdrawn.pk]
    assert ids(operator, f"customer={stage.bob.pk}") == []
    assert ids(alice, "status=abandoned") == [withdrawn.pk]
    assert ids(operator, "status=succeeded&needs_decision=false") == [paid.pk]
    assert ids(bob, "") == []
    assert ids(bob, f"invoice={stage.invoice.pk}") == []
    assert bob.get(f"/charges?customer={stage.alice.pk}").status == 404
    assert operator.get("/charges?status=lovely").status == 400


def test_a_strangers_charge_is_not_there(operator: Caller, stage: Stage) -> None:
    waiting, bob = charged(stage, "tok_action"), caller(stage.bob)
    reader = caller(stage.alice, is_read_only=True)

    assert bob.get(f"/charges/{waiting.pk}").status == 404
    assert bob.post(f"/charges/{waiting.pk}/resume", BACK).status == 404
    assert bob.post(f"/charges/{waiting.pk}/withdraw").status == 404
    assert reader.get(f"/charges/{waiting.pk}").status == 200
    assert reader.post(f"/charges/{waiting.pk}/withdraw").code == "read_only_token"
    assert operator.get(f"/charges/{waiting.pk}").body["status"] == "action_required"


def test_a_transfer_is_asked_for_and_matched(operator: Caller, stage: Stage) -> None:
    operator.patch("/gateways/bank_transfer", {"enabled": True})
    urls = {"success_url": "https://example.com/ok", "cancel_url": "https://example.com/no"}
    whose = {"customer": str(stage.alice.pk), "kind": "bank_transfer", **urls}
    method = operator.post("/checkout-sessions", whose).body["payment_method"]
    attempt = stage.invoice.attempts.open().get()  # a new method is charged for what is owed
    payments.collect(attempt.pk, now=NOW)

    charge = operator.get(f"/charges/{attempt.pk}").body
    reference = operator.get(f"/invoices/{stage.invoice.pk}").body["payment_reference"]
    told = {"amount": "25.00", "currency": "USD", "reference": reference}
    arrived = operator.post("/payments", {**told, "received_at": "2026-04-01T08:00:00Z"})

    assert (charge["payment_method"], charge["expires_at"]) == (method, None)
    assert charge["action"] == {"kind": "transfer", "url": "", "code": "", "expires_at": None}
    assert (arrived.status, arrived.body["customer"]) == (201, str(stage.alice.pk))
    after = operator.get(f"/charges/{attempt.pk}").body
    assert (after["status"], after["decline_code"]) == ("abandoned", "transfer_arrived")
    invoice = operator.get(f"/invoices/{stage.invoice.pk}").body
    assert (invoice["status"], invoice["amount_due"]) == ("paid", "0.00")
