"""The chain of blocks that seals the journal."""

from __future__ import annotations

from django.contrib import admin

from billing.admin import cells, columns, related
from billing.admin.base import BooksAdmin
from billing.admin.tables import SHOWN, Table
from billing.models import JournalBlock, JournalEntry


@admin.register(JournalBlock)
class JournalBlockAdmin(BooksAdmin):
    """Each binds the entries of some seconds, and the block before it."""

    list_display = (
        "number",
        columns.instant("sealed_at", "sealed"),
        "entries",
        columns.code("hash"),
    )
    search_fields = ("=number", "=hash")
    search_help_text = "Number or hash, whole"
    ordering = ("-number",)
    sortable_by = ()
    readonly_fields = (*list_display, columns.code("previous_hash", "the block before it"))
    fields = (readonly_fields[:3], readonly_fields[3:4], readonly_fields[4:])

    def tables(self, obj: JournalBlock) -> list[Table]:
        """The entries in it."""
        rows = JournalEntry.objects.filter(seal__block=obj).order_by("seal__position")
        lines = [
            [
                entry.seal.position,
                cells.link(entry, related.fact(entry)),
                cells.instant(entry.occurred_at),
                cells.code(entry.seal.digest),
            ]
            for entry in rows.select_related("seal")[:SHOWN]
        ]
        headers = ["Place", "Fact", "When", "Digest"]
        title = "Sealed in it" if obj.entries <= SHOWN else f"The first of {obj.entries:,} in it"
        return [Table(JournalEntry, title, headers, lines)]
