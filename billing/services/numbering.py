"""Numbers of documents: taken by the block, without a gap, whatever dies.

The series' row is held to the end of the transaction that takes from it. What is rolled back
gives its numbers back, and nobody else can have taken later ones meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from billing.core.errors import ConflictError
from billing.models import InvoiceSeries, Seller
from billing.models.seller import SeriesKind

_PREFIXES: Final = {SeriesKind.INVOICE: "INV-", SeriesKind.CREDIT_NOTE: "CN-"}


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers of one series: `count` of them from `first`."""

    series: InvoiceSeries
    first: int

    def number(self, sequence: int) -> str:
        """A number as it is written on the document."""
        return f"{self.series.prefix}{sequence:06d}"


def take(seller_id: UUID, kind: SeriesKind, *, count: int) -> Block:
    """Take a block of numbers, in a transaction of the caller's and as late in it as can be.

    A seller's first series of a kind is made where there is none.

    :raises ConflictError: if all of the seller's series are closed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"count": count, "seller": seller_id, "kind": kind.value})
        row = cursor.fetchone()
    if row is None:
        found, _ = InvoiceSeries.objects.get_or_create(
            seller_id=seller_id, prefix=_PREFIXES[kind], defaults={"kind": kind}
        )
        if not found.is_open or found.kind != kind:
            raise ConflictError("The seller has no open series to number from.", code="no_series")
        return take(seller_id, kind, count=count)
    series = InvoiceSeries.objects.select_related("seller").get(pk=row[0])
    return Block(series, series.next_number - count)


def default_seller() -> Seller:
    """The default seller, made nameless where nobody has written one yet."""
    seller, _ = Seller.objects.get_or_create(is_default=True, defaults={"name": "Unnamed seller"})
    return seller


_TAKE: Final = """
UPDATE billing_invoiceseries SET next_number = next_number + %(count)s
 WHERE id = (SELECT id FROM billing_invoiceseries
              WHERE seller_id = %(seller)s AND kind = %(kind)s AND is_open ORDER BY id LIMIT 1)
RETURNING id
"""
