"""`/refunds`: money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Exact, Strict, Text, Word
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own, require_operator
from billing.api.return_shapes import RefundOutput, refunds
from billing.api.tokens import caller
from billing.core.lifecycle import AttemptStatus
from billing.core.money import Money
from billing.models import Invoice, Payment, Refund
from billing.services import refunds as service
from billing.services.refunds import Ask


class RefundInput(Strict):
    """What was paid of an invoice, or a payment; all that is left, or an amount of it."""

    invoice = serializers.UUIDField(required=False)
    payment = serializers.UUIDField(required=False, help_text="Operators only.")
    amount = Exact(required=False, allow_null=True, help_text="Operators only. Null: all.")
    reason = Text(max_length=255, allow_blank=True, default="", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if ("invoice" in attrs) == ("payment" in attrs):
            raise serializers.ValidationError("Either an invoice or a payment.", "ambiguous")
        return attrs


class RefundChange(Strict):
    """That it was paid out by hand."""

    status = serializers.ChoiceField(["succeeded"])
    reference = Text(max_length=255, help_text="What the bank calls it.")


class RefundQuery(PageQuery):
    """Which refunds."""

    customer = serializers.UUIDField(required=False)
    payment = serializers.UUIDField(required=False)
    status = Word(AttemptStatus, required=False)


@extend_schema_serializer(component_name="RefundsMade")
class MadeOutput(Answer):
    """The refunds that were made, one for each payment that money goes back by."""

    refunds = RefundOutput(many=True)


class Refunds(Endpoint):
    """All refunds."""

    filters = RefundQuery

    @extend_schema(
        operation_id="listRefunds",
        summary="List refunds",
        description="Newest first; of one customer or payment, or in one status, where asked.",
        parameters=[RefundQuery],
        responses={200: listing("refunds", RefundOutput, "Refund"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, refunds()).order_by("-created_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        if "payment" in query:
            rows = rows.filter(payment=query["payment"])
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return page("refunds", rows, query, show=RefundOutput.all_of)

    @extend_schema(
        operation_id="refund",
        summary="Refund an invoice or a payment",
        description=(
            "What was settled with it is credited by credit notes; of a payment, what is unused "
            "credit goes back first. Customers refund an invoice of theirs, whole, within 7 days "
            "of its payment. 202: a worker asks the gateways, and the outcome stands on the "
            "refunds. 201: there is nothing to ask; what came another way is paid out by hand, "
            "what credit had paid is credit again."
        ),
        request=RefundInput,
        responses={201: MadeOutput, 202: MadeOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Part of an invoice",
                {
                    "invoice": "0198d5a2-0000-7000-8000-000000000003",
                    "amount": "10.00",
                    "reason": "a week without service",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write down that it shall go back, and tell a worker."""
        fields = self.read(RefundInput)
        if "payment" in fields or fields.get("amount") is not None:
            require_operator(request)
        found = (
            _of_payment(request, fields) if "payment" in fields else _of_invoice(request, fields)
        )
        rows = list(refunds().filter(pk__in=[row.pk for row in found]).order_by("pk"))
        sent = [row.pk for row in rows if row.payment.attempt_id is not None]
        transaction.on_commit(partial(tasks.refund_soon, sent))
        return Response({"refunds": RefundOutput.all_of(rows)}, status=202 if sent else 201)


class OneRefund(Endpoint):
    """One refund."""

    is_tagged_by_version = False

    @extend_schema(
        operation_id="getRefund",
        summary="Read a refund",
        responses={200: RefundOutput, **problems(404)},
    )
    def get(self, request: Request, refund_id: UUID) -> Response:
        """Read it."""
        return Response(RefundOutput.of(find(request, refunds(), refund_id, noun="refund")))

    @extend_schema(
        operation_id="payOutRefund",
        summary="Say that a refund was paid out by hand",
        description=(
            "Operators only, of a payment that came another way than through a gateway. What a "
            "gateway gives back is changed by its word only."
        ),
        request=RefundChange,
        parameters=IF_MATCH,
        responses={200: RefundOutput, **problems(400, 403, 404, 409, 412)},
        examples=[
            OpenApiExample(
                "By bank",
                {"status": "succeeded", "reference": "2026-04-11/7"},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, refund_id: UUID) -> Response:
        """Say so."""
        find(request, Refund.objects.all(), refund_id, noun="refund")
        require_operator(request)
        fields = self.read(RefundChange)
        service.pay_out(
            refund_id, reference=fields["reference"], by=caller(request).name, now=clock.now()
        )
        return Response(RefundOutput.of(refunds().get(pk=refund_id)))


def _of_invoice(request: Request, fields: dict[str, Any]) -> Sequence[Refund]:
    invoice = find(request, Invoice.objects.all(), fields["invoice"], noun="invoice")
    asked = _asked(fields, invoice.currency)
    return service.of_invoice(invoice.pk, asked, _ask(request, fields), now=clock.now())


def _of_payment(request: Request, fields: dict[str, Any]) -> Sequence[Refund]:
    payment = find(request, Payment.objects.all(), fields["payment"], noun="payment")
    asked = _asked(fields, payment.currency)
    return service.of_payment(payment.pk, asked, _ask(request, fields), now=clock.now())


def _asked(fields: dict[str, Any], code: str) -> Money | None:
    amount = fields.get("amount")
    return None if amount is None else Money.parse(amount, code)


def _ask(request: Request, fields: dict[str, Any]) -> Ask:
    who = caller(request)
    return Ask(who.name, fields["reason"], is_customer=not who.is_operator)
