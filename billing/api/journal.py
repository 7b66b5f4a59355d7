"""`/journal`: the append-only record."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.cursors import CursorQuery, cursor_listing, cursor_page
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Instant, Json, Word
from billing.api.openapi import problems
from billing.core.postings import Side
from billing.models import JournalEntry


class JournalQuery(CursorQuery):
    """Which entries."""

    customer = serializers.UUIDField(required=False)
    kind = serializers.RegexField(r"^[A-Za-z_]{1,64}$", required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        return {
            **super().get_fields(),
            "from": Instant(required=False),
            "to": Instant(required=False, help_text="Not included."),
        }


class PostingOutput(Answer):
    """One side; the amount is positive."""

    account = serializers.CharField(source="account_id")
    side = Word(Side)
    amount = Amount()
    currency = serializers.CharField()
    invoice = serializers.UUIDField(source="invoice_id", allow_null=True)


class SourceOutput(Answer):
    """The document that a fact came of."""

    kind = serializers.CharField(source="source_kind")
    id = serializers.UUIDField(source="source_id")


class SealOutput(Answer):
    """The block of the chain that binds the entry, at which place, with which digest."""

    block = serializers.IntegerField(source="block_id")
    position = serializers.IntegerField()
    digest = serializers.CharField()


@extend_schema_serializer(component_name="JournalEntry")
class EntryOutput(Answer):
    """A fact: when it was true, when it was written, what it moved. It names no person.

    `customer` is null for what concerns many at once, `seal` for some seconds after it was written.
    """

    id = serializers.UUIDField()
    kind = serializers.CharField()
    customer = serializers.UUIDField(source="customer_id", allow_null=True)
    occurred_at = Instant()
    recorded_at = Instant()
    context = Json()  # type: ignore[assignment]  # the contract's word, and DRF's
    lines = PostingOutput(many=True)
    seal = SealOutput(allow_null=True, default=None)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`source` is a word of DRF's."""
        return {
            **super().get_fields(),
            "source": SourceOutput(allow_null=True, source="*"),
        }

    def to_representation(self, entry: JournalEntry) -> dict[str, Any]:
        """Its kind in lower case."""
        return {
            **super().to_representation(entry),
            "kind": entry.kind.lower(),
            "source": SourceOutput.of(entry) if entry.source_id else None,
        }


class Journal(Endpoint):
    """The record."""

    operator_only = frozenset({"GET"})
    filters = JournalQuery

    @extend_schema(
        operation_id="listJournal",
        summary="Read the journal",
        description=(
            "Operators only. Newest first: every fact with its postings, debits equal to credits."
        ),
        parameters=[JournalQuery],
        responses={
            200: cursor_listing("journal", EntryOutput, "Journal"),
            **problems(400, 403, 404),
        },
    )
    def get(self, request: Request) -> Response:
        """Read it."""
        query = self.filtered()
        rows = JournalEntry.objects.select_related("seal").prefetch_related("lines")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        if "kind" in query:
            rows = rows.filter(kind=query["kind"].upper())
        if "from" in query:
            rows = rows.filter(occurred_at__gte=query["from"])
        if "to" in query:
            rows = rows.filter(occurred_at__lt=query["to"])
        return cursor_page(request, "journal", rows, query, show=EntryOutput.all_of)
