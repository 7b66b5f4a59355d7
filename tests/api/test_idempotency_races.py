"""A key under fire: fifty callers, several server processes, and deaths at the worst instant."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from django.db import models

from billing.api import idempotency
from billing.core.lifecycle import AttemptStatus
from billing.gateways.base import GatewayUnavailableError, Setup, SetupRequest
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import (
    ApiRequest,
    ApiToken,
    CheckoutSession,
    DisputeEvidence,
    Invoice,
    JournalEntry,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    ScheduledChange,
    UsageEvent,
)
from billing.services import payments, sweep
from tests import builders
from tests.api.addresses import ids_of
from tests.api.calling import BASE, Answer, Caller, caller
from tests.api.stage import NOW, Stage, set_stage
from tests.hearing import HearingGateway
from tests.offering import offer
from tests.processes import served

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY: Final = 50
ITEMS: Final = [{"description": "Set-up", "quantity": "1", "unit_amount": "250"}]
URLS: Final = {"success_url": "https://example.com/ok", "cancel_url": "https://example.com/no"}


Asked = tuple[str, Any]


def _send(url: str, who: Caller, asked: Asked, key: str) -> Answer | None:
    """POST over HTTP; None where whoever should have answered is gone."""
    path, body = asked
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {
        "Authorization": f"Bearer {who.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    try:
        line.request("POST", BASE + path, json.dumps(body), headers)
        found = line.getresponse()
        return Answer(found.status, json.loads(found.read()), dict(found.getheaders()))
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return None
    finally:
        line.close()


@pytest.mark.parametrize(
    ("path", "more", "made"),
    [
        ("/invoices", {"currency": "USD", "items": ITEMS}, [Invoice]),
        ("/payment-methods", {"gateway": "sandbox", "token": "tok_ok"}, [PaymentMethod]),
        ("/checkout-sessions", URLS, [CheckoutSession, PaymentMethod]),
    ],
)
def test_fifty_at_once_at_several_processes_are_one(
    operator: Caller, path: str, more: Any, made: list[type[models.Model]]
) -> None:
    asked = (path, {"customer": str(builders.make_customer("alice").pk), **more})
    with served(3) as url, ThreadPoolExecutor(FIFTY) as pool:
        calls = [pool.submit(_send, url, operator, asked, "k1") for _ in range(FIFTY)]
        answers = [call.result() for call in calls]
        late = _send(url, operator, asked, "k1")

    found = [answer for answer in (*answers, late) if answer is not None]
    assert len(found) == FIFTY + 1
    assert set(Counter(answer.status for answer in found)) <= {201, 409}
    fresh = [a for a in found if a.status == 201 and "Idempotent-Replayed" not in a.headers]
    assert len(fresh) == 1
    assert {str(a.body) for a in found if a.status == 201} == {str(fresh[0].body)}
    assert {a.code for a in found if a.status == 409} <= {"idempotency_key_in_progress"}
    assert late is not None
    assert late.headers["Idempotent-Replayed"] == "true"
    assert [model._default_manager.count() for model in made] == [1] * len(made)


@dataclass(frozen=True)
class Case:
    """A POST, what of its effects is counted, how many there shall be, and its repetition's answer.

    :param asked: path and body, with whatever must be there before.
    """

    asked: Callable[[Stage], Asked]
    effects: Callable[[], list[int]]
    expected: list[int]
    status: int


def _counts(*rows: models.QuerySet[Any]) -> Callable[[], list[int]]:
    return lambda: [found.all().count() for found in rows]


def _of_alice(path: str, **more: Any) -> Callable[[Stage], Asked]:
    return lambda stage: (path, {"customer": str(stage.alice.pk), **more})


def _a_charge(step: str, body: Any) -> Callable[[Stage], Asked]:
    return lambda stage: (f"/charges/{ids_of(stage, 'charge_id')['charge_id']}/{step}", body)


def _a_move(stage: Stage) -> Asked:
    assert caller().patch(f"/plans/{stage.plan.pk}", {"amount": "11.00"}).status == 200
    return f"/plans/{stage.plan.pk}/moves", {"when": "period_end"}


def _a_refund(stage: Stage) -> Asked:
    _pay(stage.invoice)
    return "/refunds", {"invoice": str(stage.invoice.pk)}


def _an_answer(stage: Stage) -> Asked:
    _pay(stage.invoice)
    dispute = HearingGateway().contested(NOW)
    return f"/disputes/{dispute.pk}/evidence", {"text": "They had it."}


def _pay(invoice: Invoice) -> None:
    attempt = payments.charge(invoice.pk, by="test", now=NOW)
    assert attempt is not None
    payments.collect(attempt.pk, now=NOW)


_METHODS: Final = _counts(
    PaymentMethod.objects.all(),
    CheckoutSession.objects.all(),
    JournalEntry.objects.filter(kind="PAYMENT_METHOD_ADDED"),
)
_ABANDONED: Final = PaymentAttempt.objects.filter(status=AttemptStatus.ABANDONED)
_ANSWERS: Final = _counts(
    DisputeEvidence.objects.all(), JournalEntry.objects.filter(kind="EVIDENCE_SUBMITTED")
)
_EVENT: Final = {"id": "e1", "customer": "alice", "meter": "api_calls", "quantity": "1"}
_BACK: Final = {"return_url": "https://example.com/back"}
_MAY: Final = {"now": "2026-05-02T00:00:00Z"}
_METHOD: Final = {"gateway": "sandbox", "token": "tok_ok"}

# Those whose work and answer are one transaction, and those whose are not.
TOGETHER: Final = {
    "invoice": Case(
        _of_alice("/invoices", currency="USD", items=ITEMS),
        _counts(Invoice.objects.all()),
        [1],
        201,
    ),
    "charge": Case(
        lambda stage: ("/charges", {"invoice_id": str(stage.invoice.pk)}),
        _counts(PaymentAttempt.objects.all()),
        [1],
        202,
    ),
    "refund": Case(_a_refund, _counts(Refund.objects.all()), [1], 202),
    "token": Case(
        lambda _: ("/tokens", {"name": "x", "role": "operator"}),
        _counts(ApiToken.objects.filter(name="x")),
        [1],
        201,
    ),
}
APART: Final = {
    "payment method": Case(_of_alice("/payment-methods", **_METHOD), _METHODS, [1, 1, 1], 201),
    "checkout": Case(_of_alice("/checkout-sessions", **URLS), _METHODS, [1, 1, 1], 201),
    "usage": Case(lambda _: ("/usage-events", _EVENT), _counts(UsageEvent.objects.all()), [1], 202),
    "advance": Case(
        lambda stage: (f"/test-clocks/{stage.clock.pk}/advance", _MAY),
        _counts(Invoice.objects.all()),
        [1],
        200,
    ),
    "move": Case(_a_move, _counts(ScheduledChange.objects.all()), [1], 200),
    "resume": Case(_a_charge("resume", _BACK), _counts(Payment.objects.all()), [1], 409),
    "withdraw": Case(_a_charge("withdraw", {}), _counts(_ABANDONED), [1], 200),
    "evidence": Case(_an_answer, _ANSWERS, [1, 1], 200),
}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> HearingGateway:
    """What is heard here was asked by this process, and not by one that died."""
    there = HearingGateway()
    offer(monkeypatch, there)
    return there


@pytest.fixture
def stage(gateway: HearingGateway) -> Stage:
    """Alice's things."""
    return set_stage()


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dies(monkeypatch: pytest.MonkeyPatch, step: str, who: Caller, asked: Asked) -> None:
    """Ask a server whose process is killed at a step of keeping the answer."""
    usual = idempotency._run

    def run(*args: Any) -> None:
        _die(usual(*args))

    with monkeypatch.context() as patch:
        if step == "before it is kept":
            patch.setattr(idempotency, "_store", _die)
        else:
            patch.setattr(idempotency, "_run", run)
        with served(1) as url:
            assert _send(url, who, asked, "k1") is None


