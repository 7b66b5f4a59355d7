"""The journal, entry by entry, and the chart of accounts with its balances."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.urls import URLPattern, path

from billing.admin import cells, columns, exports, related, reports
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table
from billing.core.money import Money
from billing.core.postings import AccountKind, Side
from billing.models import JournalEntry, JournalLine, JournalSeal, LedgerAccount


def _sealed(entry: JournalEntry) -> object:
    """Which block binds it, and where; some seconds after it was written."""
    seal = JournalSeal.objects.select_related("block").filter(entry=entry).first()
    if seal is None:
        return cells.NOTHING
    return cells.link(seal.block, f"block {seal.block_id}, place {seal.position}")


@admin.register(JournalEntry)
class JournalEntryAdmin(BooksAdmin):
    """Every fact, with what it moved. Mistakes are reversed by a later one."""

    list_display = (
        columns.instant("occurred_at", "when"),
        columns.computed("Fact", related.fact),
        columns.link("customer"),
        columns.computed("Postings", lambda entry: related.postings(entry.lines.all())),
    )
    list_select_related = ("customer",)
    search_fields = ("=kind", "=idempotency_key", "=customer__organization_id")
    search_help_text = "Kind (INVOICE_FINALIZED), key or organization, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = (
        columns.computed("Fact", related.fact),
        columns.link("customer"),
        columns.instant("occurred_at", "true since"),
        columns.instant("recorded_at", "written"),
        columns.code("idempotency_key", "key of the fact"),
        columns.computed("Sealed", _sealed),
        columns.document("context"),
    )
    fields = (readonly_fields[:2], readonly_fields[2:5], readonly_fields[5], readonly_fields[6])

    def get_urls(self) -> list[URLPattern]:
        """With the exports' and the reports'."""
        page = self.admin_site.admin_view(exports.page)
        report = self.admin_site.admin_view(reports.page)
        return [
            path(exports.PATH, page, name=exports.NAME),
            path(reports.PATH, report, name=reports.NAME),
            *super().get_urls(),
        ]

    def get_queryset(self, request: object) -> QuerySet[JournalEntry]:
        """With the postings."""
        return JournalEntry.objects.prefetch_related("lines")

    def tables(self, obj: JournalEntry) -> list[Table]:
        """Its postings."""
        return [related.lines(obj.lines.select_related("account", "invoice"))]


@admin.register(JournalLine)
class JournalLineAdmin(BooksAdmin):
    """The postings of all entries: an account's statement, an invoice's movements."""

    list_display = (
        columns.computed("When", lambda line: cells.instant(line.entry.occurred_at)),
        columns.computed("Fact", lambda line: cells.link(line.entry, related.fact(line.entry))),
        columns.link("account"),
        columns.link("invoice"),
        "side",
        columns.money("amount"),
    )
    list_select_related = ("entry", "account", "invoice")
    list_filter = ("account", "side", "currency")
    search_fields = ("=invoice__number",)
    search_help_text = "Invoice number, whole"
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = list_display
    fields = (readonly_fields[:2], readonly_fields[2:])


@admin.register(LedgerAccount)
class LedgerAccountAdmin(BooksAdmin):
    """The chart; each balance is the sum of its postings, by currency."""

    list_display = ("code", "kind")
    list_filter = ("kind",)
    search_fields = ("code",)
    ordering = ("code",)
    readonly_fields = ("code", "kind")
    fields = (readonly_fields,)

    def tables(self, obj: LedgerAccount) -> list[Table]:
        """What it holds now."""
        return [_balances(obj)]


def _balances(account: LedgerAccount) -> Table:
    """Debits, credits and what is left, on the side where such an account grows."""
    sums = (
        JournalLine.objects.filter(account=account)
        .values("currency")
        .annotate(
            debit=Sum("amount_minor", filter=Q(side=Side.DEBIT), default=0),
            credit=Sum("amount_minor", filter=Q(side=Side.CREDIT), default=0),
        )
        .order_by("currency")
    )
    sign = 1 if account.kind in {AccountKind.ASSET, AccountKind.EXPENSE} else -1
    rows = [
        [
            row["currency"],
            cells.money(Money(row["debit"], row["currency"])),
            cells.money(Money(row["credit"], row["currency"])),
            cells.money(Money(sign * (row["debit"] - row["credit"]), row["currency"])),
        ]
        for row in sums
    ]
    return Table(LedgerAccount, "Balance", ["Currency", "#Debits", "#Credits", "#Balance"], rows)
