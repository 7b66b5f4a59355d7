"""The order of locks, in one place: customer first and once, then what is theirs.

`NO KEY UPDATE` is enough to keep commands apart, and lets others go on inserting rows that refer
to the locked one. A lazily evaluated lock locks nothing: everything here is evaluated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import connection, models

from billing.core.errors import ConflictError, NotFoundError
from billing.models import (
    ApiToken,
    CreditGrant,
    Delivery,
    Dispute,
    DunningRun,
    EntitlementMark,
    EntitlementState,
    GatewayRoute,
    Invoice,
    Payment,
    PaymentAttempt,
    Refund,
    Subscription,
    WebhookEndpoint,
)
from customers.models import Customer, TestClock

_Row = TypeVar("_Row", bound=models.Model)


def customer(customer_id: UUID) -> Customer:
    """Lock a customer: every command on something of theirs begins here.

    :raises NotFoundError: if there is none.
    """
    rows = Customer.objects.filter(pk=customer_id).select_related("test_clock")
    return _one(rows, "customer", customer_id)


def client(customer_id: UUID) -> Customer:
    """Lock a customer with whom something new is begun.

    :raises NotFoundError: if there is none.
    :raises ConflictError: with code `customer_erased` if nobody is behind them any more.
    """
    found = customer(customer_id)
    if found.erased_at is not None:
        raise ConflictError("This customer was erased.", code="customer_erased")
    return found


def invoice(invoice_id: UUID) -> Invoice:
    """Lock an invoice, its customer before it.

    :raises NotFoundError: if there is none.
    """
    rows = Invoice.objects.filter(pk=invoice_id)
    _customer_of(rows, "invoice", invoice_id)
    return _one(rows.select_related("customer__test_clock"), "invoice", invoice_id)


def subscription(subscription_id: UUID) -> Subscription:
    """Lock a subscription, its customer before it.

    :raises NotFoundError: if there is none.
    """
    rows = Subscription.objects.filter(pk=subscription_id)
    _customer_of(rows, "subscription", subscription_id)
    return _one(rows.readable(), "subscription", subscription_id)


def attempt(attempt_id: UUID) -> PaymentAttempt:
    """Lock a payment attempt, its customer and invoice before it.

    :raises NotFoundError: if there is none.
    """
    invoice_id = (
        PaymentAttempt.objects.filter(pk=attempt_id).values_list("invoice_id", flat=True).first()
    )
    if invoice_id is None:
        raise NotFoundError(f"There is no payment attempt {attempt_id}.", code="not_found")
    locked = invoice(invoice_id)
    row = _one(PaymentAttempt.objects.filter(pk=attempt_id), "payment attempt", attempt_id)
    row.invoice = locked
    return row


def dunning_run(run_id: UUID) -> DunningRun:
    """Lock a dunning run, its customer and invoice before it.

    :raises NotFoundError: if there is none.
    """
    rows = DunningRun.objects.filter(pk=run_id)
    invoice_id = rows.values_list("invoice_id", flat=True).first()
    if invoice_id is None:
        raise NotFoundError(f"There is no dunning run {run_id}.", code="not_found")
    locked = invoice(invoice_id)
    row = _one(rows, "dunning run", run_id)
    row.invoice, row.customer = locked, locked.customer
    return row


def payment(payment_id: UUID) -> Payment:
    """Lock a payment, its customer before it.

    :raises NotFoundError: if there is none.
    """
    rows = Payment.objects.filter(pk=payment_id)
    _customer_of(rows, "payment", payment_id)
    return _one(rows.select_related("customer__test_clock"), "payment", payment_id)


def credit_grant(grant_id: UUID) -> CreditGrant:
    """Lock a credit grant, its customer before it.

    :raises NotFoundError: if there is none.
    """
    rows = CreditGrant.objects.filter(pk=grant_id)
    _customer_of(rows, "credit grant", grant_id)
    return _one(rows.select_related("customer__test_clock"), "credit grant", grant_id)


def refund(refund_id: UUID) -> Refund:
    """Lock a refund, its customer before it.

    :raises NotFoundError: if there is none.
    """
    rows = Refund.objects.filter(pk=refund_id)
    _customer_of(rows, "refund", refund_id)
    related = ("customer__test_clock", "payment__attempt")
    return _one(rows.select_related(*related), "refund", refund_id)


def dispute(dispute_id: UUID) -> Dispute:
    """Lock a dispute, its customer before it.

    :raises NotFoundError: if there is none.
    """
    rows = Dispute.objects.filter(pk=dispute_id)
    _customer_of(rows, "dispute", dispute_id)
    return _one(rows.select_related("customer__test_clock", "payment"), "dispute", dispute_id)


def gateway_route(name: str) -> GatewayRoute:
    """Lock a gateway's row, after everything else and for a moment only.

    :raises NotFoundError: if there is none.
    """
    row = _locked(GatewayRoute.objects.filter(name=name)).first()
    if row is None:
        raise NotFoundError(f"There is no gateway {name}.", code="not_found")
    return row


def webhook_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    """Lock an endpoint; its deliveries after it.

    :raises NotFoundError: if there is none.
    """
    return _one(WebhookEndpoint.objects.filter(pk=endpoint_id), "webhook endpoint", endpoint_id)


def doomed_webhook_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    """Lock an endpoint that is to be deleted, once nobody writes deliveries to it any more.

    :raises NotFoundError: if there is none.
    """
    row = WebhookEndpoint.objects.filter(pk=endpoint_id).select_for_update().first()
    if row is None:
        raise NotFoundError(f"There is no webhook endpoint {endpoint_id}.", code="not_found")
    return row


def listening_endpoints() -> list[tuple[UUID, list[str]]]:
    """Who is told of things, and of which types; none is deleted before the transaction's end.

    Else a notification's foreign key could undo what it tells of. Others may do the same at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, types FROM billing_webhookendpoint WHERE is_enabled ORDER BY id"
            " FOR KEY SHARE"
        )
        return list(cursor.fetchall())


