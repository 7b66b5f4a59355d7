"""Recording a transfer by its reference alone: whose it is and what for, its text says."""

from __future__ import annotations

from typing import Final

from django import forms
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, form_page
from billing.admin.base import BooksAdmin, by
from billing.admin.change_forms import INSTANT_HELP, InstantField
from billing.admin.form_page import DeedForm
from billing.core.money import Money
from billing.models import Payment
from billing.services import incoming
from billing.services.incoming import Incoming

WAY: Final = "bank_transfer"


class TransferForm(DeedForm):
    """What the bank says of a transfer."""

    title = "Record a transfer"
    about = (
        "The text of a transfer names the invoices that it is for. What is over becomes credit;"
        " what is missing stays owed. One that names none is recorded on the customer's page."
    )
    amount = forms.DecimalField(min_value=0, decimal_places=4)
    currency = forms.CharField(min_length=3, max_length=3)
    reference = forms.CharField(
        label="Its text", max_length=255, help_text="As the bank shows it: RF54 INV2…, or a number."
    )
    received_at = InstantField(
        label="Received", required=False, help_text=f"{INSTANT_HELP} Empty: now."
    )

    def record(self, *, by: str) -> Payment:
        """Enter it for the invoices that it names.

        :raises BillingError: if it names none, or makes no sense.
        """
        said = self.cleaned_data
        amount = Money.parse(said["amount"], said["currency"].upper())
        payer, invoices = incoming.payer_of(said["reference"], amount.currency)
        came = Incoming(
            WAY,
            said["reference"],
            said["received_at"],
            [(invoice.pk, None) for invoice in invoices],
        )
        return incoming.record(payer, amount, came, by=by, now=clock.now())


def answer(pages: BooksAdmin, request: HttpRequest) -> HttpResponse:
    """The form; or, once it is filled in, the payment."""
    form = TransferForm(request.POST or None)

    def command() -> tuple[Payment, str]:
        payment = form.record(by=by(request))
        rows = payment.allocations.select_related("invoice").order_by("pk")
        numbers = ", ".join(str(row.invoice.number) for row in rows)
        return payment, f"{payment.amount} of {payment.customer} recorded for {numbers}."

    return form_page.answer(pages, request, form, command, back=cells.list_of(Payment))
