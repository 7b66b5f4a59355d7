"""The same key is the same call: once, whoever dies and however many come at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid5

import pytest
from django.db import connection, connections

from billing.models import ApiRequest, ApiToken, CheckoutSession, Invoice
from billing.services import locks, sweep
from customers.models import Customer
from plans.models import Feature
from tests.api.calling import Answer, Caller, caller
from tests.api.stage import NOW

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = [{"description": "Set-up", "quantity": "1", "unit_amount": "250"}]


def _draft(customer: Customer, **fields: Any) -> dict[str, Any]:
    return {"customer": str(customer.pk), "currency": "USD", "items": ITEMS, **fields}


def test_a_repetition_gets_the_stored_answer(operator: Caller, alice: Customer) -> None:
    first = operator.post("/invoices", _draft(alice), idempotency_key="k1")
    again = operator.post("/invoices", _draft(alice), idempotency_key="k1")

    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"] == '"1"'
    assert Invoice.objects.count() == 1


def test_the_layout_of_a_body_makes_no_difference(operator: Caller) -> None:
    operator.post("/features", '{"code": "sso", "kind": "switch"}', idempotency_key="k1")
    again = operator.post("/features", '{ "kind":"switch","code":"sso" }', idempotency_key="k1")

    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body"), [("/features", {"code": "other"}), ("/meters", {"code": "sso"})]
)
def test_another_request_under_the_key_is_refused(
    operator: Caller, path: str, body: dict[str, str]
) -> None:
    operator.post("/features", {"code": "sso"}, idempotency_key="k1")

    answer = operator.post(path, body, idempotency_key="k1")

    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert list(Feature.objects.values_list("code", flat=True)) == ["sso"]


def test_keys_are_each_tokens_own(operator: Caller) -> None:
    operator.post("/features", {"code": "sso"}, idempotency_key="k1")

    assert caller().post("/features", {"code": "sms"}, idempotency_key="k1").status == 201


def test_without_a_key_nothing_is_stored(operator: Caller) -> None:
    operator.post("/features", {"code": "sso"})

    assert ApiRequest.objects.count() == 0


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_is_printable_and_short(operator: Caller, key: str) -> None:
    answer = operator.post("/features", {"code": "sso"}, idempotency_key=key)

    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


def test_a_key_of_255_characters_will_do(operator: Caller) -> None:
    assert operator.post("/features", {"code": "sso"}, idempotency_key="x" * 255).status == 201


def test_a_refusal_is_stored_too(operator: Caller) -> None:
    first = operator.post("/features", {"code": "no spaces"}, idempotency_key="k1")
    again = operator.post("/features", {"code": "no spaces"}, idempotency_key="k1")

    assert (first.status, again.status) == (400, 400)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/problem+json"


def test_a_conflict_is_not_stored(operator: Caller) -> None:
    Feature.objects.create(code="sso")
    assert operator.post("/features", {"code": "sso"}, idempotency_key="k1").status == 409

    Feature.objects.all().delete()

    assert operator.post("/features", {"code": "sso"}, idempotency_key="k1").status == 201


def test_a_failure_of_ours_is_not_stored_and_leaves_nothing(
    operator: Caller, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("between effect and answer")

    with monkeypatch.context() as patch:
        patch.setattr("billing.api.invoices.shown", fail)
        failed = operator.post("/invoices", _draft(alice), idempotency_key="k1")

    assert failed.status == 500
    assert Invoice.objects.count() == 0
    assert operator.post("/invoices", _draft(alice), idempotency_key="k1").status == 201
    assert Invoice.objects.count() == 1


def test_a_first_call_that_died_is_run_again(operator: Caller, alice: Customer) -> None:
    operator.post("/invoices", _draft(alice), idempotency_key="k1")
    Invoice.objects.all().delete()  # the death rolled it back, with its answer
    ApiRequest.objects.update(status_code=None, body="")

    answer = operator.post("/invoices", _draft(alice), idempotency_key="k1")

    assert answer.status == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert Invoice.objects.count() == 1


def test_while_the_first_is_running_others_are_told(operator: Caller) -> None:
    token = ApiToken.objects.get()
    operator.post("/features", {"code": "sso"}, idempotency_key="k1")
    ApiRequest.objects.update(status_code=None, body="")

    with locks.alone("api_request", uuid5(token.pk, "k1")) as is_held:
        assert is_held
        answer = _elsewhere(operator, {"code": "sso"})

    assert (answer.status, answer.code) == (409, "idempotency_key_in_progress")


def test_a_key_may_stand_in_an_invoices_body(operator: Caller, alice: Customer) -> None:
    body = _draft(alice, idempotency_key="k1")

    first, again = operator.post("/invoices", body), operator.post("/invoices", body)

    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Invoice.objects.count() == 1


def test_keys_are_forgotten_after_a_day(operator: Caller) -> None:
    operator.post("/features", {"code": "sso"}, idempotency_key="k1")
    ApiRequest.objects.update(created_at=NOW)

    sweep.sweep(now=NOW + sweep.KEPT_KEYS * 1.01)

    assert ApiRequest.objects.count() == 0


@pytest.mark.parametrize("rounds", [3])
def test_fifty_at_once_are_one(operator: Caller, alice: Customer, rounds: int) -> None:
    for number in range(rounds):
        answers = _at_once(50, operator, "/invoices", _draft(alice), key=f"k{number}")

        by_status = Counter(answer.status for answer in answers)
        assert set(by_status) <= {201, 409}
        assert by_status[201] >= 1
        ids = {answer.body["id"] for answer in answers if answer.status == 201}
        assert len(ids) == 1
        fresh = [a for a in answers if a.status == 201 and "Idempotent-Replayed" not in a.headers]
        assert len(fresh) == 1
        codes = {answer.code for answer in answers if answer.status == 409}
        assert codes <= {"idempotency_key_in_progress"}
    assert Invoice.objects.count() == rounds


def test_fifty_at_once_at_a_gateway_are_one(operator: Caller, alice: Customer) -> None:
    body = {"customer": str(alice.pk), "gateway": "sandbox", "token": "tok_ok"}

    answers = _at_once(50, operator, "/payment-methods", body, key="k1")

    assert {answer.status for answer in answers} <= {201, 409}
    assert CheckoutSession.objects.count() == 1


def _at_once(count: int, who: Caller, path: str, body: Any, *, key: str) -> list[Answer]:
    def call(_: int) -> Answer:
        try:
            return Caller(who.token).post(path, body, idempotency_key=key)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def _elsewhere(who: Caller, body: Any) -> Answer:
    assert connection.connection is not None
    return _at_once(1, who, "/features", body, key="k1")[0]