def delivery(delivery_id: UUID) -> Delivery:
    """Lock a delivery, its endpoint before it.

    :raises NotFoundError: if there is none.
    """
    rows = Delivery.objects.filter(pk=delivery_id)
    endpoint_id = rows.values_list("endpoint_id", flat=True).first()
    if endpoint_id is None:
        raise NotFoundError(f"There is no delivery {delivery_id}.", code="not_found")
    endpoint = webhook_endpoint(endpoint_id)
    row = _one(rows.select_related("event"), "delivery", delivery_id)
    row.endpoint = endpoint
    return row


def due_deliveries(endpoint_id: UUID, now: datetime, *, limit: int) -> list[Delivery]:
    """Claim up to `limit` that are due, first in line and in nobody's hands; oldest first."""
    due = Delivery.objects.due(now).filter(endpoint=endpoint_id).first_in_line()
    return _claimed(due.select_related("event", "endpoint"), limit)


def blocked_deliveries(endpoint_id: UUID, now: datetime, *, limit: int) -> list[Delivery]:
    """Claim up to `limit` that are due, but for one ahead of them that has to wait."""
    return _claimed(Delivery.objects.due(now).filter(endpoint=endpoint_id).behind(now), limit)


def entitlement_states(customer_ids: Collection[UUID]) -> list[EntitlementState]:
    """Lock what was told of customers' entitlements, in the order of their keys, and alone."""
    rows = EntitlementState.objects.filter(customer__in=customer_ids)
    return list(_locked(rows.order_by("pk")))


def entitlement_marks(limit: int) -> list[EntitlementMark]:
    """Claim the oldest marks that nobody else is working on."""
    rows = EntitlementMark.objects.select_for_update(skip_locked=True)
    return list(rows.order_by("pk")[:limit])


