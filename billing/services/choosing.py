"""Which payment method is charged, and where one is set up, by the routes as they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from billing.core import routing
from billing.core.errors import ConflictError, InvalidError, UnavailableError
from billing.core.lifecycle import AttemptStatus
from billing.core.routing import Candidate, Choice, Need, Objection, Route
from billing.gateways import registry
from billing.gateways.base import Decline
from billing.models import Invoice, PaymentAttempt, PaymentMethod
from billing.services import journal, routes
from customers import countries
from customers.models import BillingDetails, Customer

UNREACHED: Final = Decline("gateway_unavailable", "The gateway was not reached; another was tried.")
# While no gateway may be asked, an invoice is looked at again after so long.
LATER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A payment method, and why this one."""

    method: PaymentMethod
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which payment method is to be set up, and where. Empty: whatever comes first.

    :param gateway: asked for by name; else the first that fits.
    :param kind: `card`, `sepa_debit`, `pix`, …
    """

    gateway: str = ""
    kind: str = ""


ANYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payment method is set up, of which kind, and why there."""

    chosen: str
    kind: str
    reason: str


def gateway(customer: Customer, wanted: Wanted, *, now: datetime) -> Place:
    """Where to set a payment method up: as asked for, or at the first gateway that fits.

    :raises InvalidError: if there is no such gateway or kind, or the gateway will not do.
    :raises UnavailableError: if none may be asked now.
    """
    known = [kind for it in registry.offered().values() for kind in it.capabilities.kinds]
    if wanted.kind and wanted.kind not in known:
        sentence = f"No gateway knows the kind {wanted.kind!r}."
        raise InvalidError(sentence, code="unknown_kind", errors={"kind": [sentence]})
    current = routes.current(now)
    if wanted.gateway:
        against = routing.objection(current.get(wanted.gateway), Need(kind=wanted.kind))
        if against == Objection.UNKNOWN:
            raise InvalidError(f"There is no gateway {wanted.gateway!r}.", code="unknown_gateway")
        if against is not None:
            raise InvalidError(f"{wanted.gateway} {against}.", code="no_gateway")
        choice = Choice(wanted.gateway, routing.ASKED_FOR)
    else:
        choice = routing.for_setup(current.values(), _need(customer, wanted), seed=str(customer.pk))
    if choice.chosen is None:
        raise UnavailableError(
            f"No payment gateway can be used now: {choice.reason}.", code="no_gateway"
        )
    kinds = current[choice.chosen].kinds
    return Place(choice.chosen, wanted.kind or next(iter(kinds)), choice.reason)


def _need(customer: Customer, wanted: Wanted) -> Need:
    details = BillingDetails.objects.filter(customer=customer)
    country = details.values_list("country", flat=True).first() or ""
    return Need(customer.currency, countries.code_of(country), wanted.kind)


def one(invoice: Invoice, method_id: UUID | None, *, now: datetime) -> Chosen:
    """The method that was asked for, or the default one, or the next that will do.

    :raises InvalidError: if the customer has no such method, or none at all.
    :raises ConflictError: with code `no_gateway` if no gateway may be asked.
    """
    methods = _methods([invoice]).get(invoice.customer_id, [])
    if method_id is not None:
        methods = [method for method in methods if method.pk == method_id]
    elif not any(method.is_default for method in methods):
        methods = []
    if not methods:
        raise InvalidError("There is no such payment method.", code="no_payment_method")
    current = routes.current(now)
    choice = _choose(invoice, methods, current, _countries([invoice], current))
    if choice.method_id is None:
        raise ConflictError(f"It cannot be charged now: {choice.reason}.", code="no_gateway")
    reason = routing.ASKED_FOR if method_id is not None else choice.reason
    return _chosen(choice, methods, reason)


