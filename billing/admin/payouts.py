"""What gateways kept and paid out: their account with us, line by line."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from billing.admin import cells, change_words, columns
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table, beginning
from billing.admin.theme import ChangeList
from billing.core.money import Money
from billing.models import Dispute, GatewayMovement, GatewayPayout, Payment, Refund
from billing.queries import payouts
from billing.queries.payouts import Line, Report, Source, SourceKind, Sums

SHOWN_LINES: Final = 200

_NET = columns.computed("Net", lambda row: cells.money(row.amount - row.fee))
_PAYOUT: Final = (
    columns.instant("created_at", "sent"),
    "gateway",
    columns.code("external_id", "id at the gateway"),
    columns.status(),
    columns.money("amount"),
    columns.instant("arrives_at", "arrives"),
)
_LINE: Final = ("When", "Kind", "Ours", "Description", "#Gross", "#Fee", "#Net")
_SOURCES: Final[dict[SourceKind, type[Model]]] = {
    SourceKind.PAYMENT: Payment,
    SourceKind.REFUND: Refund,
    SourceKind.DISPUTE: Dispute,
}


class PayoutList(ChangeList):
    """The list, with what the lines of each payout on its page sum to."""

    def get_results(self, request: HttpRequest) -> None:
        """Sum up all on the page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = payouts.summed(self.result_list)
        for row in self.result_list:
            row.sums = found[row.pk]


@admin.register(GatewayPayout)
class GatewayPayoutAdmin(BooksAdmin):
    """Money that gateways sent to our bank."""

    list_display = (
        *_PAYOUT,
        columns.computed("Lines", lambda row: row.sums.count),
        columns.computed("Difference", lambda row: _difference(row.amount - row.sums.net)),
    )
    list_filter = ("gateway", "status", "currency")
    search_fields = ("=external_id",)
    search_help_text = "Gateway's id, whole"
    ordering = ("-created_at", "-pk")
    readonly_fields = _PAYOUT
    fields = (readonly_fields[:3], readonly_fields[3:])

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        """One that knows what the lines of each sum to."""
        return PayoutList

    def tables(self, obj: GatewayPayout) -> list[Table]:
        """What it is made up of, and whether that is what we know of."""
        report = payouts.report(obj)
        return [_sums(report), _unmatched(report), _lines(report)]


@admin.register(GatewayMovement)
class GatewayMovementAdmin(BooksAdmin):
    """Lines of gateways' accounts with us."""

    list_display = (
        columns.instant("occurred_at", "when"),
        "gateway",
        "kind",
        columns.code("source_external_id", "about"),
        columns.money("amount", "gross"),
        columns.money("fee"),
        _NET,
        columns.link("payout"),
    )
    list_select_related = ("payout",)
    list_filter = ("gateway", "kind", "currency", ("payout", admin.EmptyFieldListFilter))
    search_fields = ("=external_id", "=source_external_id")
    search_help_text = "Gateway's id of the line, or of what it is about, whole"
    ordering = ("-occurred_at", "-pk")
    readonly_fields = (
        *list_display,
        columns.code("external_id", "id of the line"),
        "description",
    )
    fields = (readonly_fields[:4], readonly_fields[4:8], readonly_fields[8:])


def about(gateway: str, external_id: str) -> Table:
    """What a gateway's account says of a charge, a refund or a dispute."""
    rows = GatewayMovement.objects.filter(gateway=gateway, source_external_id=external_id)
    found, more = beginning(
        rows.select_related("payout").order_by("-occurred_at", "-pk"), q=external_id
    )
    return Table(
        GatewayMovement,
        "On the gateway's account",
        ["When", "Kind", "Paid out", "#Gross", "#Fee", "#Net"],
        [
            [
                cells.link(row, cells.instant(row.occurred_at)),
                row.get_kind_display(),
                cells.link(row.payout),
                cells.money(row.amount),
                cells.money(row.fee),
                cells.money(row.amount - row.fee),
            ]
            for row in found
        ],
        more,
    )


def _sums(report: Report) -> Table:
    """The sums by kind, their total, and what was paid out beside it."""
    rows = [_row(kind.capitalize(), sums) for kind, sums in report.of_kind()]
    rows += [
        _row("All lines", report.sums),
        ["Paid out", "", "", "", cells.money(report.payout.amount)],
        ["Difference", "", "", "", _difference(report.difference)],
    ]
    headers = ["Kind", "#Lines", "#Gross", "#Fees", "#Net"]
    return Table(GatewayPayout, "Reconciliation", headers, rows)


def _row(name: str, sums: Sums) -> list[object]:
    amounts = (sums.gross, sums.fees, sums.net)
    return [name, sums.count, *(cells.money(amount) for amount in amounts)]


def _unmatched(report: Report) -> Table:
    rows = [[*_line(line), _why(line)] for line in report.unmatched[:SHOWN_LINES]]
    title = f"Not as we know it: {len(report.unmatched)}"
    return Table(GatewayPayout, title, [*_LINE, "Why"], rows)


def _lines(report: Report) -> Table:
    """What it is made up of, oldest first."""
    more = f"{cells.list_of(GatewayMovement)}?payout__id__exact={report.payout.pk}"
    is_more = len(report.lines) > SHOWN_LINES
    rows = [_line(line) for line in report.lines[:SHOWN_LINES]]
    return Table(GatewayPayout, "Lines", _LINE, rows, more if is_more else "")


def _line(line: Line) -> list[object]:
    row = line.movement
    return [
        cells.link(row, cells.instant(row.occurred_at)),
        row.get_kind_display(),
        cells.code(row.source_external_id) if line.source is None else _ours(line.source),
        row.description or cells.NOTHING,
        cells.money(row.amount),
        cells.money(row.fee),
        cells.money(line.net),
    ]


def _ours(source: Source) -> object:
    words = f"{source.kind.lower()} of {source.amount}"
    return cells.anchor(cells.page_of(_SOURCES[source.kind], source.pk), words)


def _why(line: Line) -> object:
    if line.source is None:
        return change_words.fault("not known here")
    return change_words.fault(f"over {line.source.amount} here")


def _difference(amount: Money) -> object:
    """None is what it should be."""
    return change_words.fault(cells.money(amount)) if amount else cells.money(amount)
