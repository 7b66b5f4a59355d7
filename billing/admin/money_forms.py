"""What dialogs about payments, instalments and credit ask."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django import forms

from billing.admin.change_forms import INSTANT_HELP, InstantField
from billing.admin.theme import DialogForm, dress
from billing.core.instalments import Rhythm
from billing.core.money import Money
from billing.models import Invoice, Payment
from billing.models.choices import choices
from billing.models.credit import GrantKind
from billing.queries import balances
from billing.services.credit import USUAL_PRIORITY, Gift
from billing.services.incoming import Incoming
from customers.models import Customer
from plans.terms import Interval

MOST_INVOICES: Final = 20
_INVOICE: Final = "invoice_"


class MoneyDialog(DialogForm):
    """A dialog in the theme's looks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask()
        for name, field in self.fields.items():
            if not name.startswith("_"):
                dress(field)

    def ask(self) -> None:
        """Add the fields that depend on the object."""

    @property
    def key(self) -> Any:
        """The object's."""
        return getattr(self, "object_id", None)


class PaymentForm(MoneyDialog):
    """A payment that came another way, and what it is for."""

    amount = forms.DecimalField(min_value=0, decimal_places=4)
    currency = forms.CharField(min_length=3, max_length=3)
    gateway = forms.CharField(label="It came by", initial="bank_transfer", max_length=32)
    reference = forms.CharField(max_length=255, required=False)
    received_at = InstantField(
        label="Received", required=False, help_text=f"{INSTANT_HELP} Empty: now."
    )

    def ask(self) -> None:
        """The open invoices, each with a field for what of the payment is for it."""
        customer = Customer.objects.filter(pk=self.key).first()
        if customer is None:
            return
        self.fields["currency"].initial = customer.currency
        rows = Invoice.objects.collectible().filter(customer=customer).order_by("due_at", "pk")
        invoices = list(rows[:MOST_INVOICES])
        owed = balances.due_on(invoices)
        for invoice in invoices:
            due = Money(owed[invoice.pk], invoice.currency)
            self.fields[f"{_INVOICE}{invoice.pk}"] = forms.DecimalField(
                label=f"For {invoice.number}",
                required=False,
                min_value=0,
                decimal_places=4,
                help_text=f"{due} owed. All fields empty: what is due first.",
            )

    @property
    def paid(self) -> Money:
        """How much it is."""
        code = self.cleaned_data["currency"].upper()
        return Money.parse(self.cleaned_data["amount"], code)

    @property
    def incoming(self) -> Incoming:
        """How it came, and for what."""
        return Incoming(
            gateway=self.cleaned_data["gateway"],
            reference=self.cleaned_data["reference"],
            received_at=self.cleaned_data["received_at"],
            invoices=self._invoices() or None,
        )

    def _invoices(self) -> Sequence[tuple[UUID, Money | None]]:
        code = self.paid.currency
        return [
            (UUID(name.removeprefix(_INVOICE)), Money.parse(value, code))
            for name, value in self.cleaned_data.items()
            if name.startswith(_INVOICE) and value
        ]


class CreditForm(MoneyDialog):
    """Credit to be given."""

    amount = forms.DecimalField(min_value=0, decimal_places=4)
    currency = forms.CharField(min_length=3, max_length=3)
    kind = forms.ChoiceField(choices=choices(GrantKind), initial=GrantKind.PROMOTIONAL)
    reference = forms.CharField(
        max_length=255, required=False, help_text="Of paid credit: what the bank says."
    )
    expires_at = InstantField(
        label="Expires", required=False, help_text=f"{INSTANT_HELP} Empty: never."
    )
    priority = forms.IntegerField(min_value=0, max_value=2**15 - 1, initial=USUAL_PRIORITY)
    reason = forms.CharField(max_length=255, required=False)
    settles_open = forms.BooleanField(label="Also settle open invoices", required=False)

    def ask(self) -> None:
        """In their own currency, usually."""
        customer = Customer.objects.filter(pk=self.key).first()
        if customer is not None:
            self.fields["currency"].initial = customer.currency

    @property
    def given(self) -> Money:
        """How much it is."""
        return Money.parse(self.cleaned_data["amount"], self.cleaned_data["currency"].upper())

    @property
    def paid_by(self) -> Incoming | None:
        """How paid credit was paid for."""
        if self.cleaned_data["kind"] != GrantKind.PAID:
            return None
        return Incoming("bank_transfer", self.cleaned_data["reference"])

    def gift(self, by: str) -> Gift:
        """As what it is given."""
        read = self.cleaned_data
        return Gift(
            GrantKind(read["kind"]), read["reason"], read["expires_at"], read["priority"], by
        )


class ReasonForm(MoneyDialog):
    """Why."""

    reason = forms.CharField(label="Why", max_length=255)


class TakeOffForm(ReasonForm):
    """Which invoice a payment is taken off."""

    def ask(self) -> None:
        """Those that it settled."""
        payment = Payment.objects.filter(pk=self.key).first()
        rows = Invoice.objects.none() if payment is None else _settled_by(payment)
        self.fields["invoice"] = forms.ModelChoiceField(rows, label="Invoice")


class AllocationForm(MoneyDialog):
    """Where credit of a payment goes."""

    amount = forms.DecimalField(
        required=False, min_value=0, decimal_places=4, help_text="Empty: as much as it needs."
    )

    def ask(self) -> None:
        """The customer's open invoices."""
        payment = Payment.objects.filter(pk=self.key).first()
        rows = Invoice.objects.none()
        if payment is not None:
            rows = Invoice.objects.collectible().filter(
                customer=payment.customer_id, currency=payment.currency
            )
        self.fields["invoice"] = forms.ModelChoiceField(rows.order_by("due_at"), label="Invoice")

    def amount_in(self, currency: str) -> Money | None:
        """How much; None for as much as it needs."""
        amount: Decimal | None = self.cleaned_data["amount"]
        return None if amount is None else Money.parse(amount, currency)


class InstalmentsForm(MoneyDialog):
    """In how many parts an invoice is paid."""

    count = forms.IntegerField(label="Parts", min_value=1, max_value=120, initial=3)
    first_due_at = InstantField(label="The first is due", help_text=INSTANT_HELP)
    interval = forms.ChoiceField(choices=choices(Interval), initial=Interval.MONTH)

    @property
    def rhythm(self) -> Rhythm:
        """How what is owed is split."""
        read = self.cleaned_data
        return Rhythm(read["count"], read["first_due_at"], Interval(read["interval"]))


def _settled_by(payment: Payment) -> Any:
    """What a payment settles, directly or by what of it became credit."""
    direct = payment.allocations.standing().values("invoice")
    by_credit = payment.grants.values("draws__invoice")
    found = Invoice.objects.filter(pk__in=direct) | Invoice.objects.filter(pk__in=by_credit)
    return found.order_by("number")