def live_subscription(customer_id: UUID) -> Subscription | None:
    """Lock the customer's live subscription, if they have one. The customer is locked already."""
    rows = Subscription.objects.live().filter(customer_id=customer_id)
    return _locked(rows.readable()).first()


def live_subscriptions(customer_ids: Sequence[UUID]) -> list[Subscription]:
    """Lock the live subscriptions of customers who are not locked, in the order of their keys."""
    rows = Subscription.objects.live().filter(customer_id__in=customer_ids)
    return list(_locked(rows.order_by("pk")))


def due_subscriptions(now: datetime, clock: TestClock | None, *, limit: int) -> list[Subscription]:
    """Claim up to `limit` due subscriptions that no other run is working on.

    Their customers are locked first, and skipped where somebody else holds them.
    """
    due = Subscription.objects.due(now, clock)
    claim = (
        due.select_related("customer")
        .only("customer__id")
        .select_for_update(of=("customer",), no_key=True, skip_locked=True)
    )
    claimed = [row.customer_id for row in claim.order_by("due_at")[:limit]]
    # Hundreds share a few versions: they are fetched once, not with each row.
    rows = (
        due.filter(customer_id__in=claimed)
        .select_related("customer__test_clock", "customer__details")
        .prefetch_related("plan_version__plan")
    )
    return list(_locked(rows.order_by("pk")))


def api_token(token_id: UUID) -> ApiToken:
    """Lock a token, its customer before it where it has one.

    :raises NotFoundError: if there is none.
    :raises ConflictError: with code `customer_erased` if nobody is behind the customer any more.
    """
    rows = ApiToken.objects.filter(pk=token_id)
    customer_id = rows.values_list("customer_id", flat=True).first()
    if customer_id is not None:
        client(customer_id)
    return _one(rows.select_related("customer"), "token", token_id)


def left_alone(rows: models.QuerySet[_Row]) -> models.QuerySet[_Row]:
    """Those rows that nobody holds, for an update that may be left out and must not wait."""
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=True)


@contextmanager
def alone(name: str, row_id: UUID | str) -> Iterator[bool]:
    """Hold a lock outside any transaction, for as long as a call to the outside takes.

    Gives False when somebody else holds it. PostgreSQL lets go of it when its holder dies, so
    that whoever comes next knows that nobody is at it any more.
    """
    key = f"{name}:{row_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        (is_held,) = cursor.fetchone()
    try:
        yield is_held
    finally:
        if is_held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def name(key: str) -> None:
    """Hold a name to the end of the transaction: for what has no row yet that could be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def is_alone(name: str) -> bool:
    """Take a lock for the rest of the caller's transaction, if nobody holds it; never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        (is_held,) = cursor.fetchone()
    return bool(is_held)


def alone_from_here(name: str) -> None:
    """Take the lock of `is_alone`, waiting for whoever holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def until_free(name: str, row_id: UUID) -> None:
    """Wait until nobody holds what `alone` gives."""
    key = f"{name}:{row_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _claimed(rows: models.QuerySet[Delivery], limit: int) -> list[Delivery]:
    first = rows.order_by(models.F("due_at").asc(nulls_first=True), "position")
    return list(first.select_for_update(of=("self",), no_key=True, skip_locked=True)[:limit])


def _customer_of(rows: models.QuerySet[_Row], noun: str, row_id: UUID) -> None:
    customer_id = rows.values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise NotFoundError(f"There is no {noun} {row_id}.", code="not_found")
    customer(customer_id)


def _one(rows: models.QuerySet[_Row], noun: str, row_id: UUID) -> _Row:
    row = _locked(rows).first()
    if row is None:
        raise NotFoundError(f"There is no {noun} {row_id}.", code="not_found")
    return row


def _locked(rows: models.QuerySet[_Row]) -> models.QuerySet[_Row]:
    return rows.select_for_update(of=("self",), no_key=True)
