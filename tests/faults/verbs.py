"""Charge, refund and set-up: what each needs, how it is asked for, and how it has to end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from billing.core.errors import UnavailableError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.models import Invoice, Payment, PaymentAttempt, PaymentMethod, Refund
from billing.services import following, payment_methods, payments, refunds
from customers.models import Customer
from tests.faults.shop import Shop
from tests.faults.tills import Till


@dataclass(frozen=True)
class Place:
    """A gateway as the table needs it.

    :param tries: how often its client asks by itself before it gives up.
    :param paths: by verb, what the gateway is asked.
    """

    name: str
    token: str
    tries: int
    paths: dict[str, str]


STRIPE: Final = Place(
    "stripe",
    "pm_card_visa",
    3,
    {
        "charge": "POST /v1/payment_intents",
        "refund": "POST /v1/refunds",
        "setup": "POST /v1/setup_intents",
    },
)
PAYPAL: Final = Place(
    "paypal",
    "vault_good",
    1,
    {
        "charge": "POST /v2/checkout/orders",
        "refund": "POST /v2/payments/captures/*",
        "setup": "POST /v3/vault/payment-tokens",
    },
)


class Verb(Protocol):
    """One row of the table."""

    def begins(self) -> None:
        """Make all that comes before it, while nothing goes wrong."""
        ...

    def happens(self) -> None:
        """Do it, by one worker or one customer, whatever goes wrong."""
        ...

    def goes_on(self) -> None:
        """Let workers, and who cannot do without a person, bring it to its end."""
        ...

    def ends(self) -> None:
        """Assert that it was done, and once."""
        ...


@dataclass
class Charging:
    """A customer pays an invoice."""

    shop: Shop
    place: Place
    till: Till
    attempt: PaymentAttempt = field(init=False)

    def begins(self) -> None:
        """A card, and what shall be charged to it."""
        alice = self.shop.customer()
        self.shop.card(alice, self.place.token, gateway=self.place.name)
        self.attempt = self.shop.wants(self.shop.bills(alice))

    def happens(self) -> None:
        """One worker sends it."""
        payments.collect(self.attempt.pk, now=self.shop.now)

    def goes_on(self) -> None:
        """What the gateway never tells, a person does, and then it is charged anew."""
        self.shop.works()
        lost = PaymentAttempt.objects.filter(is_undecided=True).first()
        if lost is not None:
            assert self.till.taken() == []
            following.decide(lost.pk, was_taken=False, by="olga", now=self.shop.now)
            self.shop.wants(lost.invoice)
            self.shop.works()

    def ends(self) -> None:
        """Paid, by one payment."""
        assert Invoice.objects.get().status == InvoiceStatus.PAID
        assert Payment.objects.get().amount_minor == 25_00
        assert [minor for _, minor in self.till.taken()] == [25_00]


@dataclass
class Refunding:
    """A customer gets back what they paid."""

    shop: Shop
    place: Place
    till: Till
    row: Refund = field(init=False)

    def begins(self) -> None:
        """A paid invoice, to be refunded."""
        alice = self.shop.customer()
        self.shop.card(alice, self.place.token, gateway=self.place.name)
        self.row = self.shop.gives_back(self.shop.charges(alice).invoice)

    def happens(self) -> None:
        """One worker sends it."""
        refunds.collect(self.row.pk, now=self.shop.now)

    def goes_on(self) -> None:
        """What the gateway never tells is left to a person in the end."""
        self.shop.works()

    def ends(self) -> None:
        """Given back, by one refund."""
        row = Refund.objects.get()
        if row.is_undecided:  # the gateway did nothing, and repeats that it failed
            assert self.till.returned() == []
            return
        assert row.status == AttemptStatus.SUCCEEDED
        assert Invoice.objects.get().status == InvoiceStatus.REFUNDED
        assert [minor for _, minor in self.till.returned()] == [25_00]


@dataclass
class SettingUp:
    """A customer who owes something adds a payment method, and tries again if they are told to."""

    shop: Shop
    place: Place
    till: Till
    token: str = ""
    alice: Customer = field(init=False)

    def begins(self) -> None:
        """They owe for an invoice."""
        self.alice = self.shop.customer()
        self.shop.bills(self.alice)

    def happens(self) -> None:
        """They add it by its token; what they owe is charged at once."""
        with suppress(UnavailableError):
            self._collect(
                payment_methods.add(
                    self.alice,
                    token=self.token or self.place.token,
                    gateway=self.place.name,
                    now=self.shop.now,
                ).attempts
            )

    def goes_on(self) -> None:
        """Told that it did not work, they do it again; what was lost is found meanwhile."""
        if not PaymentMethod.objects.exists():
            self.happens()
        self.shop.works()

    def ends(self) -> None:
        """One method is charged from now on, and what was owed is paid once."""
        assert PaymentMethod.objects.usable().filter(is_default=True).count() == 1
        assert Invoice.objects.get().status == InvoiceStatus.PAID
        assert [minor for _, minor in self.till.taken()] == [25_00]

    def _collect(self, attempts: object) -> None:
        assert isinstance(attempts, list)
        for attempt_id in attempts:
            assert isinstance(attempt_id, UUID)
            payments.collect(attempt_id, now=self.shop.now)


VERBS: Final[dict[str, type[Charging | Refunding | SettingUp]]] = {
    "charge": Charging,
    "refund": Refunding,
    "setup": SettingUp,
}
