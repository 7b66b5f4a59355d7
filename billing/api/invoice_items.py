"""`/invoices/{id}/items`: what a draft that was written by hand is over."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.fields import Exact, Strict, Text
from billing.api.invoice_shapes import TAX_CLASS, InvoiceOutput, ItemInput
from billing.api.invoices import shown
from billing.api.openapi import IF_MATCH, problems
from billing.api.permissions import find
from billing.api.preconditions import expected_version
from billing.core.invoicing import Item
from billing.models import Invoice
from billing.services import items


class ItemChange(Strict):
    """What is to be different; the rest stays."""

    description = Text(max_length=500, required=False)
    quantity = Exact(required=False)
    unit_amount = Exact(allow_negative=True, required=False)
    tax_class = Text(max_length=32, required=False, help_text=TAX_CLASS)
    is_tax_included = serializers.BooleanField(required=False)


class InvoiceItems(Endpoint):
    """The items of a draft."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="addInvoiceItem",
        summary="Add an item",
        description="Operators only, to a draft that was written by hand.",
        request=ItemInput,
        parameters=IF_MATCH,
        responses={201: InvoiceOutput, **problems(400, 403, 404, 409, 412, 422)},
        examples=[
            OpenApiExample(
                "An item",
                {"description": "Travel", "quantity": "120", "unit_amount": "0.42"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Add it."""
        find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        items.add(
            invoice_id,
            Item(**self.read(ItemInput)),
            now=clock.now(),
            expected_version=expected_version(request),
        )
        return Response(shown(invoice_id), status=201)


class OneInvoiceItem(Endpoint):
    """One item of a draft."""

    operator_only = frozenset({"PATCH", "DELETE"})

    @extend_schema(
        operation_id="updateInvoiceItem",
        summary="Change an item",
        description="Operators only. `item_id` is the `id` of the invoice's line.",
        request=ItemChange,
        parameters=IF_MATCH,
        responses={200: InvoiceOutput, **problems(400, 403, 404, 409, 412)},
        examples=[OpenApiExample("More of it", {"quantity": "130"}, request_only=True)],
    )
    def patch(self, request: Request, invoice_id: UUID, item_id: UUID) -> Response:
        """Change it."""
        find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        items.change(
            invoice_id,
            item_id,
            self.read(ItemChange),
            now=clock.now(),
            expected_version=expected_version(request),
        )
        return Response(shown(invoice_id))

    @extend_schema(
        operation_id="removeInvoiceItem",
        summary="Remove an item",
        description="Operators only. The last one stays: cancel the draft instead.",
        parameters=IF_MATCH,
        responses={200: InvoiceOutput, **problems(403, 404, 409, 412)},
    )
    def delete(self, request: Request, invoice_id: UUID, item_id: UUID) -> Response:
        """Remove it."""
        find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        items.remove(
            invoice_id, item_id, now=clock.now(), expected_version=expected_version(request)
        )
        return Response(shown(invoice_id))
