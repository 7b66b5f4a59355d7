"""`/customers/{id}/statement`: what they owed, what changed it, what they owe."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Instant, Strict, Text, currency
from billing.api.openapi import problems
from billing.core.errors import InvalidError
from billing.queries import statements
from billing.queries.statements import Item, Source, Statement
from customers.models import Customer

_LONGEST: Final = timedelta(days=366)
# Where what an entry came of can be read.
_ADDRESSES: Final = {
    "invoice": "invoices",
    "subscription": "subscriptions",
    "credit_note": "credit-notes",
    "payment": "payments",
    "refund": "refunds",
}


class StatementQuery(Strict):
    """From when, up to when, in which currency."""

    currency = Text(required=False, validators=[currency], help_text="All of them.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False, help_text="When the month before began."),
            "to": Instant(required=False, help_text="Not included; the customer's present."),
        }


class DocumentOutput(Answer):
    """The document an entry came of; `url` is null where it has no address of its own."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    number = serializers.CharField(allow_blank=True)
    url = serializers.URLField(allow_null=True)


class StatementEntryOutput(Answer):
    """What changed what is owed: positive where more is owed since. `balance` is after it."""

    at = Instant()
    kind = serializers.CharField()
    what = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    amount = Amount()
    balance = Amount()
    document = DocumentOutput(allow_null=True)


class CurrencyStatementOutput(Answer):
    """One currency's; opening balance and entries come to the closing balance."""

    currency = serializers.CharField()
    opening_balance = Amount()
    entries = StatementEntryOutput(many=True)
    closing_balance = Amount()


@extend_schema_serializer(component_name="Statement")
class StatementOutput(Answer):
    """What a customer owes, less their credit and refunds on their way; negative: it is theirs."""

    customer = serializers.UUIDField()
    statements = CurrencyStatementOutput(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {**super().get_fields(), "from": Instant(), "to": Instant()}


class CustomerStatement(Endpoint):
    """A customer's account with us."""

    filters = StatementQuery

    @extend_schema(
        operation_id="getStatement",
        summary="What a customer owed, what changed it, and what they owe",
        description=(
            "By currency: opening balance, every entry with its reason and document, closing "
            "balance. 366 days at most. It says what was committed before the request."
        ),
        parameters=[StatementQuery],
        responses={200: StatementOutput, **problems(400, 404)},
        examples=[
            OpenApiExample(
                "April",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "from": "2026-04-01T00:00:00Z",
                    "to": "2026-05-01T00:00:00Z",
                    "statements": [
                        {
                            "currency": "USD",
                            "opening_balance": "0.00",
                            "entries": [
                                {
                                    "at": "2026-04-01T09:00:00Z",
                                    "kind": "invoice_finalized",
                                    "what": "Invoice",
                                    "reason": "Set-up",
                                    "amount": "25.00",
                                    "balance": "25.00",
                                    "document": {
                                        "kind": "invoice",
                                        "id": "0198d5a2-0000-7000-8000-000000000002",
                                        "number": "INV-000001",
                                        "url": "https://billing.example/api/v1/invoices/0198d5a2",
                                    },
                                }
                            ],
                            "closing_balance": "25.00",
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Write it."""
        customer, query = customer_named(request, customer_id), self.filtered()
        since, until = _span(query, customer)
        found = statements.of(customer, since=since, until=until, currency=query.get("currency"))
        return Response(
            StatementOutput.of(
                {
                    "customer": customer.pk,
                    "from": since,
                    "to": until,
                    "statements": [_statement(request, row) for row in found],
                }
            )
        )


def _span(query: dict[str, Any], customer: Customer) -> tuple[datetime, datetime]:
    until = query.get("to") or customer.lives_at(clock.now())
    since = query.get("from") or statements.usual_start(customer, until)
    if not timedelta(0) <= until - since <= _LONGEST:
        raise InvalidError(
            "“from” comes before “to”, by 366 days at most.",
            code="invalid_range",
            errors={"from": ["Before “to”, by 366 days at most."]},
        )
    return since, until


def _statement(request: Request, statement: Statement) -> dict[str, Any]:
    return {
        "currency": statement.opening.currency,
        "opening_balance": statement.opening,
        "entries": [_entry(request, item) for item in statement.items],
        "closing_balance": statement.closing,
    }


def _entry(request: Request, item: Item) -> dict[str, Any]:
    return {
        "at": item.at,
        "kind": item.kind.lower(),
        "what": item.what,
        "reason": item.reason,
        "amount": item.amount,
        "balance": item.balance,
        "document": None if item.source is None else _document(request, item.source),
    }


def _document(request: Request, source: Source) -> dict[str, Any]:
    noun = _ADDRESSES.get(source.kind)
    url = None if noun is None else request.build_absolute_uri(f"/api/v1/{noun}/{source.id}")
    return {"kind": source.kind, "id": source.id, "number": source.number, "url": url}