@pytest.mark.parametrize("name", [*TOGETHER, *APART])
def test_a_call_that_died_before_its_answer_was_kept_has_one_effect(
    stage: Stage, gateway: HearingGateway, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case, operator = {**TOGETHER, **APART}[name], caller()
    asked = case.asked(stage)
    before = case.effects()
    _dies(monkeypatch, "before it is kept", operator, asked)
    left = [now - then for now, then in zip(case.effects(), before, strict=True)]
    assert left == ([0] * len(left) if name in TOGETHER else case.expected)
    gateway.heard.clear()

    other = operator.post(asked[0], {**asked[1], "more": 1}, idempotency_key="k1")
    answer = operator.post(*asked, idempotency_key="k1")
    again = operator.post(*asked, idempotency_key="k1")

    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert (answer.status, again.status) == (case.status, case.status), answer.body
    assert "Idempotent-Replayed" not in answer.headers
    if answer.status != 409:
        assert again.headers["Idempotent-Replayed"] == "true"
    effects = [now - then for now, then in zip(case.effects(), before, strict=True)]
    assert effects == case.expected
    assert gateway.heard == []


@pytest.mark.parametrize("name", ["invoice", "token", "payment method"])
def test_a_call_that_died_with_its_answer_kept_is_replayed(
    operator: Caller, stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case = {**TOGETHER, **APART}[name]
    asked = case.asked(stage)
    before = case.effects()

    _dies(monkeypatch, "after it is kept", operator, asked)
    answer = operator.post(*asked, idempotency_key="k1")

    assert answer.status == case.status
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.body.get("token") is None
    effects = [now - then for now, then in zip(case.effects(), before, strict=True)]
    assert effects == case.expected


@pytest.mark.parametrize("is_heard", [True, False])
@pytest.mark.parametrize("name", ["payment method", "checkout"])
def test_a_call_that_died_at_the_gateway_goes_on_with_what_was_begun(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, is_heard: bool
) -> None:
    case, operator = APART[name], caller()
    asked, before = case.asked(stage), case.effects()
    usual = SandboxGateway.start_setup

    def start(self: Any, request: SetupRequest) -> Any:
        _die(usual(self, request) if is_heard else None)

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start_setup", start)
        with served(1) as url:
            assert _send(url, operator, asked, "k1") is None
    answer = operator.post(*asked, idempotency_key="k1")

    assert answer.status == 201
    effects = [now - then for now, then in zip(case.effects(), before, strict=True)]
    assert effects == case.expected


def test_what_a_gateway_may_have_heard_is_asked_about_under_the_same_name(
    operator: Caller, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, before = APART["payment method"].asked(stage), _METHODS()
    heard: list[str] = []
    usual = SandboxGateway.start_setup

    def start(self: SandboxGateway, request: SetupRequest) -> Setup:
        heard.append(request.reference)
        found = usual(self, request)
        if len(heard) == 1:
            raise GatewayUnavailableError("It heard, and its answer was lost.")
        return found

    monkeypatch.setattr(SandboxGateway, "start_setup", start)
    failed = operator.post(*asked, idempotency_key="k1")
    other = operator.post(asked[0], {**asked[1], "is_default": True}, idempotency_key="k1")
    answer = operator.post(*asked, idempotency_key="k1")

    assert [a.status for a in (failed, other, answer)] == [503, 422, 201]
    assert len(set(heard)) == 1
    assert len(heard) == 2
    effects = [now - then for now, then in zip(_METHODS(), before, strict=True)]
    assert effects == [1, 1, 1]


def test_a_key_that_was_forgotten_names_something_else(operator: Caller, stage: Stage) -> None:
    asked = APART["payment method"].asked(stage)
    first = operator.post(*asked, idempotency_key="k1")
    ApiRequest.objects.update(created_at=NOW)
    sweep.sweep(now=NOW + sweep.KEPT_KEYS * 1.01)

    again = operator.post(*asked, idempotency_key="k1")

    assert (first.status, again.status) == (201, 201)
    assert first.body["id"] != again.body["id"]


def test_tokens_share_no_key(operator: Caller, stage: Stage) -> None:
    asked = APART["payment method"].asked(stage)

    made = {
        who.post(*asked, idempotency_key="k1").body["id"]
        for who in (operator, caller(), caller(stage.alice))
    }

    assert len(made) == 3
