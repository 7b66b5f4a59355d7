"""What an operator does with a customer's money: enter a payment, give credit."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin.base import by
from billing.admin.erasing import PersonAdmin
from billing.admin.money_forms import CreditForm, PaymentForm
from billing.admin.theme import dialog_action
from billing.services import grants, incoming
from customers.models import Customer


class PayerAdmin(PersonAdmin):
    """The pages of those who pay."""

    actions_detail = ("record_payment", "give_credit", *PersonAdmin.actions_detail)

    @dialog_action(
        "Record payment",
        "Money that came by bank transfer, in cash, or in any other way but a gateway. What is"
        " over becomes credit; what is missing stays owed.",
        icon="payments",
        form=PaymentForm,
    )
    def record_payment(
        self, request: HttpRequest, form: PaymentForm, object_id: str
    ) -> HttpResponse:
        """Enter a payment, and what it settles."""

        def command(customer: Customer) -> str:
            payment = incoming.record(
                customer.pk, form.paid, form.incoming, by=by(request), now=clock.now()
            )
            numbers = [row.invoice.number for row in payment.allocations.select_related("invoice")]
            settled = f" for {', '.join(map(str, numbers))}" if numbers else ", all of it credit"
            return f"{payment.amount} recorded{settled}."

        return self.act(request, object_id, command)

    @dialog_action(
        "Give credit",
        "It settles the customer's invoices to come; of prepaid plans, their usage.",
        icon="redeem",
        form=CreditForm,
    )
    def give_credit(self, request: HttpRequest, form: CreditForm, object_id: str) -> HttpResponse:
        """Give a present, or credit that was paid for."""

        def command(customer: Customer) -> str:
            given = grants.grant(
                customer.pk,
                form.given,
                form.gift(by(request)),
                now=clock.now(),
                paid_by=form.paid_by,
                settles_open=form.cleaned_data["settles_open"],
            )
            return f"{given.amount} of credit given."

        return self.act(request, object_id, command)
