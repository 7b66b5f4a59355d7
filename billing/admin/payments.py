"""Payment methods, and the money they bring."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.admin import calls, cells, columns, grants, payouts, related, returns, transfers
from billing.admin.base import BooksAdmin, by
from billing.admin.moving import MovablePaymentAdmin
from billing.admin.tables import Table
from billing.admin.theme import DialogForm, dialog_action, dress, page_action
from billing.core.money import Money, total
from billing.models import (
    Allocation,
    CheckoutSession,
    Dispute,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Refund,
)
from billing.queries import refundable
from billing.services import payment_methods, refunds
from billing.services.refunds import Ask

_CUSTOMER = columns.link("customer")
_EXTERNAL_ID = columns.code("external_id", "id at the gateway")


class RefundPaymentForm(DialogForm):
    """How much of a payment goes back, and why."""

    amount = forms.CharField(required=False, max_length=40, help_text="Empty: all that is left.")
    reason = forms.CharField(required=False, max_length=255)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(BooksAdmin):
    """Cards and accounts, as redacted as the gateway tells of them."""

    list_display = (
        columns.computed("Method", str),
        _CUSTOMER,
        columns.computed("Status", related.method_status),
        "gateway",
        columns.computed("Expires", related.expiry),
        columns.instant("added_at"),
    )
    list_select_related = ("customer",)
    list_filter = ("gateway", "is_default", ("removed_at", admin.EmptyFieldListFilter))
    search_fields = ("=last4", "=external_id", "customer__organization_id")
    search_help_text = "Last four digits, gateway's id, organization"
    ordering = ("-pk",)
    actions_detail = ("make_default", "remove")
    readonly_fields = (
        columns.computed("Method", str),
        _CUSTOMER,
        columns.computed("Status", related.method_status),
        "kind",
        columns.computed("Expires", related.expiry),
        "gateway",
        _EXTERNAL_ID,
        columns.instant("added_at"),
        columns.instant("removed_at"),
    )
    fields = (readonly_fields[:3], readonly_fields[3:5], readonly_fields[5:7], readonly_fields[7:])

    def tables(self, obj: PaymentMethod) -> list[Table]:
        """What was charged to it."""
        attempts = PaymentAttempt.objects.filter(payment_method=obj)
        return [related.attempts(attempts, payment_method=obj.pk)]

    def is_offered(self, action: str, obj: PaymentMethod) -> bool:
        """While it is kept."""
        return obj.removed_at is None and not (action == "make_default" and obj.is_default)

    @dialog_action(
        "Make default", "From now on the customer's invoices are charged to it.", icon="star"
    )
    def make_default(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Charge this one from now on."""

        def command(method: PaymentMethod) -> str:
            payment_methods.make_default(method.pk, by=by(request), now=clock.now())
            return "It is the default payment method now."

        return self.act(request, object_id, command)

    @dialog_action("Remove", "It is not charged any more.", icon="credit_card_off", is_danger=True)
    def remove(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Stop using it."""

        def command(method: PaymentMethod) -> str:
            payment_methods.remove(method.pk, by=by(request), now=clock.now())
            return "The payment method is removed."

        return self.act(request, object_id, command)


@admin.register(Payment)
class PaymentAdmin(MovablePaymentAdmin):
    """Money that was received."""

    list_display = (
        columns.instant("received_at"),
        _CUSTOMER,
        columns.money("amount"),
        "gateway",
        "reference",
        columns.link("attempt"),
    )
    list_select_related = ("customer", "attempt")
    list_filter = ("gateway", "currency", ("reversed_at", admin.EmptyFieldListFilter))
    search_fields = ("=customer__organization_id", "=attempt__external_id", "=reference")
    search_help_text = "Organization, reference or gateway's id, whole"
    ordering = ("-pk",)
    readonly_fields = (*list_display, columns.instant("reversed_at", "undone"), "created_by")
    fields = (readonly_fields[:3], readonly_fields[3:])

    actions_list = ("record_transfer",)
    actions_detail = ("refund", *MovablePaymentAdmin.actions_detail)

    def is_offered(self, action: str, obj: Payment) -> bool:
        """While something can go back, or be moved."""
        if action != "refund":
            return super().is_offered(action, obj)
        return refundable.left_of([obj])[obj.pk] > 0

    @dialog_action(
        "Refund",
        "What of it is unused credit goes back first, then what it settled, by credit notes.",
        icon="currency_exchange",
        form=RefundPaymentForm,
        is_danger=True,
    )
    def refund(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Give it back, or a part of it."""

        def command(payment: Payment) -> str:
            text = form.cleaned_data["amount"].strip()
            amount = Money.parse(text, payment.currency) if text else None
            ask = Ask(by(request), form.cleaned_data["reason"])
            found = refunds.of_payment(payment.pk, amount, ask, now=clock.now())
            tasks.refund_soon([refund.pk for refund in found])
            whole = total((refund.amount for refund in found), payment.currency)
            return f"{whole} goes back."

        return self.act(request, object_id, command)

    @page_action("Record a transfer", icon="account_balance")
    def record_transfer(self, request: HttpRequest) -> HttpResponse:
        """Enter what arrived at the bank, by its reference alone."""
        return transfers.answer(self, request)

    def tables(self, obj: Payment) -> list[Table]:
        """What it settled, and what of it went back or is contested."""
        rows = [
            [
                cells.link(row.invoice),
                row.invoice.customer,
                cells.instant(row.reversed_at),
                cells.money(_share(row, obj)),
            ]
            for row in obj.allocations.select_related("invoice__customer").order_by("pk")
        ]
        return [
            Table(Allocation, "Settles", ["Invoice", "Customer", "Undone", "#Amount"], rows),
            grants.table(obj.grants.all()),
            returns.refunds_table(Refund.objects.filter(payment=obj)),
            returns.disputes_table(Dispute.objects.filter(payment=obj)),
            *_kept(obj),
        ]


@admin.register(Allocation)
class AllocationAdmin(BooksAdmin):
    """How much of a payment settles which invoice."""

    list_display = (
        columns.link("payment"),
        columns.link("invoice"),
        columns.computed("Amount", lambda row: cells.money(_share(row, row.payment))),
    )
    list_select_related = ("payment", "invoice")
    search_fields = ("=invoice__number",)
    search_help_text = "Invoice number, whole"
    ordering = ("-pk",)
    readonly_fields = list_display
    fields = (readonly_fields,)


@admin.register(CheckoutSession)
class CheckoutSessionAdmin(BooksAdmin):
    """Visits to a gateway's page, and how they ended. Its address is the customer's alone."""

    list_display = (
        columns.instant("created_at", "begun"),
        _CUSTOMER,
        "gateway",
        "kind",
        columns.status(),
        columns.link("payment_method"),
        "failure",
    )
    list_select_related = ("customer", "payment_method")
    list_filter = ("status", "gateway", "kind")
    search_fields = ("=external_id", "=customer__organization_id")
    search_help_text = "Gateway's id or organization, whole"
    ordering = ("-pk",)
    readonly_fields = (
        *list_display,
        columns.computed("Why there", lambda visit: visit.route_reason or cells.NOTHING),
        _EXTERNAL_ID,
        "makes_default",
        columns.instant("ask_at", "asked about next"),
    )
    fields = (readonly_fields[:5], readonly_fields[5:8], readonly_fields[8:])

    def tables(self, obj: CheckoutSession) -> list[Table]:
        """What the gateway was asked about it."""
        return [calls.about(obj)]


def _kept(payment: Payment) -> list[Table]:
    """What a gateway kept of it, and when it paid out."""
    if payment.attempt is None or not payment.attempt.external_id:
        return []
    return [payouts.about(payment.gateway, payment.attempt.external_id)]


def _share(allocation: Allocation, payment: Payment) -> Money:
    return Money(allocation.amount_minor, payment.currency)
