"""What an operator does with a payment that settled the wrong thing, or was none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin.base import BooksAdmin, by
from billing.admin.money_forms import AllocationForm, ReasonForm, TakeOffForm
from billing.admin.theme import dialog_action
from billing.models import Payment
from billing.services import reversals


class MovablePaymentAdmin(BooksAdmin):
    """The pages of payments."""

    actions_detail: tuple[str, ...] = ("allocate", "take_off", "undo")

    def is_offered(self, action: str, obj: Payment) -> bool:
        """While it stands; a gateway's payment is refunded, not undone."""
        if obj.reversed_at is not None or (action == "undo" and obj.attempt_id is not None):
            return False
        has_credit = obj.grants.filter(remaining_minor__gt=0)
        return action != "allocate" or has_credit.exists()

    @dialog_action(
        "Put on an invoice",
        "What of this payment is credit settles the invoice.",
        icon="call_split",
        form=AllocationForm,
    )
    def allocate(self, request: HttpRequest, form: AllocationForm, object_id: str) -> HttpResponse:
        """Put its credit on an invoice."""

        def command(payment: Payment) -> str:
            invoice = form.cleaned_data["invoice"]
            reversals.allocate(
                payment.pk,
                invoice.pk,
                amount=form.amount_in(payment.currency),
                by=by(request),
                now=clock.now(),
            )
            return f"It is put on {invoice.number}."

        return self.act(request, object_id, command)

    @dialog_action(
        "Take off an invoice",
        "The invoice is owed again, and the money is the customer's credit.",
        icon="undo",
        is_danger=True,
        form=TakeOffForm,
    )
    def take_off(self, request: HttpRequest, form: TakeOffForm, object_id: str) -> HttpResponse:
        """Undo what it settled of one invoice."""

        def command(payment: Payment) -> str:
            invoice = form.cleaned_data["invoice"]
            reversals.reverse_allocation(
                payment.pk,
                invoice.pk,
                by=by(request),
                reason=form.cleaned_data["reason"],
                now=clock.now(),
            )
            return f"It is taken off {invoice.number}."

        return self.act(request, object_id, command)

    @dialog_action(
        "Undo payment",
        "It bounced, or was entered by mistake: all that it settled is owed again.",
        icon="money_off",
        is_danger=True,
        form=ReasonForm,
    )
    def undo(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Undo all of it."""

        def command(payment: Payment) -> str:
            reason = form.cleaned_data["reason"]
            reversals.reverse(payment.pk, by=by(request), reason=reason, now=clock.now())
            return "The payment is undone."

        return self.act(request, object_id, command)
