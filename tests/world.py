"""Stories: people subscribe, time passes, charges are made by the real engine.

Everybody lives by one test clock, which only `at` moves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from billing.core.changes import Act
from billing.core.invoicing import Item
from billing.models import BillingPeriod, Invoice, PaymentAttempt, ScheduledChange, Subscription
from billing.services import (
    invoices,
    payment_methods,
    payments,
    schedule,
    subscriptions,
    test_clocks,
    usage,
)
from billing.services.schedule import Wish
from billing.services.subscriptions import Order
from billing.services.usage import Receipt, Report
from customers.models import Customer, TestClock
from plans.models import Plan, PlanVersion
from plans.terms import Billed, ChangeTime, PlanTerms
from tests import builders


def instant(text: str) -> datetime:
    """`2026-04-11` or `2026-04-11 15:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class World:
    """A catalogue, some people and their common clock."""

    def __init__(self) -> None:
        self.plans = builders.make_catalogue()
        self._clock: TestClock | None = None
        self._events = 0

    @property
    def clock(self) -> TestClock:
        """The clock; `at` comes first."""
        assert self._clock is not None, "at() first"
        self._clock.refresh_from_db()
        return self._clock

    @property
    def now(self) -> datetime:
        """Where the clock stands."""
        return self.clock.now

    def at(self, text: str) -> Self:
        """Let time pass until then, with all that happens meanwhile."""
        if self._clock is None:
            self._clock = test_clocks.create(now=instant(text))
        else:
            test_clocks.advance(self._clock.pk, to=instant(text))
        return self

    def customer(self, name: str, **fields: str) -> Customer:
        """A customer who lives by the clock."""
        return builders.make_customer(name, now=self.now, test_clock=self.clock, **fields)

    def named(self, name: str) -> Customer:
        """The customer of that name."""
        return Customer.objects.get(organization_id=name)

    def signs_up(self, name: str, plan: str, **fields: str) -> Customer:
        """A new customer on a plan, with its trial."""
        customer = self.customer(name, **fields)
        self.subscribes(customer, plan)
        return customer

    def subscribes(self, customer: Customer, plan: str, **order: Any) -> Subscription:
        """Put a customer on a plan; what is charged at once is collected."""
        started = subscriptions.start(
            customer.pk, self.plans[plan], by="test", now=self.now, order=Order(**order)
        )
        self.settles()
        return started

    def sells(self, name: str, amount: str, **terms: Any) -> Plan:
        """A plan by the month, in advance and in USD unless it is said otherwise."""
        usual: dict[str, Any] = {"currency": "USD", "billed": Billed.IN_ADVANCE}
        found = PlanTerms(amount=Decimal(amount), **{**usual, **terms})
        self.plans[name] = builders.make_plan(name, found)
        return self.plans[name]

    def changes(
        self, customer: Customer, *, plan: str | None = None, when: str = "now", **wish: Any
    ) -> ScheduledChange:
        """Change a subscription: `now`, at `period_end`, or at an instant."""
        version = None if plan is None else self._version(plan)
        time = ChangeTime(when.upper()) if when in {"now", "period_end"} else instant(when)
        change = schedule.change(
            self.subscription(customer).pk,
            Wish(when=time, plan_version=version, **wish),
            by="test",
            now=self.now,
        )
        self.settles()
        return change

    def cancels(self, customer: Customer, when: str = "period_end") -> ScheduledChange:
        """Cancel their subscription."""
        return self.changes(customer, when=when, act=Act.CANCEL)

    def adds_card(self, customer: Customer, token: str = "tok_ok") -> None:
        """Set up a card at the in-process gateway; what is owed is charged at once."""
        settled = payment_methods.add(
            self._fresh(customer),
            token=token,
            now=self.now,
            gateway=builders.sandbox(),
            is_default=True,
        )
        assert settled.session.payment_method is not None
        self.settles()

    def drafts(self, customer: Customer, amount: str, currency: str = "USD") -> Invoice:
        """An invoice by hand over one item."""
        return invoices.draft(
            customer.pk,
            currency=currency,
            items=[Item("An item", Decimal(1), Decimal(amount))],
            by="test",
            now=self.now,
        )

    def charges(self, invoice: Invoice) -> PaymentAttempt:
        """Have an invoice charged; the attempt waits for a worker."""
        attempt = payments.charge(invoice.pk, by="test", now=self.now)
        assert attempt is not None
        return attempt

    def uses(self, customer: Customer, quantity: int | str, meter: str = "api_calls") -> Receipt:
        """Report one event."""
        self._events += 1
        report = Report(
            event_id=f"event-{self._events}",
            customer=customer.organization_id,
            meter=meter,
            quantity=Decimal(quantity),
        )
        return usage.record([report], now=self.now)

    def subscription(self, customer: Customer) -> Subscription:
        """Their newest subscription."""
        return Subscription.objects.filter(customer=customer).latest("created_at")

    def period(self, customer: Customer) -> tuple[str, str]:
        """From and to of their open period."""
        period = BillingPeriod.objects.get(customer=customer, closed_at=None)
        return f"{period.starts_at:%Y-%m-%d %H:%M}", f"{period.ends_at:%Y-%m-%d %H:%M}"

    def newest_invoice(self, customer: Customer) -> Invoice:
        """Their latest."""
        return Invoice.objects.filter(customer=customer).latest("created_at")

    def invoice(self, customer: Customer) -> list[tuple[str, Decimal, str]]:
        """The lines of their latest invoice: description, amount, explanation."""
        lines = self.newest_invoice(customer).lines.order_by("position")
        return [(line.description, line.amount.major, line.explanation) for line in lines]

    def plan(self, name: str) -> Plan:
        """A plan of the catalogue."""
        return self.plans[name]

    def bills(self, customer: Customer) -> list[tuple[str, list[tuple[str, str]], str]]:
        """Every invoice they got: its day, its lines with their net amounts, its total."""
        found = Invoice.objects.filter(customer=customer).order_by("created_at", "sequence")
        return [
            (
                f"{invoice.created_at:%m-%d}",
                [
                    (line.description, f"{(line.amount - line.discount).major}")
                    for line in invoice.lines.order_by("position")
                ],
                f"{invoice.total.major}",
            )
            for invoice in found
        ]

    def _version(self, name: str) -> PlanVersion:
        version = self.plans[name].current
        assert version is not None
        return PlanVersion.objects.select_related("plan").get(pk=version.pk)

    def settles(self) -> None:
        """Let the workers do what was left to them."""
        self.at(f"{self.now:%Y-%m-%d %H:%M:%S}")

    @staticmethod
    def _fresh(customer: Customer) -> Customer:
        return Customer.objects.readable().get(pk=customer.pk)
