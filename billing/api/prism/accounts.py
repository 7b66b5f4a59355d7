"""What the contract shows beside a customer: their subscription, its invoice, its charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from billing.core.money import Money, total
from billing.models import (
    Allocation,
    BillingPeriod,
    GatewayCustomer,
    Invoice,
    PaymentAttempt,
    Subscription,
)
from billing.queries import balances
from customers.models import Customer

# Where a customer is known to several gateways, the contract means this one.
_FIRST: Final = "stripe"


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice with what was paid on it and what is still owed; credit is neither."""

    invoice: Invoice
    paid: Money
    owed: Money
    charge: PaymentAttempt | None


@dataclass(frozen=True, slots=True)
class Account:
    """A customer, and the newest of everything that is shown of them.

    :param gateway_id: what a gateway calls them, or the anonymous id that it would be told.
    :param period: the open one.
    """

    customer: Customer
    gateway_id: str
    subscription: Subscription | None
    period: BillingPeriod | None
    bill: Bill | None


def of(customer: Customer) -> Account:
    """Everything in a few reads. A live subscription is always the newest: there is but one."""
    subscription = (
        Subscription.objects.readable()
        .filter(customer=customer)
        .order_by("-created_at", "-pk")
        .first()
    )
    if subscription is None:
        return Account(customer, _gateway_id(customer), None, None, None)
    return Account(
        customer,
        _gateway_id(customer),
        subscription,
        subscription.periods.filter(closed_at=None).first(),
        _bill(subscription),
    )


def _gateway_id(customer: Customer) -> str:
    known = dict(
        GatewayCustomer.objects.filter(customer=customer)
        .order_by("pk")
        .values_list("gateway", "external_id")
    )
    oldest = next(iter(known.values()), customer.anonymous_id)
    return str(known.get(_FIRST, oldest))


def _bill(subscription: Subscription) -> Bill | None:
    """The newest that has its number, as customers see no other."""
    rows = Invoice.objects.filter(subscription=subscription, number__isnull=False)
    invoice = rows.order_by("-issued_at", "-sequence").first()
    if invoice is None:
        return None
    code, standing = invoice.currency, Allocation.objects.standing().filter(invoice=invoice)
    return Bill(
        invoice,
        paid=total((Money(row.amount_minor, code) for row in standing), code),
        owed=Money(balances.due_on([invoice])[invoice.pk], code),
        charge=invoice.attempts.order_by("-created_at", "-pk").first(),
    )
