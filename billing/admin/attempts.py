"""Charges: what is known of each, and what a person does where a gateway gives no answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.admin import calls, cells, columns, notices, payouts, related
from billing.admin.base import BooksAdmin, by
from billing.admin.tables import Table
from billing.admin.theme import DialogForm, dialog_action, dress
from billing.core import lifecycle
from billing.core.lifecycle import AttemptStatus
from billing.models import CustomerNotice, Payment, PaymentAttempt
from billing.services import following, payer_actions


class TakenForm(DialogForm):
    """What the gateway calls a charge that it took."""

    external_id = forms.CharField(
        label="The gateway's id of the charge",
        max_length=255,
        help_text="As its own pages show it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["external_id"])


def _action(attempt: PaymentAttempt) -> object:
    """What the payer has to do; the address of a page for it is theirs alone."""
    if attempt.action is None:
        return cells.NOTHING
    shown = {name: said for name, said in attempt.action.items() if said and name != "url"}
    return cells.document(shown)


_IDENTITY = (
    columns.computed("Customer", lambda row: cells.link(row.invoice.customer)),
    columns.link("invoice"),
    columns.link("payment_method"),
)
_STATE = (
    columns.status(),
    columns.money("amount"),
    columns.instant("created_at"),
    columns.instant("settled_at"),
)
_SENDING = (
    "tries",
    columns.instant("sent_at", "first sent"),
    columns.instant("ask_at", "asked about next"),
    "is_undecided",
)
_AT_GATEWAY = (
    "gateway",
    columns.computed("Why there", lambda row: row.route_reason or cells.NOTHING),
    columns.code("external_id", "id at the gateway"),
    columns.code("id", "key of the charge"),
)
_PAYER = (
    columns.computed("Asked of the payer", _action),
    columns.instant("expires_at", "waits until"),
)
_DECLINE = ("decline_code", "decline_message", "is_hard_decline", "created_by")


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(BooksAdmin):
    """One charge of one invoice at one gateway, and what came of it."""

    list_display = (
        columns.instant("created_at", "when"),
        columns.computed("Customer", lambda row: cells.link(row.invoice.customer)),
        columns.link("invoice"),
        columns.link("payment_method"),
        "gateway",
        columns.status(),
        columns.money("amount"),
        "decline_code",
    )
    list_select_related = ("invoice__customer", "payment_method")
    list_filter = ("status", "is_undecided", "gateway", "is_hard_decline")
    search_fields = ("=external_id", "=invoice__number", "=invoice__customer__organization_id")
    search_help_text = "Gateway's id, invoice number or organization, whole"
    ordering = ("-pk",)
    actions_detail = ("was_taken", "was_not_taken", "ask_now", "withdraw")
    readonly_fields = (*_IDENTITY, *_STATE, *_SENDING, *_AT_GATEWAY, *_PAYER, *_DECLINE)
    fields = (_IDENTITY, _STATE, _SENDING, _AT_GATEWAY, _PAYER, _DECLINE)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a customer's page lead to all of theirs."""
        return lookup == "invoice__customer" or super().lookup_allowed(lookup, value, request)

    def tables(self, obj: PaymentAttempt) -> list[Table]:
        """The money it brought, what the gateway was asked and kept, what the customer was told."""
        told = CustomerNotice.objects.filter(about=f"attempt:{obj.pk}")
        found = [
            related.payments(Payment.objects.filter(attempt=obj), attempt=obj.pk),
            calls.about(obj),
            notices.table(told, q=f"attempt:{obj.pk}"),
        ]
        if obj.external_id:
            found.append(payouts.about(obj.gateway, obj.external_id))
        return found

    def is_offered(self, action: str, obj: PaymentAttempt) -> bool:
        """Deciding what nobody knows, asking while it is open, withdrawing what nobody took."""
        if action == "ask_now":
            return obj.status in lifecycle.OPEN_ATTEMPTS
        if action == "withdraw":
            return obj.status in {AttemptStatus.CREATED, AttemptStatus.ACTION_REQUIRED}
        return obj.is_undecided

    @dialog_action(
        "It was taken",
        "The gateway gives no answer, and you have found the charge there: the invoice is paid.",
        icon="check_circle",
        form=TakenForm,
    )
    def was_taken(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Take the operator's word for it."""
        return self._decide(request, object_id, form.cleaned_data["external_id"])

    @dialog_action(
        "It was not taken",
        "The gateway gives no answer, and you have found no charge there: it counts as declined."
        " Should the gateway tell of it later, it is booked all the same.",
        icon="cancel",
        is_danger=True,
    )
    def was_not_taken(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Likewise."""
        return self._decide(request, object_id, "")

    @dialog_action(
        "Ask the gateway now", "It is asked again at once, under the same key.", icon="sync"
    )
    def ask_now(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Let a worker ask now instead of later."""

        def command(attempt: PaymentAttempt) -> str:
            found = following.ask_again(attempt.pk, now=clock.now())
            is_waiting = found.status in lifecycle.WAITING_ATTEMPTS
            task = tasks.ask_charge if is_waiting else tasks.collect
            tasks.soon(task, attempt_id=str(found.pk))
            return "The gateway is being asked."

        return self.act(request, object_id, command)

    @dialog_action(
        "Withdraw",
        "Nobody can pay it any more, so that the invoice may be charged another way. If it was"
        " paid meanwhile, it stays paid.",
        icon="undo",
        is_danger=True,
    )
    def withdraw(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Give it up."""

        def command(attempt: PaymentAttempt) -> str:
            found = payer_actions.withdraw(attempt.pk, now=clock.now())
            if found.status == AttemptStatus.ABANDONED:
                return "The charge is withdrawn."
            return f"It was too late: the charge is {found.status.lower().replace('_', ' ')}."

        return self.act(request, object_id, command)

    def _decide(self, request: HttpRequest, object_id: str, external_id: str) -> HttpResponse:
        was_taken = bool(external_id)

        def command(attempt: PaymentAttempt) -> str:
            following.decide(
                attempt.pk,
                was_taken=was_taken,
                external_id=external_id,
                by=by(request),
                now=clock.now(),
            )
            return f"{attempt.amount} {'was' if was_taken else 'was not'} taken."

        return self.act(request, object_id, command)
