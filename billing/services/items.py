"""Commands on the items of a draft that was written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core.errors import ConflictError, NotFoundError
from billing.core.invoicing import Item
from billing.core.lifecycle import InvoiceStatus
from billing.models import Invoice, InvoiceLine
from billing.services import announcing, drafting, invoices, locks


@transaction.atomic
def add(
    invoice_id: UUID, item: Item, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Put one more item on a draft; the key of its line.

    :raises ConflictError: if the invoice is no draft written by hand; with code
        `version_mismatch` if it has changed since it was seen.
    :raises InvalidError: if the total would be negative or too large.
    """
    invoice = _editable(invoice_id, expected_version)
    added = uuid7()
    _put(invoice, {**_items(invoice), added: item}, now=now)
    return added


@transaction.atomic
def change(
    invoice_id: UUID,
    line_id: UUID,
    fields: Mapping[str, Any],
    *,
    now: datetime,
    expected_version: int | None = None,
) -> None:
    """Change an item of a draft; what is not named stays.

    :raises NotFoundError: if there is no such item.
    :raises ConflictError: as `add` does.
    :raises InvalidError: as `add` does.
    """
    invoice = _editable(invoice_id, expected_version)
    items = _items(invoice)
    changed = replace(_one(items, line_id), **fields)
    _put(invoice, {**items, line_id: changed}, now=now)


@transaction.atomic
def remove(
    invoice_id: UUID, line_id: UUID, *, now: datetime, expected_version: int | None = None
) -> None:
    """Take an item off a draft; the last one stays.

    :raises NotFoundError: if there is no such item.
    :raises ConflictError: as `add` does, and if it is the last one.
    :raises InvalidError: as `add` does.
    """
    invoice = _editable(invoice_id, expected_version)
    items = _items(invoice)
    _one(items, line_id)
    if len(items) == 1:
        raise ConflictError("An invoice has an item: cancel the draft instead.", code="last_item")
    _put(invoice, {key: item for key, item in items.items() if key != line_id}, now=now)


def _editable(invoice_id: UUID, expected_version: int | None) -> Invoice:
    invoice = locks.invoice(invoice_id)
    invoices.require_version(invoice, expected_version)
    if invoice.status != InvoiceStatus.DRAFT or invoice.subscription_id is not None:
        raise ConflictError("Only a draft written by hand has items to edit.", code="not_editable")
    return invoice


def _items(invoice: Invoice) -> dict[UUID, Item]:
    return {row.pk: _item(row) for row in invoice.lines.order_by("position")}


def _item(row: InvoiceLine) -> Item:
    if row.unit_amount is None:
        raise ConflictError("This line was not written by hand.", code="not_editable")
    return Item(row.description, row.quantity, row.unit_amount, row.tax_class, row.is_tax_included)


def _one(items: Mapping[UUID, Item], line_id: UUID) -> Item:
    if line_id not in items:
        raise NotFoundError(f"There is no item {line_id}.", code="not_found")
    return items[line_id]


def _put(invoice: Invoice, items: Mapping[UUID, Item], *, now: datetime) -> None:
    present = invoice.customer.lives_at(now)
    bill = invoices.bill_by_hand(
        invoice.customer,
        invoice.issuer,
        list(items.values()),
        currency=invoice.currency,
        now=present,
    )
    invoice.lines.all().delete()
    drafting.put_lines(invoice, bill, keys=list(items), now=present)
    drafting.put_sums(invoice, bill)
    invoice.version += 1
    invoice.save(update_fields=[*drafting.SUMS, "version"])
    announcing.of_invoices("updated", [invoice], at=present)
