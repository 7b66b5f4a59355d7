"""What a token may do: an operator everything, a customer what is theirs, a reader nothing new."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from billing.api.errors import ForbiddenError
from billing.api.tokens import Caller, caller
from billing.core.errors import NotFoundError

_Row = TypeVar("_Row", bound=Model)

OPERATOR_ONLY: Final = "operator_only"


class TokenPermission(BasePermission):
    """Refuses what a token may not do to anything; `own` refuses what is not theirs.

    A view names in `operator_only` the methods that are for operators.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """False where nobody is known, which is answered 401.

        `view` is any: DRF reads this module before it has views.

        :raises ForbiddenError: if the token may not do this at all.
        """
        if not isinstance(request.user, Caller):
            return False
        if not is_reading(request, view) and request.user.token.is_read_only:
            raise ForbiddenError("This token may only read.", code="read_only_token")
        method = "GET" if request.method == "HEAD" else request.method
        if method in getattr(view, "operator_only", ()):
            require_operator(request)
        return True


def is_reading(request: Request, view: Any) -> bool:
    """Whether a call writes nothing: by its method, or because nothing there does."""
    return request.method in SAFE_METHODS or getattr(view, "is_only_reading", False)


def require_operator(request: Request) -> None:
    """Refuse a customer's token.

    :raises ForbiddenError: with code `operator_only`.
    """
    if not caller(request).is_operator:
        raise ForbiddenError("Only an operator may do this.", code=OPERATOR_ONLY)


def own(request: Request, rows: QuerySet[_Row], *, by: str = "customer") -> QuerySet[_Row]:
    """Those rows that the caller may know of; `by` leads from a row to its customer."""
    customer_id = caller(request).customer_id
    return rows if customer_id is None else rows.filter(**{by: customer_id})


def find(
    request: Request, rows: QuerySet[_Row], row_id: UUID | None, *, by: str = "customer", noun: str
) -> _Row:
    """One row; a stranger's is as unknown as one that never was.

    :raises NotFoundError: if there is none that the caller may know of.
    """
    return found(own(request, rows, by=by), row_id, noun=noun)


def found(rows: QuerySet[_Row], row_id: Any, *, noun: str) -> _Row:
    """One row that everybody may know of.

    :raises NotFoundError: if there is none.
    """
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise NotFoundError(f"There is no {noun} {row_id}.", code="not_found")
    return row
