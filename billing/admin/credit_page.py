"""The page on which an invoice is credited or refunded: what goes where, and then the deed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from billing import clock, tasks
from billing.admin import cells
from billing.admin.base import BooksAdmin, by, refusal
from billing.admin.theme import dress
from billing.core.crediting import WHOLE, Request, Wish
from billing.core.errors import BillingError
from billing.core.money import Money
from billing.core.returning import Destination
from billing.models import CreditNote, Invoice, InvoiceLine, Payment
from billing.models.choices import choices
from billing.models.credit_note import CreditReason
from billing.queries import refundable
from billing.queries.refundable import Foreseen
from billing.services import credit_notes
from billing.services.credit_notes import Order

_SEEN: Final = "seen"
_CHANGED: Final = "What was entered, or the invoice, has changed since the preview."
_DESTINATIONS: Final = (
    (Destination.AUTO.value, "Back to the card it came by; what cannot, to credit"),
    (Destination.REFUND.value, "Back by the way it came, by hand too; what cannot, to credit"),
    (Destination.BALANCE.value, "The customer's credit"),
)


class RefundForm(forms.Form):
    """How much goes back, and why."""

    title = "Refund"
    amount = forms.CharField(
        required=False, max_length=40, help_text="With tax. Empty: all that is left."
    )
    note = forms.CharField(required=False, max_length=255, help_text="Why; the customer reads it.")

    def __init__(self, invoice: Invoice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice = invoice
        for field in self.fields.values():
            dress(field)

    @property
    def order(self) -> Order:
        """What is asked for.

        :raises InvalidError: if the amount is none.
        """
        return Order(self.asked, Destination.REFUND, CreditReason.REFUND, self.cleaned_data["note"])

    @property
    def asked(self) -> Request:
        """How much."""
        text = self.cleaned_data["amount"].strip()
        return Request(amount=Money.parse(text, self.invoice.currency)) if text else WHOLE


class CreditForm(RefundForm):
    """Which lines or how much, where it goes, and why."""

    title = "Credit"
    lines = forms.MultipleChoiceField(
        required=False,
        help_text="What is left of these, instead of an amount. Neither: all of the invoice.",
    )
    to = forms.ChoiceField(choices=_DESTINATIONS, label="What was paid goes to")
    reason = forms.ChoiceField(choices=choices(CreditReason), initial=CreditReason.CORRECTION.value)

    field_order = ("lines", "amount", "to", "reason", "note")

    def __init__(self, invoice: Invoice, *args: Any, **kwargs: Any) -> None:
        super().__init__(invoice, *args, **kwargs)
        field = self.fields["lines"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = [(str(row.pk), str(row)) for row in _lines(invoice)]

    def clean(self) -> dict[str, Any]:
        """Lines or an amount."""
        found = super().clean() or {}
        if found.get("lines") and found.get("amount"):
            raise forms.ValidationError("Either lines or an amount.")
        return found

    @property
    def order(self) -> Order:
        """What is asked for."""
        said = self.cleaned_data
        return Order(
            self.asked, Destination(said["to"]), CreditReason(said["reason"]), said["note"]
        )

    @property
    def asked(self) -> Request:
        """The lines that were chosen, or how much."""
        chosen = self.cleaned_data["lines"]
        return Request(wishes=tuple(Wish(key) for key in chosen)) if chosen else super().asked


def answer(pages: BooksAdmin, request: HttpRequest, form: RefundForm) -> HttpResponse:
    """The page, with what goes where; or, once that was seen, do it and go back."""
    foreseen: Foreseen | None = None
    if form.is_bound and form.is_valid():
        is_seen = request.POST.get(_SEEN) == entered(form)
        if "do" in request.POST and is_seen:
            if _carry_out(pages, request, form):
                return HttpResponseRedirect(cells.page_of(pages.model, form.invoice.pk))
        else:
            if "do" in request.POST:
                messages.warning(request, _CHANGED)
            foreseen = _foresee(request, form)
    context = {
        **pages.admin_site.each_context(request),
        "opts": pages.opts,
        "original": form.invoice,
        "title": f"{form.title}: {form.invoice}",
        "back": cells.page_of(pages.model, form.invoice.pk),
        "customer": cells.link(form.invoice.customer),
        "form": form,
        "credited": None if foreseen is None else _credited(form.invoice, foreseen),
        "goes": None if foreseen is None else _goes(foreseen),
        "seen": entered(form) if foreseen is not None else "",
    }
    return TemplateResponse(request, "admin/billing/credit.html", context)


def entered(form: RefundForm) -> str:
    """What was entered, and over what, in short: what was previewed is what is done, and once."""
    values = {field.name: str(field.value() or "") for field in form}
    values["version"] = str(form.invoice.version)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _carry_out(pages: BooksAdmin, request: HttpRequest, form: RefundForm) -> bool:
    try:
        note = credit_notes.issue(
            form.invoice.pk,
            form.order,
            by=by(request),
            now=clock.now(),
            expected_version=form.invoice.version,
        )
    except BillingError as error:
        messages.error(request, refusal(error))
        return False
    tasks.refund_soon(note.refunds.values_list("pk", flat=True))
    done = f"Credit note {note.number} over {note.total}: {_words(note)}."
    pages.log_change(request, form.invoice, done)
    messages.success(request, done)
    return True


def _foresee(request: HttpRequest, form: RefundForm) -> Foreseen | None:
    try:
        credit_notes.require_creditable(form.invoice)
        return refundable.foreseen(form.invoice, form.order.request, to=form.order.to)
    except BillingError as error:
        messages.error(request, refusal(error))
        return None


def _credited(invoice: Invoice, found: Foreseen) -> dict[str, Any]:
    rows = {str(row.pk): row for row in _lines(invoice)}
    return {
        "lines": [
            {
                "description": rows[part.key].description,
                "net": cells.money(part.net),
                "tax": cells.money(part.tax),
            }
            for part in found.credited.parts
        ],
        "tax": cells.money(found.credited.tax),
        "total": cells.money(found.credited.total),
    }


def _goes(found: Foreseen) -> Sequence[tuple[str, object]]:
    """Where it goes, in words; what nothing goes to is left out."""
    split = found.split
    payments = Payment.objects.in_bulk([UUID(key) for key, _ in split.refunds])
    rows = [("Less is owed", split.to_due), ("Credit of the customer's", split.to_credit)]
    rows += [
        (f"Back by {payments[UUID(key)].gateway.replace('_', ' ')}", amount)
        for key, amount in split.refunds
    ]
    return [(words, cells.money(amount)) for words, amount in rows if amount]


def _words(note: CreditNote) -> str:
    parts = [
        (note.to_due_minor, "less is owed"),
        (note.to_credit_minor, "to credit"),
        (note.to_refund_minor, "goes back"),
    ]
    return ", ".join(f"{Money(minor, note.currency)} {words}" for minor, words in parts if minor)


def _lines(invoice: Invoice) -> Sequence[InvoiceLine]:
    return list(invoice.lines.order_by("position"))
