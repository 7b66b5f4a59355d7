"""A shop whose workers run here, whenever the test says so, by a clock that the test drives.

Its customers are real ones, without a test clock: gateways' health counts, and every way is the
one of production, from the sweeper's task down to the vendor's stand-in.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from billing import tasks
from billing.core.invoicing import Item
from billing.gateways.base import Gateway, Notification
from billing.models import GatewayEvent, Invoice, PaymentAttempt, PaymentMethod, Refund
from billing.services import gateway_events, invoices, payment_methods, payments, refunds
from billing.services.refunds import Ask
from customers.models import Customer
from tests import builders
from tests.offering import offer

# Hours between the sweeps: by the end a gateway was asked for as long as that goes on by itself.
_PAUSES: Final = (1, 1, 2, 4, 8, 16, 1)


class Shop:
    """Customers, what they owe, and who collects it.

    :param pays_twice: set by a test in which a person errs, so that an invoice is.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.pays_twice = False
        self._ahead = timedelta()
        self.began = self.now

    def offers(self, *gateways: Gateway) -> None:
        """From here on there are these gateways and no others."""
        offer(self._patch, *gateways)

    def patching(self) -> AbstractContextManager[pytest.MonkeyPatch]:
        """Change something for as long as a block lasts."""
        return self._patch.context()

    @property
    def now(self) -> datetime:
        """The present: the system's, which the stand-ins live by, and what was skipped."""
        return datetime.now(UTC) + self._ahead

    def later(self, **by: float) -> None:
        """Let time pass: `hours=1` and the like."""
        self._ahead += timedelta(**by)

    def customer(self, organization_id: str = "alice", **fields: Any) -> Customer:
        """Somebody who lives in real time."""
        return builders.make_customer(organization_id, now=self.now, **fields)

    def card(
        self, customer: Customer, token: str, *, gateway: str = "stripe", is_default: bool = False
    ) -> PaymentMethod:
        """Set a payment method up by a token, all being well."""
        settled = payment_methods.add(
            customer, token=token, gateway=gateway, is_default=is_default, now=self.now
        )
        assert settled.session.payment_method is not None
        return settled.session.payment_method

    def bills(self, customer: Customer, amount: str = "25.00") -> Invoice:
        """An invoice that is owed."""
        draft = invoices.draft(
            customer.pk,
            currency="EUR",
            items=[Item("A secret of theirs", Decimal(1), Decimal(amount))],
            by="test",
            now=self.now,
        )
        return invoices.issue(draft.pk, now=self.now)

    def wants(self, invoice: Invoice) -> PaymentAttempt:
        """Write down that an invoice shall be charged; a worker has yet to do it."""
        attempt = payments.charge(invoice.pk, by="test", now=self.now)
        assert attempt is not None
        return attempt

    def sends(self, attempt: PaymentAttempt) -> PaymentAttempt | None:
        """One worker collects it."""
        return payments.collect(attempt.pk, now=self.now)

    def charges(self, customer: Customer, amount: str = "25.00") -> PaymentAttempt:
        """Bill somebody and send the charge."""
        sent = self.sends(self.wants(self.bills(customer, amount)))
        assert sent is not None
        return sent

    def gives_back(self, invoice: Invoice) -> Refund:
        """Write down that an invoice is refunded whole."""
        [row] = refunds.of_invoice(invoice.pk, None, Ask("olga", "asked for it"), now=self.now)
        return row

    def hears(self, *notifications: Notification, gateway: str = "stripe") -> None:
        """Be told, one after the other, and follow each at once."""
        for told in notifications:
            event_id = gateway_events.receive(told, gateway=gateway, now=self.now)
            if event_id is not None:
                tasks.handle_gateway_event(event_id=str(event_id))

    def sweeps(self) -> None:
        """Let the sweeper run once, and the workers do what it found."""
        tasks.sweep()

    def works(self) -> None:
        """Let the sweeper run again and again until nothing is left that it would send."""
        for hours in _PAUSES:
            self.sweeps()
            if not self.is_busy():
                return
            self.later(hours=hours)
        raise AssertionError("The workers never came to an end.")

    @staticmethod
    def is_busy() -> bool:
        """Whether something waits to be sent or handled."""
        return (
            PaymentAttempt.objects.unsent().exists()
            or Refund.objects.unsent().exists()
            or GatewayEvent.objects.filter(handled_at=None).exists()
        )


def fresh(attempt: PaymentAttempt) -> PaymentAttempt:
    """As it is stored now."""
    return PaymentAttempt.objects.select_related("invoice").get(pk=attempt.pk)


def states(attempts: Iterable[PaymentAttempt] | None = None) -> list[str]:
    """The states of all attempts, oldest first."""
    rows = PaymentAttempt.objects.order_by("created_at", "pk") if attempts is None else attempts
    return [row.status for row in rows]
