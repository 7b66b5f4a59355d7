"""`/exports`: the books in other people's formats."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import downloads
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import MONTH, Amount, Answer, Instant, Strict, Word
from billing.api.openapi import problems
from billing.core.exporting import jsonl
from billing.core.lifecycle import InvoiceStatus
from billing.core.postings import AccountKind
from billing.core.rate_classes import RateClass
from billing.queries import exports
from billing.queries.exports import Documents, Form, Selection


class SpanQuery(Strict):
    """From when on, and before when; of whom."""

    customer = serializers.UUIDField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False),
            "to": Instant(required=False, help_text="Not included."),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Forwards in time."""
        if "from" in attrs and "to" in attrs and attrs["to"] <= attrs["from"]:
            raise serializers.ValidationError({"to": ["Later than “from”."]}, "invalid_range")
        return attrs


class JournalExportQuery(SpanQuery):
    """Which entries, and in which format."""

    format = Word(Form, default=Form.CSV, required=False)
    kind = serializers.RegexField(r"^[A-Za-z_]{1,64}$", required=False)


class DocumentsExportQuery(SpanQuery):
    """Which documents."""

    status = Word(InvoiceStatus, required=False)


class TotalsQuery(Strict):
    """Which month, and in which format."""

    month = serializers.RegexField(MONTH, help_text="Like `2026-04`.")
    format = serializers.ChoiceField(["json", "csv"], default="json", required=False)

    def validate_month(self, text: str) -> date:
        """The first day of it."""
        return date.fromisoformat(f"{text}-01")


class AccountTotalsOutput(Answer):
    """What an account moved in one currency; balances are debits less credits."""

    account = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField([kind.value.lower() for kind in AccountKind])
    currency = serializers.CharField()
    opening = Amount()
    debit = Amount()
    credit = Amount()
    closing = Amount()


@extend_schema_serializer(component_name="Totals")
class TotalsOutput(Answer):
    """A month's totals, by account and currency."""

    month = serializers.CharField()
    totals = AccountTotalsOutput(many=True)


class ExportedJournal(Endpoint):
    """The journal as a file."""

    rate_class = RateClass.REPORT
    operator_only = frozenset({"GET"})
    filters = JournalExportQuery

    @extend_schema(
        operation_id="exportJournal",
        summary="Export the journal",
        description=(
            "Operators only. Streamed from one snapshot, in the order in which the facts were "
            "true. `csv`: a row for each posting. `jsonl`: a line for each fact, also for those "
            "that moved nothing. `beancount`: text that `bean-check` (beancount 3) accepts; with "
            "`from` it begins with an opening entry, and it ends with an assertion of every "
            "balance. An answer that breaks off was not finished: ask again."
        ),
        parameters=[JournalExportQuery],
        responses={
            **{
                (200, media_type): OpenApiResponse(OpenApiTypes.STR, description="The file.")
                for media_type, _ in downloads.JOURNAL.values()
            },
            **problems(400, 403, 404),
        },
        examples=[
            OpenApiExample(
                "An opening entry",
                '2026-05-01 * "Opening balances"\n  Assets:Receivables 25.00 EUR\n',
                media_type=downloads.TEXT,
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Stream it."""
        query = self.filtered()
        selection = Selection(
            start=query.get("from"),
            end=query.get("to"),
            customer_id=_customer(request, query),
            kind=query["kind"].upper() if "kind" in query else None,
        )
        return downloads.journal(selection, query["format"])


class ExportedTotals(Endpoint):
    """What each account moved in a month."""

    rate_class = RateClass.REPORT
    operator_only = frozenset({"GET"})
    filters = TotalsQuery

    @extend_schema(
        operation_id="exportTotals",
        summary="Export a month's totals per account",
        description=(
            "Operators only. Months are in UTC. `opening` + `debit` − `credit` = `closing`, and "
            "all closing balances of a currency sum to nothing: what is owned or spent is "
            "positive, what is owed or earned negative."
        ),
        parameters=[TotalsQuery],
        responses={
            (200, "application/json"): TotalsOutput,
            (200, downloads.CSV): OpenApiResponse(OpenApiTypes.STR, description="The file."),
            **problems(400, 403),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Sum them."""
        query = self.filtered()
        month: date = query["month"]
        found = exports.of_month(month)
        if query["format"] == "csv":
            return downloads.totals(month, found)
        rows = [jsonl.totals_of(totals) for totals in found]
        return Response({"month": f"{month:%Y-%m}", "totals": rows})


class ExportedDocuments(Endpoint):
    """Invoices and credit notes as a ZIP."""

    rate_class = RateClass.REPORT
    operator_only = frozenset({"GET"})
    filters = DocumentsExportQuery

    @extend_schema(
        operation_id="exportInvoices",
        summary="Export invoices and credit notes",
        description=(
            "Operators only. Streamed: each finalized document as JSON and as a page to read. "
            "`from` and `to` are of their issue; with a status, invoices that have it and the "
            "credit notes of those."
        ),
        parameters=[DocumentsExportQuery],
        responses={
            (200, downloads.ZIP): OpenApiResponse(
                OpenApiTypes.BINARY, description="A ZIP archive."
            ),
            **problems(400, 403, 404),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Stream it."""
        query = self.filtered()
        selection = Documents(
            start=query.get("from"),
            end=query.get("to"),
            customer_id=_customer(request, query),
            status=query.get("status"),
        )
        return downloads.archive(selection)


def _customer(request: Request, query: dict[str, Any]) -> Any:
    """The customer that is asked for; None for all.

    :raises NotFoundError: if there is none.
    """
    return customer_named(request, query["customer"]).pk if "customer" in query else None
