"""`/transactions`: charges, payments, refunds, disputes and credits, newest first."""

from __future__ import annotations

from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.cursors import CursorQuery, cursor_answer, cursor_listing
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Exact, Instant, Text, Word
from billing.api.openapi import problems
from billing.api.tokens import caller
from billing.queries import transactions
from billing.queries.transactions import STATUSES, Transaction, TransactionKind, Wanted


class TransactionQuery(CursorQuery):
    """Which transactions."""

    customer = serializers.UUIDField(required=False)
    min_amount = Exact(required=False, help_text="In major units, whatever the currency.")
    max_amount = Exact(required=False)
    item = Text(
        required=False, max_length=255, help_text="Words in a line of an invoice it was for."
    )
    status = serializers.ChoiceField(STATUSES, required=False)
    kind = Word(TransactionKind, required=False)
    gateway = Text(
        required=False,
        max_length=32,
        help_text="Of charges, payments, refunds, disputes, and credit that a payment brought.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False),
            "to": Instant(required=False, help_text="Not included."),
        }


@extend_schema_serializer(component_name="Transaction")
class TransactionOutput(Answer):
    """Something that moved money or credit; the amount is positive, the kind says which way."""

    id = serializers.UUIDField(source="pk")
    kind = Word(TransactionKind)
    customer = serializers.UUIDField()
    at = Instant()
    amount = Amount()
    currency = serializers.CharField(source="amount.currency")
    status = serializers.ChoiceField(STATUSES)
    gateway = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    invoices = serializers.ListField(child=serializers.UUIDField())

    def to_representation(self, row: Transaction) -> dict[str, Any]:
        """Its status in lower case; what moved no money has no gateway."""
        return {
            **super().to_representation(row),
            "status": row.status.lower(),
            "gateway": row.gateway or None,
        }


class Transactions(Endpoint):
    """All of them."""

    filters = TransactionQuery

    @extend_schema(
        operation_id="listTransactions",
        summary="List charges, payments, refunds, disputes and credits",
        description=(
            "Newest first. A charge is one attempt at a gateway, whatever came of it; a payment is "
            "money that came another way; a credit is a grant of it. A customer's token sees that "
            "customer's only."
        ),
        parameters=[TransactionQuery],
        responses={
            200: cursor_listing("transactions", TransactionOutput, "Transaction"),
            **problems(400, 404),
        },
        examples=[
            OpenApiExample(
                "A charge",
                {
                    "next": None,
                    "previous": None,
                    "transactions": [
                        {
                            "id": "0198d5a2-0000-7000-8000-000000000003",
                            "kind": "charge",
                            "customer": "0198d5a2-0000-7000-8000-000000000001",
                            "at": "2026-05-01T00:00:00Z",
                            "amount": "180.00",
                            "currency": "USD",
                            "status": "succeeded",
                            "gateway": "stripe",
                            "reason": "",
                            "invoices": ["0198d5a2-0000-7000-8000-000000000002"],
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        fetch = partial(transactions.listed, _wanted(request, query))
        return cursor_answer(request, "transactions", fetch, query, show=TransactionOutput.all_of)


def _wanted(request: Request, query: dict[str, Any]) -> Wanted:
    own = caller(request).customer_id
    customer = customer_named(request, query["customer"]).pk if "customer" in query else own
    status = query.get("status")
    return Wanted(
        customer=customer,
        since=query.get("from"),
        until=query.get("to"),
        least=query.get("min_amount"),
        most=query.get("max_amount"),
        item=query.get("item"),
        status=None if status is None else status.upper(),
        kind=query.get("kind"),
        gateway=query.get("gateway"),
    )
