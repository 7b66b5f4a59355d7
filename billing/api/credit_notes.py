"""`/credit-notes`: what is taken back of finalized invoices."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Exact, Strict, Text, Word
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own
from billing.api.return_shapes import CreditNoteOutput, credit_notes
from billing.api.tokens import caller
from billing.core.crediting import Request as Credit
from billing.core.crediting import Wish
from billing.core.money import Money
from billing.core.returning import Destination
from billing.models import Invoice
from billing.models.credit_note import CreditReason
from billing.services import credit_notes as service
from billing.services.credit_notes import Order


class CreditLineInput(Strict):
    """A line of the invoice; at most one of the three, or all that is left of it."""

    line = serializers.UUIDField()
    amount = Exact(required=False, allow_negative=True, help_text="Without its tax.")
    total = Exact(required=False, allow_negative=True, help_text="With its tax.")
    quantity = Exact(required=False, help_text="That share of the line.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One way to say how much."""
        if len(attrs) > 2:
            raise serializers.ValidationError("One of amount, total and quantity.", "ambiguous")
        return attrs


class CreditNoteInput(Strict):
    """What shall be credited: some lines, an amount with tax, or all that is left."""

    invoice = serializers.UUIDField()
    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=CreditLineInput(), required=False, allow_empty=False, max_length=1000
    )
    amount = Exact(required=False, help_text="With tax; spread over what is left of the charges.")
    to = Word(
        Destination,
        default=Destination.AUTO,
        required=False,
        help_text=(
            "Where goes what was paid: `balance` (credit), `refund` (back by the payments it came "
            "by, what cannot to credit), `auto` (the same, but nothing is paid out by hand)."
        ),
    )
    reason = Word(CreditReason, default=CreditReason.CORRECTION, required=False)
    note = Text(max_length=500, allow_blank=True, default="", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either lines or an amount."""
        if "lines" in attrs and "amount" in attrs:
            raise serializers.ValidationError("Either lines or an amount.", "ambiguous")
        return attrs


class CreditNoteQuery(PageQuery):
    """Which credit notes."""

    customer = serializers.UUIDField(required=False)
    invoice = serializers.UUIDField(required=False)


class CreditNotes(Endpoint):
    """All credit notes."""

    operator_only = frozenset({"POST"})
    filters = CreditNoteQuery

    @extend_schema(
        operation_id="listCreditNotes",
        summary="List credit notes",
        description="Newest first; of one customer or one invoice, where asked.",
        parameters=[CreditNoteQuery],
        responses={
            200: listing("credit_notes", CreditNoteOutput, "CreditNote"),
            **problems(400, 404),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, credit_notes()).order_by("-issued_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        if "invoice" in query:
            rows = rows.filter(invoice=query["invoice"])
        return page("credit_notes", rows, query, show=CreditNoteOutput.all_of)

    @extend_schema(
        operation_id="issueCreditNote",
        summary="Credit an invoice",
        description=(
            "Operators only. Of a finalized invoice, whole or in part, never above what is left "
            "of it. First less is owed; what was paid becomes credit or goes back, for which a "
            "worker asks the gateways. A draft is edited instead."
        ),
        request=CreditNoteInput,
        responses={201: CreditNoteOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Part of a line",
                {
                    "invoice": "0198d5a2-0000-7000-8000-000000000003",
                    "lines": [{"line": "0198d5a2-0000-7000-8000-000000000004", "amount": "10.00"}],
                    "to": "balance",
                    "reason": "return",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Issue one."""
        fields = self.read(CreditNoteInput)
        invoice = find(request, Invoice.objects.all(), fields["invoice"], noun="invoice")
        order = Order(
            request=_asked(fields, invoice.currency),
            to=fields["to"],
            reason=fields["reason"],
            note=fields["note"],
        )
        issued = service.issue(invoice.pk, order, by=caller(request).name, now=clock.now())
        document = credit_notes().get(pk=issued.pk)
        sent = [refund.pk for refund in document.refunds.all()]
        transaction.on_commit(partial(tasks.refund_soon, sent))
        return Response(CreditNoteOutput.of(document), status=201)


class OneCreditNote(Endpoint):
    """One credit note."""

    @extend_schema(
        operation_id="getCreditNote",
        summary="Read a credit note",
        description="With its lines and what goes back because of it.",
        responses={200: CreditNoteOutput, **problems(404)},
    )
    def get(self, request: Request, credit_note_id: UUID) -> Response:
        """Read it."""
        return Response(
            CreditNoteOutput.of(find(request, credit_notes(), credit_note_id, noun="credit note"))
        )


def _asked(fields: dict[str, Any], code: str) -> Credit:
    if "amount" in fields:
        return Credit(amount=Money.parse(fields["amount"], code))
    return Credit(wishes=tuple(_wish(line, code) for line in fields.get("lines", ())))


def _wish(line: dict[str, Any], code: str) -> Wish:
    net, gross = line.get("amount"), line.get("total")
    return Wish(
        str(line["line"]),
        net=None if net is None else Money.parse(net, code),
        gross=None if gross is None else Money.parse(gross, code),
        quantity=line.get("quantity"),
    )
