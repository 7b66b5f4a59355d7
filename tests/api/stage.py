"""One of everything, all of it Alice's, for tests that look at every address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from billing.core.changes import Act
from billing.core.invoicing import Item
from billing.models import (
    CheckoutSession,
    Invoice,
    PaymentMethod,
    ScheduledChange,
    Seller,
    Subscription,
)
from billing.services import invoices, payment_methods, schedule, subscriptions, test_clocks
from billing.services.payment_methods import ReturnUrls
from billing.services.schedule import Wish
from customers.models import Customer, TestClock
from plans.models import Plan
from tests import builders

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stage:
    """What there is."""

    plan: Plan
    other_plan: Plan
    alice: Customer
    bob: Customer
    subscription: Subscription
    change: ScheduledChange
    method: PaymentMethod
    spare_method: PaymentMethod
    invoice: Invoice
    session: CheckoutSession
    clock: TestClock


def set_stage() -> Stage:
    """Alice subscribes and will pause, has two cards, a pending invoice, a visit to pay."""
    Seller.objects.get_or_create(is_default=True, defaults={"name": "Bursar Ltd", "country": "GB"})
    clock = test_clocks.create(now=NOW)
    alice = builders.make_customer("alice", now=NOW, test_clock=clock)
    plan = builders.make_plan()
    subscription = subscriptions.start(alice.pk, plan, by="test", now=NOW)
    urls = ReturnUrls("https://example.com/ok", "https://example.com/no")
    session = payment_methods.start_checkout(alice, urls=urls, now=NOW).session
    method, spare = _card(alice, is_default=True), _card(alice)
    return Stage(
        plan=plan,
        other_plan=builders.make_plan("Gold"),
        alice=alice,
        bob=builders.make_customer("bob", now=NOW),
        subscription=subscription,
        change=schedule.change(subscription.pk, Wish(act=Act.PAUSE, when=JUNE), by="test", now=NOW),
        method=method,
        spare_method=spare,
        invoice=_pending(alice),
        session=session,
        clock=clock,
    )


def _card(customer: Customer, *, is_default: bool = False) -> PaymentMethod:
    settled = payment_methods.add(
        customer,
        token="tok_ok",
        now=NOW,
        gateway="sandbox",
        is_default=is_default,
    )
    assert settled.session.payment_method is not None
    return settled.session.payment_method


def _pending(customer: Customer) -> Invoice:
    items = [Item("Set-up", Decimal(1), Decimal("25.00"))]
    draft = invoices.draft(customer.pk, currency="USD", items=items, by="test", now=NOW)
    with transaction.atomic():
        invoices.finalize([draft], now=NOW)
    return draft
