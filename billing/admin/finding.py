"""Finding a customer by anything an operator may have in hand."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from billing.models import (
    CheckoutSession,
    GatewayCustomer,
    Invoice,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Subscription,
)
from customers.models import BillingDetails, Customer, CustomerUser, TaxId

_Owned = (
    CheckoutSession | GatewayCustomer | Invoice | Payment | PaymentMethod | Subscription | TaxId
)
HELP: Final = (
    "Organization, anonymous id, name, e-mail, invoice number, last four digits, Stripe's id"
)


def customers(rows: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Those that the text may mean: names by a part of them, numbers and ids whole."""
    term = text.strip()
    if not term:
        return rows
    found = Q(organization_id__icontains=term) | Q(anonymous_id__iexact=term)
    found |= _by_person(term)
    found |= Q(pk__in=_owners(Invoice, number__iexact=term))
    if term.isdigit() and len(term) == 4:
        found |= Q(pk__in=_owners(PaymentMethod, last4=term))
    if "_" in term or "." in term:
        found |= _by_gateway(term)
    return rows.filter(found | _by_our_id(term))


def _by_person(term: str) -> Q:
    details = BillingDetails.objects.filter(Q(name__icontains=term) | Q(email__icontains=term))
    members = CustomerUser.objects.filter(user__email__iexact=term)
    return (
        Q(pk__in=details.values("customer"))
        | Q(pk__in=members.values("customer"))
        | Q(pk__in=_owners(TaxId, value__iexact=term))
    )


def _by_gateway(term: str) -> Q:
    """By what a gateway calls the customer, or anything of theirs."""
    attempts = PaymentAttempt.objects.filter(external_id=term)
    return (
        Q(pk__in=_owners(GatewayCustomer, external_id=term))
        | Q(pk__in=_owners(PaymentMethod, external_id=term))
        | Q(pk__in=_owners(CheckoutSession, external_id=term))
        | Q(pk__in=_owners(Subscription, sub_id=term))
        | Q(pk__in=attempts.values("invoice__customer"))
    )


def _by_our_id(term: str) -> Q:
    """By the id of the customer or of anything of theirs, as it stands in a URL or a log."""
    try:
        key = UUID(term)
    except ValueError:
        return Q()
    found = Q(pk=key) | Q(pk__in=PaymentAttempt.objects.filter(pk=key).values("invoice__customer"))
    for model in (Subscription, Invoice, PaymentMethod, Payment, CheckoutSession):
        found |= Q(pk__in=_owners(model, pk=key))
    return found


def _owners(model: type[_Owned], **query: object) -> QuerySet[Any, Any]:
    return model.objects.filter(**query).values("customer")
