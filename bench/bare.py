"""The least a check could be: a token that is known already, one read by its key, some JSON."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

_KNOWN: set[str] = set()


def bare(request: HttpRequest, customer_id: UUID) -> JsonResponse:
    """Whether a row is there."""
    _KNOWN.add(request.headers["Authorization"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status FROM billing_subscription WHERE customer_id = %s", [customer_id]
        )
        (status,) = cursor.fetchone()
    return JsonResponse({"granted": status == "ACTIVE"})


urlpatterns = [path("bare/<uuid:customer_id>/entitlements/meter_1", bare)]
