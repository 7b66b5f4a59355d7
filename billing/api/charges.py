"""`/charges`: have an invoice paid."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Instant, Strict, Word
from billing.api.openapi import problems
from billing.api.permissions import find, require_operator
from billing.api.tokens import caller
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.core.money import Money
from billing.models import Invoice, PaymentMethod
from billing.services import payments


class ChargeInput(Strict):
    """Which invoice, and with what; the customer's default where nothing is named."""

    invoice_id = serializers.UUIDField()
    payment_method = serializers.UUIDField(allow_null=True, default=None, required=False)


@extend_schema_serializer(component_name="Charge")
class ChargeOutput(Answer):
    """A charge at a gateway, from being written down to its outcome.

    What nothing is due on, or credit settles, is paid without one: `id`, `payment_method` and
    `gateway` are null then.
    """

    id = serializers.UUIDField(allow_null=True)
    invoice_id = serializers.UUIDField()
    payment_method = serializers.UUIDField(source="payment_method_id", allow_null=True)
    gateway = serializers.CharField(allow_null=True)
    amount = Amount()
    currency = serializers.CharField()
    status = Word(AttemptStatus)
    created_at = Instant()


class Charges(Endpoint):
    """Charges to come."""

    @extend_schema(
        operation_id="chargeInvoice",
        summary="Charge an invoice",
        description=(
            "A draft gets its number, is frozen and `pending` (operators only); the charge goes "
            "to a worker, and its outcome stands on the invoice."
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
            return Response(ChargeOutput.of(_without_charge(invoice, now)), status=202)
        transaction.on_commit(partial(tasks.collect_soon, [attempt.pk]))
        return Response(ChargeOutput.of(attempt), status=202)


def _without_charge(invoice: Invoice, now: datetime) -> dict[str, Any]:
    return {
        "id": None,
        "invoice_id": invoice.pk,
        "payment_method_id": None,
        "gateway": None,
        "amount": Money.zero(invoice.currency),
        "currency": invoice.currency,
        "status": AttemptStatus.SUCCEEDED,
        "created_at": now,
    }
