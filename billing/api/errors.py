"""Every failure as `application/problem+json` (RFC 9457). Only here do codes meet HTTP status."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import singledispatch
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from billing.core.errors import (
    BillingError,
    ConflictError,
    InvalidError,
    NotFoundError,
    PaymentFailedError,
    UnavailableError,
)
from billing.services.schedule import ConflictingChangesError
from plans.terms import InvalidTermsError

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "/api/docs/errors#"
TITLES: Final = {
    400: "Bad request",
    401: "Unauthorized",
    402: "Payment failed",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Idempotency key reused",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
RETRIED: Final = frozenset({429, 503})  # come with `Retry-After`
STATUS_OF_CODE: Final = {
    "coupon_exists": 409,
    "changed_meanwhile": 409,
    "customer_erased": 409,
    "customer_exists": 409,
    "feature_exists": 409,
    "meter_exists": 409,
    "plan_retired": 409,
    "version_mismatch": 412,
}
_UNIQUE_VIOLATION: Final = "23505"
_WHOLE_BODY: Final = "body"


class KeyReusedError(BillingError):
    """An idempotency key came again with another request."""


class PreconditionFailedError(BillingError):
    """What `If-Match` names is not what is there."""


class ForbiddenError(BillingError):
    """The token may not do this, whatever it is done to."""


STATUS: Final[dict[type[BillingError], int]] = {
    InvalidError: 400,
    PaymentFailedError: 402,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    PreconditionFailedError: 412,
    KeyReusedError: 422,
    UnavailableError: 503,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a caller is told about a failure."""

    status: int
    code: str
    detail: str
    errors: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The members of RFC 9457, and ours: `code`, `errors`, and what belongs to the code."""
        return {
            "type": f"{TYPE_PREFIX}{self.code}",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "errors": self.errors,
            **self.more,
        }


def to_response(failure: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to any exception, anticipated or not."""
    found = problem(failure)
    return Response(found.body, status=found.status, headers=found.headers, content_type=MEDIA_TYPE)


@singledispatch
def problem(failure: Exception) -> Problem:
    """What to say about a failure. Of one that nobody anticipated, only the log says more."""
    logger.error("Unexpected failure.", exc_info=failure)
    return Problem(500, "internal_error", "Something went wrong on our side. It was recorded.")


@problem.register
def _billing(failure: BillingError) -> Problem:
    kinds = (status for kind, status in STATUS.items() if isinstance(failure, kind))
    status = STATUS_OF_CODE.get(failure.code) or next(kinds, 400)
    headers = {"Retry-After": "1"} if status == 503 else {}
    return Problem(status, failure.code, failure.detail, failure.errors, headers)


@problem.register
def _conflicting(failure: ConflictingChangesError) -> Problem:
    conflicts = [
        {
            "code": conflict.code,
            "detail": conflict.detail,
            "due_at": row.due_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "change": None if row is failure.asked else str(row.pk),
        }
        for conflict, row in failure.conflicts
    ]
    return Problem(409, failure.code, failure.detail, more={"conflicts": conflicts})


@problem.register
def _terms(failure: InvalidTermsError) -> Problem:
    return Problem(400, "invalid_terms", "The terms make no sense.", failure.errors)


@problem.register
def _django_validation(failure: ValidationError) -> Problem:
    """What the services of plans and customers refuse."""
    if hasattr(failure, "error_dict"):
        errors = {name: list(texts) for name, texts in failure.message_dict.items()}
        return Problem(400, "invalid_request", _sentence(errors), errors)
    code = str(getattr(failure, "code", None) or "invalid_request")
    return Problem(STATUS_OF_CODE.get(code, 400), code, " ".join(failure.messages))


@problem.register
def _api(failure: exceptions.APIException) -> Problem:
    code = str(failure.get_codes())
    headers = {}
    if auth_header := getattr(failure, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(failure, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return Problem(failure.status_code, code, str(failure.detail), headers=headers)


@problem.register
def _validation(failure: serializers.ValidationError) -> Problem:
    """Each field at fault by its path; the code is the faults' own where they share one."""
    faults = list(_flat(failure.detail, ()))
    errors: dict[str, list[str]] = {}
    for path, text in faults:
        errors.setdefault(path, []).append(str(text))
    codes = {str(text.code) for _, text in faults}
    code = codes.pop() if len(codes) == 1 else "invalid"
    return Problem(400, PLAIN.get(code, code), _sentence(errors), errors)


@problem.register
def _missing(_failure: Http404 | ObjectDoesNotExist) -> Problem:
    return Problem(404, "not_found", "There is no such thing here.")


@problem.register
def _database(failure: OperationalError) -> Problem:
    logger.warning("The database does not answer: %s", failure)
    return Problem(
        503,
        "database_unavailable",
        "The database does not answer. Please try again.",
        headers={"Retry-After": "1"},
    )


@problem.register
def _integrity(failure: IntegrityError) -> Problem:
    """Two did the same at once, and the database let one through."""
    if getattr(failure.__cause__, "sqlstate", None) != _UNIQUE_VIOLATION:
        logger.error("A constraint refused what the code let through.", exc_info=failure)
        return Problem(500, "internal_error", "Something went wrong on our side. It was recorded.")
    return Problem(409, "conflict", "Somebody did this at the same moment. Look before you retry.")


@problem.register
def _out_of_range(_failure: DataError) -> Problem:
    return Problem(400, "out_of_range", "A number is larger than can be stored.")


@problem.register
def _suspicious(_failure: SuspiciousOperation) -> Problem:
    """Django refuses to read more than so many parameters."""
    return Problem(400, "malformed_query", "The query has too many parameters.")


@problem.register
def _too_deep(failure: RecursionError) -> Problem:
    """JSON may be nested as deeply as it can be read, and still be too deep to work with."""
    logger.warning("Too deep.", exc_info=failure)
    return Problem(400, "malformed_json", "The body is nested too deeply.")


def _flat(detail: Any, path: tuple[str, ...]) -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else (*path, str(name))
            yield from _flat(inner, here)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_leaf = isinstance(inner, str)
            yield from _flat(inner, path if is_leaf else (*path, str(index)))
    else:
        yield ".".join(path) or _WHOLE_BODY, detail


def _sentence(errors: Mapping[str, list[str]]) -> str:
    return " ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())


PLAIN: Final = {"invalid": "invalid_request", "not_a_dict": "invalid_request"}