def many(invoices: Sequence[Invoice], *, now: datetime) -> dict[UUID, Chosen]:
    """Invoice → the method to charge; without those whose customer has no default.

    Where there are methods and no gateway may be asked, that is put down and looked at again
    later. In a transaction of the caller's, who holds the locks.
    """
    methods = _methods(invoices)
    found: dict[UUID, Chosen] = {}
    refused: list[tuple[Invoice, str]] = []
    with_methods = [
        invoice
        for invoice in invoices
        if any(method.is_default for method in methods.get(invoice.customer_id, ()))
    ]
    if not with_methods:
        return found
    current = routes.current(now)
    places = _countries(with_methods, current)
    for invoice in with_methods:
        theirs = methods[invoice.customer_id]
        choice = _choose(invoice, theirs, current, places)
        if choice.method_id is None:
            refused.append((invoice, choice.reason))
        else:
            found[invoice.pk] = _chosen(choice, theirs, choice.reason)
    _defer(refused, now=now)
    return found


def instead(attempt: PaymentAttempt, *, now: datetime) -> Chosen | None:
    """Another gateway's method for an attempt whose gateway was not reached, if policy allows.

    What was given up for this invoice within the hour is not tried again.
    """
    current = routes.current(now)
    route = current.get(attempt.gateway)
    if route is None or not route.fails_over:
        return None
    invoice = attempt.invoice
    given_up = invoice.attempts.filter(
        status=AttemptStatus.ABANDONED, settled_at__gt=invoice.customer.lives_at(now) - LATER
    ).values_list("gateway", flat=True)
    closed = {attempt.gateway, *given_up}
    methods = [
        method
        for method in _methods([invoice]).get(invoice.customer_id, [])
        if method.gateway not in closed
    ]
    choice = _choose(invoice, methods, current, _countries([invoice], current))
    if choice.method_id is None:
        return None
    unavailable = f"{attempt.gateway} {routing.Objection.UNAVAILABLE}"
    return _chosen(choice, methods, f"{unavailable}; {choice.reason}")


def _methods(invoices: Iterable[Invoice]) -> Mapping[UUID, list[PaymentMethod]]:
    rows = PaymentMethod.objects.usable().filter(
        customer__in={invoice.customer_id for invoice in invoices}
    )
    found: dict[UUID, list[PaymentMethod]] = defaultdict(list)
    for method in rows.order_by("-added_at"):
        found[method.customer_id].append(method)
    return found


def _countries(invoices: Iterable[Invoice], current: Mapping[str, Route]) -> Mapping[UUID, str]:
    """Where customers are, if any route asks."""
    if not any(route.countries for route in current.values()):
        return {}
    rows = BillingDetails.objects.filter(customer__in={invoice.customer_id for invoice in invoices})
    places = rows.values_list("customer_id", "country")
    return {key: countries.code_of(country) for key, country in places}


def _choose(
    invoice: Invoice,
    methods: Sequence[PaymentMethod],
    current: Mapping[str, Route],
    places: Mapping[UUID, str],
) -> Choice:
    candidates = [
        Candidate(method.pk, method.gateway, method.kind, method.is_default) for method in methods
    ]
    need = Need(invoice.currency, places.get(invoice.customer_id, ""))
    return routing.for_charge(candidates, current, need, seed=str(invoice.pk))


def _chosen(choice: Choice, methods: Sequence[PaymentMethod], reason: str) -> Chosen:
    return Chosen(next(one for one in methods if one.pk == choice.method_id), reason)


def _defer(refused: Sequence[tuple[Invoice, str]], *, now: datetime) -> None:
    for invoice, _ in refused:
        invoice.next_charge_at = now + LATER
    Invoice.objects.filter(pk__in=[invoice.pk for invoice, _ in refused]).update(
        next_charge_at=now + LATER
    )
    journal.post(
        *(
            journal.Fact(
                kind="CHARGE_DEFERRED",
                key=f"invoice:{invoice.pk}:deferred:{uuid7()}",
                customer_id=invoice.customer_id,
                occurred_at=now,
                context={"invoice": invoice.number, "reason": reason},
                source_kind="invoice",
                source_id=invoice.pk,
            )
            for invoice, reason in refused
        )
    )
