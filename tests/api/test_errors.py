"""Every failure is a problem of the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from psycopg.errors import CheckViolation, UniqueViolation
from rest_framework.exceptions import Throttled

from billing.api.errors import (
    ForbiddenError,
    KeyReusedError,
    PreconditionFailedError,
    problem,
    to_response,
)
from billing.core.errors import (
    BillingError,
    ConflictError,
    InvalidError,
    NotFoundError,
    PaymentFailedError,
    UnavailableError,
)
from plans.terms import InvalidTermsError
from tests.api.calling import Caller


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (InvalidError, 400),
        (PaymentFailedError, 402),
        (ForbiddenError, 403),
        (NotFoundError, 404),
        (ConflictError, 409),
        (PreconditionFailedError, 412),
        (KeyReusedError, 422),
        (UnavailableError, 503),
    ],
)
def test_kinds_of_failure_have_their_status(kind: type[BillingError], status: int) -> None:
    response = to_response(kind("A sentence.", code="a_code", errors={"f": ["Why."]}), {})

    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.data == {
        "type": "/api/docs/errors#a_code",
        "title": response.data["title"],
        "status": status,
        "code": "a_code",
        "detail": "A sentence.",
        "errors": {"f": ["Why."]},
    }


def _caused(failure: Exception, cause: Exception) -> Exception:
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (InvalidTermsError({"amount": ["Not negative."]}), 400, "invalid_terms"),
        (ValidationError({"usage": "Unknown meter."}), 400, "invalid_request"),
        (ValidationError("Changed.", code="version_mismatch"), 412, "version_mismatch"),
        (ValidationError("Exists.", code="customer_exists"), 409, "customer_exists"),
        (ValidationError("Retired.", code="plan_retired"), 409, "plan_retired"),
        (ValidationError("Something."), 400, "invalid_request"),
        (Http404(), 404, "not_found"),
        (ObjectDoesNotExist(), 404, "not_found"),
        (Throttled(), 429, "throttled"),
        (OperationalError("gone"), 503, "database_unavailable"),
        (_caused(IntegrityError(), UniqueViolation()), 409, "conflict"),
        (_caused(IntegrityError(), CheckViolation()), 500, "internal_error"),
        (DataError("numeric field overflow"), 400, "out_of_range"),
        (RuntimeError("secret"), 500, "internal_error"),
    ],
)
def test_other_failures(failure: Exception, status: int, code: str) -> None:
    found = problem(failure)

    assert (found.status, found.code) == (status, code)
    assert "secret" not in found.detail


def test_fields_at_fault_are_named() -> None:
    found = problem(ValidationError({"usage": "Unknown meter: x."}))

    assert found.errors == {"usage": ["Unknown meter: x."]}
    assert found.detail == "usage: Unknown meter: x."


def test_an_unexpected_failure_is_logged_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret")

    monkeypatch.setattr("billing.services.tokens.ApiToken.objects.in_force", fail)

    answer = Caller("bsr_x").get("/plans")

    assert (answer.status, answer.code) == (500, "internal_error")
    assert "secret" not in str(answer.body)
    assert "the secret" in caplog.text


def test_a_database_that_does_not_answer_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("billing.services.tokens.ApiToken.objects.in_force", fail)

    answer = Caller("bsr_x").get("/plans")

    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/plans/", "/plans/not-a-uuid", "/invoices/1", "/customers/x/usage"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_unknown_addresses_are_problems_too(path: str, method: str) -> None:
    answer = Caller().send(method, path, None)

    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/plans", 405, "method_not_allowed"),
        ("DELETE", "/journal", 405, "method_not_allowed"),
        ("OPTIONS", "/plans", 405, "method_not_allowed"),
        ("GET", "/plans?strange=1", 400, "unknown_field"),
        ("GET", "/plans?limit=1&limit=2", 400, "invalid_request"),
        ("GET", f"/plans?{'&a' * 1001}", 400, "malformed_query"),
        ("POST", "/plans?limit=1", 400, "unknown_field"),
    ],
)
def test_what_an_address_does_not_take(
    *, operator: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = operator.send(method, path, None)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.django_db
def test_another_media_type_is_answered_415(operator: Caller) -> None:
    response = operator._client.generic(
        "POST",
        "/api/v1/meters",
        "code=x",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {operator.token}"},
    )

    assert response.status_code == 415
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_json_is_answered_whatever_is_asked_for(operator: Caller) -> None:
    answer = operator.get("/plans", Accept="text/html")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"


def test_a_request_id_is_echoed() -> None:
    assert Caller().get("/nothing", X_Request_Id="abc-1").headers["X-Request-Id"] == "abc-1"


def test_problems_have_one_shape() -> None:
    body: Mapping[str, Any] = Caller().get("/nothing").body

    assert list(body) == ["type", "title", "status", "code", "detail", "errors"]
