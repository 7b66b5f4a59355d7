"""`/payouts`: what gateways sent to our bank, against what we know of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Instant, Text, Word, currency
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import found
from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.models import GatewayPayout
from billing.queries import payouts
from billing.queries.payouts import Line, Report, SourceKind, Sums


class PayoutQuery(PageQuery):
    """Which payouts."""

    gateway = Text(max_length=32, required=False)
    currency = Text(validators=[currency], required=False)


@extend_schema_serializer(component_name="Payout")
class PayoutOutput(Answer):
    """Money that a gateway sent to our bank; negative where it took some.

    Its lines sum to `net`, which is `gross` − `fees`; `difference` is `amount` − `net`.
    """

    id = serializers.UUIDField()
    gateway = serializers.CharField()
    external_id = serializers.CharField(help_text="What the gateway calls it.")
    amount = Amount()
    currency = serializers.CharField()
    status = Word(PayoutStatus)
    created_at = Instant()
    arrives_at = Instant(allow_null=True)
    line_count = serializers.IntegerField()
    gross = Amount()
    fees = Amount()
    net = Amount()
    difference = Amount()


class PayoutSourceOutput(Answer):
    """What a line is about: the payment that was charged, the refund, or the dispute."""

    kind = Word(SourceKind)
    id = serializers.UUIDField()
    amount = Amount()
    currency = serializers.CharField()


class PayoutLineOutput(Answer):
    """A line of the gateway's account: `amount` − `fee` = `net`.

    It is `matched` if we know what it is about, and of the same amount where it is in the same
    currency; a fee that is about nothing always is.
    """

    id = serializers.UUIDField()
    external_id = serializers.CharField()
    kind = Word(MovementKind)
    amount = Amount()
    fee = Amount()
    net = Amount()
    currency = serializers.CharField()
    description = serializers.CharField()
    occurred_at = Instant()
    source_external_id = serializers.CharField(help_text="What the gateway says it is about.")
    source = PayoutSourceOutput(  # type: ignore[assignment]  # DRF's word, too
        allow_null=True
    )
    matched = serializers.BooleanField()

    def to_representation(self, line: Line) -> dict[str, Any]:
        """With our row beside it."""
        row, source = line.movement, line.source
        same = ("external_id", "kind", "amount", "fee", "currency", "description", "occurred_at")
        about = source and {
            "kind": source.kind,
            "id": source.pk,
            "amount": source.amount,
            "currency": source.amount.currency,
        }
        shown = {
            **{name: getattr(row, name) for name in (*same, "source_external_id")},
            "id": row.pk,
            "net": line.net,
            "source": about,
            "matched": line.is_matched,
        }
        return super().to_representation(shown)


class PayoutSumOutput(Answer):
    """What the lines of one kind sum to."""

    kind = Word(MovementKind)
    count = serializers.IntegerField()
    gross = Amount()
    fees = Amount()
    net = Amount()


@extend_schema_serializer(component_name="PayoutReport")
class PayoutReportOutput(PayoutOutput):
    """A payout reconciled: its lines, oldest first, and which of them match nothing of ours."""

    sums = PayoutSumOutput(many=True)
    lines = PayoutLineOutput(many=True)
    unmatched = PayoutLineOutput(many=True)


class Payouts(Endpoint):
    """All payouts."""

    operator_only = frozenset({"GET"})
    filters = PayoutQuery

    @extend_schema(
        operation_id="listPayouts",
        summary="List payouts",
        description=(
            "Operators only. Newest first; of one gateway, or in one currency, where asked. One "
            "with a `difference` is made up of more or less than its lines."
        ),
        parameters=[PayoutQuery],
        responses={200: listing("payouts", PayoutOutput, "Payout"), **problems(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = GatewayPayout.objects.order_by("-created_at", "-pk")
        for name in ("gateway", "currency"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        return page("payouts", rows, query, show=_all)


class OnePayout(Endpoint):
    """One payout."""

    operator_only = frozenset({"GET"})

    @extend_schema(
        operation_id="getPayout",
        summary="Reconcile a payout",
        description=(
            "Operators only. All its lines, each beside the payment, refund or dispute of ours "
            "that it is about, and those that match nothing."
        ),
        responses={200: PayoutReportOutput, **problems(403, 404)},
    )
    def get(self, request: Request, payout_id: UUID) -> Response:
        """Read it."""
        payout = found(GatewayPayout.objects.all(), payout_id, noun="payout")
        return Response(PayoutReportOutput.of(_reconciled(payouts.report(payout))))


def _all(rows: list[GatewayPayout]) -> list[dict[str, Any]]:
    sums = payouts.summed(rows)
    return PayoutOutput.all_of([_summed(row, sums[row.pk]) for row in rows])


def _summed(row: GatewayPayout, sums: Sums) -> dict[str, Any]:
    same = ("gateway", "external_id", "amount", "currency", "status", "created_at", "arrives_at")
    return {
        **{name: getattr(row, name) for name in same},
        "id": row.pk,
        "line_count": sums.count,
        "gross": sums.gross,
        "fees": sums.fees,
        "net": sums.net,
        "difference": row.amount - sums.net,
    }


def _reconciled(report: Report) -> dict[str, Any]:
    by_kind = [
        {"kind": kind, "count": sums.count, "gross": sums.gross, "fees": sums.fees, "net": sums.net}
        for kind, sums in report.of_kind()
    ]
    return {
        **_summed(report.payout, report.sums),
        "sums": by_kind,
        "lines": report.lines,
        "unmatched": report.unmatched,
    }
