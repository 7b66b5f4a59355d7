"""`/customers/{id}/export` and `/customers/{id}/erase`: a person's rights to their data."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api import downloads
from billing.api.customers import CustomerOutput, customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Strict
from billing.api.openapi import problems
from billing.api.tokens import caller
from billing.core.rate_classes import RateClass
from billing.services import erasure


class ExportedCustomer(Endpoint):
    """What is held on a customer."""

    rate_class = RateClass.REPORT

    @extend_schema(
        operation_id="exportCustomer",
        summary="Export everything that is held on a customer",
        description=(
            "Streamed: one object with a list of rows for each kind of thing, as they are stored; "
            "amounts are in minor units. A customer's own token may ask for its own."
        ),
        responses={
            (200, downloads.JSON): OpenApiResponse(
                OpenApiTypes.OBJECT, description="Kind of thing → rows."
            ),
            **problems(404),
        },
    )
    def get(self, request: Request, customer_id: UUID) -> HttpResponseBase:
        """Stream it."""
        return downloads.personal(customer_named(request, customer_id), now=clock.now())


class EraseCustomer(Endpoint):
    """The person behind a customer."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="eraseCustomer",
        summary="Erase the person behind a customer",
        description=(
            "Operators only. What law requires is kept: finalized documents with the buyer they "
            "name, and the journal, which names nobody. 409 with the reason while a subscription "
            "is live, an invoice is unfinished, a charge, refund or dispute is open, money is "
            "owed or paid credit is left: `subscription_live`, `invoice_unfinished`, "
            "`charge_under_way`, `refund_under_way`, `dispute_open`, `money_owed`, `credit_left`. "
            "Again is the same as once. It cannot be undone."
        ),
        request=None,
        responses={200: CustomerOutput, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Erase it."""
        customer_named(request, customer_id)
        self.read(Strict)
        erasure.erase(customer_id, by=caller(request).name, now=clock.now())
        return Response(CustomerOutput.of(customer_named(request, customer_id)))
