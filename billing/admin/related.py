"""The tables that more than one page shows: a customer's, an invoice's, a subscription's."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.apps import apps
from django.db.models import QuerySet
from django.utils.html import format_html_join

from billing.admin import cells
from billing.admin.tables import Table, beginning
from billing.core.money import Money
from billing.models import (
    BillingPeriod,
    GatewayCustomer,
    Invoice,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Subscription,
)
from billing.queries import balances


def subscriptions(rows: QuerySet[Subscription], **query: object) -> Table:
    """Plans a customer is or was on."""
    found, more = beginning(rows.order_by("-created_at"), **query)
    return Table(
        Subscription,
        "Subscriptions",
        ["Plan", "Status", "Quantity", "Since", "Trial ends", "Next due", "Ends"],
        [
            [
                cells.link(row, row.plan_name),
                cells.status(row.status),
                row.quantity,
                cells.instant(row.created_at),
                cells.instant(row.trial_end),
                cells.instant(row.due_at),
                cells.instant(row.cancel_at),
            ]
            for row in found
        ],
        more,
    )


def periods(rows: QuerySet[BillingPeriod], **query: object) -> Table:
    """Billing periods, on which plan, and how far each is charged."""
    found, more = beginning(
        rows.select_related("plan_version__plan").order_by("-starts_at"), **query
    )
    return Table(
        BillingPeriod,
        "Billing periods",
        ["From", "To", "Kind", "Plan", "Share", "Charged until", "Closed"],
        [
            [
                cells.link(row, cells.instant(row.starts_at)),
                cells.instant(row.ends_at),
                row.get_kind_display(),
                f"{row.plan_version.plan}, version {row.plan_version.number}",
                str(row.share),
                cells.instant(row.charged_until),
                cells.instant(row.closed_at),
            ]
            for row in found
        ],
        more,
    )


def invoices(rows: QuerySet[Invoice], **query: object) -> Table:
    """Invoices with what is still owed on each."""
    found, more = beginning(rows.order_by("-created_at"), **query)
    owed = balances.due_on(found)
    return Table(
        Invoice,
        "Invoices",
        ["Number", "Status", "Issued", "Paid", "Next charge", "#Total", "#Owed"],
        [
            [
                cells.link(row),
                cells.status(row.status),
                cells.instant(row.issued_at),
                cells.instant(row.paid_at),
                cells.instant(row.next_charge_at),
                cells.money(row.total),
                cells.money(Money(owed[row.pk], row.currency)),
            ]
            for row in found
        ],
        more,
    )


def payment_methods(rows: QuerySet[PaymentMethod], **query: object) -> Table:
    """Cards and accounts, redacted."""
    found, more = beginning(rows.order_by("-is_default", "-added_at"), **query)
    return Table(
        PaymentMethod,
        "Payment methods",
        ["Method", "Status", "Gateway", "Its id there", "Expires", "Added"],
        [
            [
                cells.link(row),
                method_status(row),
                row.gateway,
                cells.code(row.external_id),
                expiry(row),
                cells.instant(row.added_at),
            ]
            for row in found
        ],
        more,
    )


def attempts(rows: QuerySet[PaymentAttempt], **query: object) -> Table:
    """Charges that were tried."""
    chosen = rows.select_related("invoice", "payment_method").order_by("-created_at", "-pk")
    found, more = beginning(chosen, **query)
    return Table(
        PaymentAttempt,
        "Payment attempts",
        ["When", "Status", "Invoice", "Method", "Decline", "#Amount"],
        [
            [
                cells.link(row, cells.instant(row.created_at)),
                cells.status(row.status),
                cells.link(row.invoice),
                cells.link(row.payment_method),
                row.decline_message or cells.NOTHING,
                cells.money(row.amount),
            ]
            for row in found
        ],
        more,
    )


def payments(rows: QuerySet[Payment], **query: object) -> Table:
    """Money that was received."""
    found, more = beginning(rows.select_related("attempt").order_by("-received_at"), **query)
    return Table(
        Payment,
        "Payments",
        ["Received", "Gateway", "Attempt", "#Amount"],
        [
            [
                cells.link(row, cells.instant(row.received_at)),
                row.gateway,
                cells.link(row.attempt),
                cells.money(row.amount),
            ]
            for row in found
        ],
        more,
    )


def entries(rows: QuerySet[JournalEntry], **query: object) -> Table:
    """Facts of the journal, newest first, each with its postings."""
    chosen = rows.prefetch_related("lines").order_by("-occurred_at", "-pk")
    found, more = beginning(chosen, **query)
    return Table(
        JournalEntry,
        "Journal",
        ["When", "Fact", "Postings"],
        [
            [
                cells.instant(row.occurred_at),
                cells.link(row, fact(row)),
                postings(row.lines.all()),
            ]
            for row in found
        ],
        more,
    )


def newest_entries() -> Table:
    """The latest facts of everybody, as they were written."""
    rows = JournalEntry.objects.select_related("customer").prefetch_related("lines")
    found, more = beginning(rows.order_by("-pk"))
    return Table(
        JournalEntry,
        "Journal",
        ["When", "Fact", "Customer", "Postings"],
        [
            [
                cells.instant(row.occurred_at),
                cells.link(row, fact(row)),
                cells.link(row.customer),
                postings(row.lines.all()),
            ]
            for row in found
        ],
        more,
    )


def known_as(rows: QuerySet[GatewayCustomer]) -> Table:
    """What gateways call a customer; Stripe's leads to what Stripe has of them."""
    return Table(
        GatewayCustomer,
        "Known to gateways as",
        ["Gateway", "Customer"],
        [[row.gateway, _mirrored(row)] for row in rows.order_by("gateway")],
    )


def _mirrored(known: GatewayCustomer) -> object:
    shown = cells.code(known.external_id)
    if known.gateway != "stripe":
        return shown
    mirror = cells.list_of(apps.get_model("djstripe", "Customer"))
    return cells.anchor(f"{mirror}?{urlencode({'q': known.external_id})}", shown)


def lines(rows: Iterable[JournalLine]) -> Table:
    """The postings of an entry, debits first, in two columns as books have them."""
    return Table(
        JournalLine,
        "Postings",
        ["Account", "Invoice", "#Debit", "#Credit"],
        [
            [
                cells.link(row.account),
                cells.link(row.invoice),
                cells.money(row.amount) if row.side == "DEBIT" else "",
                cells.money(row.amount) if row.side == "CREDIT" else "",
            ]
            for row in sorted(rows, key=lambda row: (row.side != "DEBIT", row.pk))
        ],
    )


def fact(entry: JournalEntry) -> str:
    """An entry's kind in words."""
    return entry.kind.replace("_", " ").capitalize()


def postings(rows: Iterable[JournalLine]) -> object:
    """Debits and credits in short; nothing for a fact that moved no money."""
    ordered = sorted(rows, key=lambda row: (row.side != "DEBIT", row.pk))
    if not ordered:
        return cells.NOTHING
    return format_html_join(
        "",
        '<div class="whitespace-nowrap"><span class="text-subtle">{}</span> {} {}</div>',
        ((row.side.lower(), row.account_id, cells.money(row.amount)) for row in ordered),
    )


def method_status(method: PaymentMethod) -> object:
    """Default, kept, or since when it is removed."""
    if method.removed_at is not None:
        return f"removed {cells.instant(method.removed_at)}"
    return cells.status("DEFAULT") if method.is_default else "kept"


def expiry(method: PaymentMethod) -> str:
    """`12/2040`."""
    if method.exp_month is None or method.exp_year is None:
        return cells.NOTHING
    return f"{method.exp_month:02}/{method.exp_year}"
