"""Prepaid credit that is sold: an invoice over it, charged at once; once paid, it is there.

It can be spent on anything, so that no tax is due before it is used.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Final
from uuid import UUID

from django.db import transaction

from billing.core import invoicing, lifecycle
from billing.core.errors import InvalidError
from billing.core.invoicing import Line, LineKind
from billing.core.lifecycle import InvoiceStatus
from billing.core.money import Money
from billing.core.periods import Period
from billing.core.tax_policies import VOUCHER
from billing.models import BillingProfile, Invoice, PaymentAttempt, PaymentMethod
from billing.models.invoice import InvoicePurpose
from billing.queries import prepaid, sellers, taxes
from billing.services import drafting, invoices, locks, payments
from billing.services.drafting import Draft
from customers.models import Customer

# Who buys credit, where no person does.
TOP_UP: Final = "automatic top-up"


@transaction.atomic
def sell(
    customer_id: UUID, amount: Money, *, expires_at: datetime | None, by: str, now: datetime
) -> PaymentAttempt:
    """Invoice credit, and write down that the customer's default method shall be charged for it.

    :param expires_at: of the credit; None for never.
    :raises NotFoundError: if there is no such customer.
    :raises InvalidError: if there is nothing to charge, it makes no sense, or it has expired.
    """
    customer = locks.customer(customer_id)
    present = customer.lives_at(now)
    if not 0 < amount.minor <= drafting.LARGEST_MINOR:
        raise InvalidError("Credit is more than nothing.", code="invalid_amount")
    if expires_at is not None and expires_at <= present:
        raise InvalidError("It would have expired already.", code="in_the_past")
    if _default_method(customer) is None:
        raise InvalidError("There is no payment method to charge.", code="no_payment_method")
    line = _line(amount, present, expires_at)
    return _invoice(customer, line, InvoicePurpose.CREDIT, by=by, now=present)


def top_up(customer: Customer, *, now: datetime) -> PaymentAttempt | None:
    """Buy credit for a customer who has less than they want to have left, if they agreed to it.

    In a transaction of the caller's, who holds the lock on the customer. Nothing is bought while
    an earlier top-up is not settled, nor again by a method that never paid for one.

    :param now: the customer's present.
    """
    profile = BillingProfile.objects.filter(
        customer=customer, top_up_threshold_minor__isnull=False
    ).first()
    if profile is None:
        return None
    currency = profile.top_up_currency
    left = prepaid.available(customer, currency, now=now).left
    method = _default_method(customer)
    is_enough = left.minor >= (profile.top_up_threshold_minor or 0)
    if is_enough or method is None or _is_held_up(customer, currency, method):
        return None
    line = _line(Money(profile.top_up_amount_minor or 0, currency), now, None)
    return _invoice(customer, line, InvoicePurpose.TOP_UP, by=TOP_UP, now=now)


def _default_method(customer: Customer) -> PaymentMethod | None:
    rows = PaymentMethod.objects.usable().filter(customer=customer, is_default=True)
    return rows.first()


def _is_held_up(customer: Customer, currency: str, method: PaymentMethod) -> bool:
    """Whether the top-up before is still open, or was written off and nothing is new since."""
    rows = Invoice.objects.filter(
        customer=customer, currency=currency, purpose=InvoicePurpose.TOP_UP
    )
    last = rows.order_by("-created_at", "-pk").first()
    if last is None:
        return False
    if last.status == InvoiceStatus.UNCOLLECTIBLE:
        return method.added_at <= last.created_at
    return last.status == InvoiceStatus.DRAFT or last.status in lifecycle.COLLECTIBLE


def _line(amount: Money, now: datetime, expires_at: datetime | None) -> Line:
    """What is sold; its period is when it can be spent."""
    return Line(
        kind=LineKind.CREDIT,
        description="Prepaid credit",
        quantity=Fraction(1),
        unit_amount=amount.major,
        amount=amount,
        explanation=f"{amount} of credit",
        period=None if expires_at is None else Period(now, expires_at),
        discount_minor=0,
        tax_class=VOUCHER,
    )


def _invoice(
    customer: Customer, line: Line, purpose: InvoicePurpose, *, by: str, now: datetime
) -> PaymentAttempt:
    issuer = sellers.of_customers([customer.pk]).get(customer.pk)
    sold_by = {} if issuer is None else {customer.pk: issuer}
    taxation = taxes.taxations([customer], sold_by)[customer.pk]
    currency = line.amount.currency
    bill = invoicing.taxed([line], currency=currency, at=now, taxation=taxation)
    draft = Draft(customer, bill, issuer=issuer, purpose=purpose)
    sheets = drafting.write([draft], by=by, now=now)
    owed = [(sheet.invoice, sheet.due) for sheet in sheets]
    (attempt,) = payments.open_attempts(owed, by=by, now=now)
    invoices.finalize_sheets(sheets, now=now)
    return attempt
