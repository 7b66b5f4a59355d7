"""`/invoices/{id}/instalments`: an invoice that is paid in parts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.endpoint import Endpoint
from billing.api.fields import Exact, Instant, Strict, Word
from billing.api.invoice_shapes import InvoiceOutput
from billing.api.invoices import shown
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.payment_shapes import InstalmentOutput
from billing.api.permissions import find
from billing.api.tokens import caller
from billing.core.instalments import Part, Rhythm
from billing.core.money import Money
from billing.models import Invoice
from billing.queries import instalments as agreed
from billing.services import instalments
from plans.terms import Interval

MAX_PARTS = 120
_RHYTHM = ("count", "first_due_at", "interval")


class InstalmentInput(Strict):
    """A part of the invoice."""

    amount = Exact()
    due_at = Instant()


class InstalmentsInput(Strict):
    """Either the parts themselves, or how what is owed is split into equal ones."""

    instalments: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=InstalmentInput(), required=False, max_length=MAX_PARTS
    )
    count = serializers.IntegerField(min_value=1, max_value=MAX_PARTS, required=False)
    first_due_at = Instant(required=False)
    interval = Word(Interval, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two, and whole."""
        rhythm = [name for name in _RHYTHM if name in attrs]
        if ("instalments" in attrs) == bool(rhythm) or len(rhythm) not in {0, len(_RHYTHM)}:
            raise serializers.ValidationError(
                "Either “instalments”, or “count”, “first_due_at” and “interval”.", "required"
            )
        return attrs


class Instalments(Endpoint):
    """The parts of one invoice."""

    operator_only = frozenset({"POST", "DELETE"})
    filters = PageQuery

    @extend_schema(
        operation_id="listInstalments",
        summary="List an invoice's instalments",
        description="In the order they are due; none where it is due whole.",
        parameters=[PageQuery],
        responses={
            200: listing("instalments", InstalmentOutput, "Instalment"),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """List them."""
        invoice = find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        parts = agreed.agreed([invoice]).get(invoice.pk, [])
        return page("instalments", parts, self.filtered(), show=InstalmentOutput.all_of)

    @extend_schema(
        operation_id="agreeInstalments",
        summary="Let an invoice be paid in parts",
        description=(
            "Operators only, of a finalized invoice that is not paid. The parts sum to what is "
            "owed; each is charged when it is due, and who pays more pays later ones earlier. "
            "Earlier instalments are replaced. Answers the invoice."
        ),
        request=InstalmentsInput,
        responses={201: InvoiceOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Three months",
                {"count": 3, "first_due_at": "2026-05-01T09:00:00Z", "interval": "month"},
                request_only=True,
            ),
            OpenApiExample(
                "A larger first part",
                {
                    "instalments": [
                        {"amount": "70.00", "due_at": "2026-05-01T09:00:00Z"},
                        {"amount": "30.00", "due_at": "2026-06-01T09:00:00Z"},
                    ]
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Agree them."""
        fields = self.read(InstalmentsInput)
        invoice = find(request, Invoice.objects.all(), invoice_id, noun="invoice")
        instalments.agree(
            invoice.pk, _wanted(fields, invoice), by=caller(request).name, now=clock.now()
        )
        return Response(shown(invoice.pk), status=201)

    @extend_schema(
        operation_id="withdrawInstalments",
        summary="Make an invoice due whole again",
        description=(
            "Operators only. What is left is owed by the invoice's own date, and charged when "
            "somebody says so."
        ),
        request=None,
        responses={204: None, **problems(403, 404, 409)},
    )
    def delete(self, request: Request, invoice_id: UUID) -> Response:
        """Withdraw them."""
        instalments.withdraw(invoice_id, by=caller(request).name, now=clock.now())
        return Response(status=204)


def _wanted(fields: dict[str, Any], invoice: Invoice) -> list[Part] | Rhythm:
    if "instalments" in fields:
        return [
            Part(Money.parse(part["amount"], invoice.currency), part["due_at"])
            for part in fields["instalments"]
        ]
    return Rhythm(*(fields[name] for name in _RHYTHM))
