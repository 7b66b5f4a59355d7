"""`/charges`: have an invoice paid."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.charge_shapes import OWNER, ChargeOutput, charges, without_charge
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Strict, Word
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.tokens import caller
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.models import Invoice, PaymentMethod
from billing.services import payments


class ChargeInput(Strict):
    """Which invoice, and with what; the customer's default where nothing is named."""

    invoice_id = serializers.UUIDField()
    payment_method = serializers.UUIDField(allow_null=True, default=None, required=False)


class ChargeQuery(PageQuery):
    """Which charges."""

    invoice = serializers.UUIDField(required=False)
    customer = serializers.UUIDField(required=False)
    status = Word(AttemptStatus, required=False)
    needs_decision = serializers.BooleanField(required=False)


class Charges(Endpoint):
    """All charges."""

    filters = ChargeQuery

    @extend_schema(
        operation_id="listCharges",
        summary="List charges",
        description=(
            "Newest first; of one invoice or customer, in one status, or those that wait for an "
            "operator's decision, where asked."
        ),
        parameters=[ChargeQuery],
        responses={200: listing("charges", ChargeOutput, "Charge"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, charges(), by=OWNER).order_by("-created_at", "-pk")
        if "customer" in query:
            customer = customer_named(request, query["customer"])
            rows = rows.filter(invoice__customer=customer)
        columns = {"invoice": "invoice", "status": "status", "needs_decision": "is_undecided"}
        for name, column in columns.items():
            if name in query:
                rows = rows.filter(**{column: query[name]})
        return page("charges", rows, query, show=ChargeOutput.all_of)

    @extend_schema(
        operation_id="chargeInvoice",
        summary="Charge an invoice",
        description=(
            "A draft gets its number, is frozen and `pending` (operators only); the charge goes "
            "to a worker, and its outcome stands on the charge and on the invoice. Without "
            "`payment_method`, the default one is charged, or the next where its gateway will not "
            "do. 409 where a charge is under way (`charge_under_way`), nothing is owed "
            "(`nothing_to_charge`), or no gateway may be asked (`no_gateway`)."
        ),
        request=ChargeInput,
        responses={202: ChargeOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Charge",
                {"invoice_id": "0198d5a2-0000-7000-8000-000000000003"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write down that it shall be charged, and tell a worker."""
        fields = self.read(ChargeInput)
        invoice = find(request, Invoice.objects.all(), fields["invoice_id"], noun="invoice")
        if invoice.status == InvoiceStatus.DRAFT:
            require_operator(request)
        if fields["payment_method"] is not None:
            theirs = PaymentMethod.objects.usable().filter(customer=invoice.customer_id)
            find(request, theirs, fields["payment_method"], noun="payment method")
        now = clock.now()
        attempt = payments.charge(
            invoice.pk,
            by=caller(request).name,
            now=now,
            payment_method_id=fields["payment_method"],
        )
        if attempt is None:
            return Response(ChargeOutput.of(without_charge(invoice, now)), status=202)
        transaction.on_commit(partial(tasks.collect_soon, [attempt.pk]))
        return Response(ChargeOutput.of(attempt), status=202)


class OneCharge(Endpoint):
    """One charge."""

    @extend_schema(
        operation_id="getCharge",
        summary="Read a charge",
        description=(
            "With what it waits for, or what came of it. What the gateway has not told yet is "
            "not asked here."
        ),
        responses={200: ChargeOutput, **problems(404)},
    )
    def get(self, request: Request, charge_id: UUID) -> Response:
        """Read it."""
        return Response(
            ChargeOutput.of(find(request, charges(), charge_id, by=OWNER, noun="charge"))
        )
