"""`/invoices`: what is owed and why."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Strict, Text, Word
from billing.api.invoice_shapes import InvoiceInput, InvoiceOutput, readable, show
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.preconditions import expected_version
from billing.api.tokens import caller
from billing.core.invoicing import Item
from billing.core.lifecycle import InvoiceStatus
from billing.models import Invoice
from billing.services import disputes, invoices, refunds
from billing.services.refunds import Ask


class InvoiceQuery(PageQuery):
    """Which invoices."""

    customer = serializers.UUIDField(required=False)
    subscription = serializers.UUIDField(required=False)
    status = Word(InvoiceStatus, required=False)


class InvoiceChange(Strict):
    """The step to take. What a gateway decides is changed by its word only."""

    status = serializers.ChoiceField(["canceled", "refunded", "in_protest"])
    reason = Text(
        max_length=255,
        allow_blank=True,
        default="",
        required=False,
        help_text="Why it is refunded or contested.",
    )


class Invoices(Endpoint):
    """All invoices."""

    operator_only = frozenset({"POST"})
    filters = InvoiceQuery

    @extend_schema(
        operation_id="listInvoices",
        summary="List invoices",
        description="Newest first; of one customer or subscription, or in one status, where asked.",
        parameters=[InvoiceQuery],
        responses={200: listing("invoices", InvoiceOutput, "Invoice"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, readable()).order_by("-created_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        if "subscription" in query:
            rows = rows.filter(subscription=query["subscription"])
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return page("invoices", rows, query, show=show)

    @extend_schema(
        operation_id="draftInvoice",
        summary="Write an invoice by hand",
        description=(
            "Operators only. It is a draft until it is charged; then it gets its number. Unit "
            "amounts are rates and may have 12 decimals; each line is rounded once."
        ),
        request=InvoiceInput,
        responses={201: InvoiceOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Set-up",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "currency": "USD",
                    "items": [{"description": "Set-up", "quantity": "1", "unit_amount": "250"}],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write one."""
        fields = self.read(InvoiceInput)
        customer = customer_named(request, fields["customer"])
        written = invoices.draft(
            customer.pk,
            currency=fields["currency"],
            items=[Item(**item) for item in fields["items"]],
            by=caller(request).name,
            now=clock.now(),
            due_at=fields.get("due_at"),
        )
        return Response(shown(written.pk), status=201)


class OneInvoice(Endpoint):
    """One invoice."""

    @extend_schema(
        operation_id="getInvoice",
        summary="Read an invoice",
        description="With its lines, each with the calculation behind it, and its payments.",
        responses={200: InvoiceOutput, **problems(404)},
    )
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """Read it."""
        invoice = find(request, readable(), invoice_id, noun="invoice")
        return Response(show([invoice])[0])

    @extend_schema(
        operation_id="updateInvoice",
        summary="Cancel, refund or contest an invoice",
        description=(
            "`canceled` (operators only): one that is not paid, and no charge is under way for; a "
            "numbered one keeps its number and gets a credit note. `refunded`: one that is paid, "
            "whole, by customers within 7 days; a worker asks the gateways, and it stays `paid` "
            "until they have given all of it back. `in_protest`: one that is paid is contested, "
            "and an operator decides."
        ),
        request=InvoiceChange,
        parameters=IF_MATCH,
        responses={200: InvoiceOutput, **problems(400, 403, 404, 409, 412)},
        examples=[
            OpenApiExample("Cancel", {"status": "canceled"}, request_only=True),
            OpenApiExample(
                "Refund", {"status": "refunded", "reason": "ordered twice"}, request_only=True
            ),
        ],
    )
    def patch(self, request: Request, invoice_id: UUID) -> Response:
        """Take the step."""
        find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        fields = self.read(InvoiceChange)
        if fields["status"] == "canceled":
            require_operator(request)
        _STEPS[fields["status"]](request, invoice_id, fields["reason"])
        return Response(shown(invoice_id))


class FinalInvoice(Endpoint):
    """Finalizing without a charge."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="finalizeInvoice",
        summary="Finalize an invoice",
        description=(
            "Operators only. A draft gets its number, is frozen and `pending`, and nothing is "
            "charged: it will be paid another way. What the customer's credit covers is paid at "
            "once."
        ),
        request=None,
        parameters=IF_MATCH,
        responses={200: InvoiceOutput, **problems(403, 404, 409, 412, 422)},
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Finalize it."""
        find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        invoices.issue(invoice_id, now=clock.now(), expected_version=expected_version(request))
        return Response(shown(invoice_id))


def shown(invoice_id: UUID) -> dict[str, Any]:
    """An invoice as it is answered."""
    return show([readable().get(pk=invoice_id)])[0]


def _cancel(request: Request, invoice_id: UUID, _reason: str) -> None:
    invoices.cancel(
        invoice_id,
        by=caller(request).name,
        now=clock.now(),
        expected_version=expected_version(request),
    )


def _refund(request: Request, invoice_id: UUID, reason: str) -> None:
    who = caller(request)
    ask = Ask(who.name, reason, not who.is_operator, expected_version(request))
    found = refunds.of_invoice(invoice_id, None, ask, now=clock.now())
    tasks.refund_soon([refund.pk for refund in found])


def _contest(request: Request, invoice_id: UUID, reason: str) -> None:
    disputes.contest(
        invoice_id,
        by=caller(request).name,
        reason=reason,
        now=clock.now(),
        expected_version=expected_version(request),
    )


_STEPS: Final = {"canceled": _cancel, "refunded": _refund, "in_protest": _contest}
