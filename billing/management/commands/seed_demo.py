"""`manage.py seed_demo`: a catalogue, some people, and three months of their lives.

Nothing is inserted that the engine makes: each customer lives by a test clock from the start of
their story until today, is charged through the gateway, and is then released into real time.
Interrupted, it goes on where it stopped; done, it does nothing.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from billing import clock
from billing.core.crediting import Request
from billing.core.invoicing import Item
from billing.core.money import Money
from billing.core.tax_policies import TaxPolicyKind
from billing.models import (
    ApiToken,
    BillingPeriod,
    BillingProfile,
    CreditGrant,
    Invoice,
    PaymentMethod,
    Seller,
    Subscription,
)
from billing.models.credit import GrantKind
from billing.models.credit_note import CreditReason
from billing.services import (
    credit_notes,
    customers,
    grants,
    incoming,
    invoices,
    payment_methods,
    subscriptions,
    test_clocks,
    tokens,
    usage,
)
from billing.services.credit import Gift
from billing.services.credit_notes import Order
from billing.services.incoming import Incoming
from billing.services.usage import Report
from customers import services as customer_services
from customers.models import Customer, User
from plans import services as plan_services
from plans.models import Meter, Plan
from plans.prices import Price, UsageModel
from plans.terms import Alignment, PlanTerms, UsageTerms

BY: Final = "demo"
METER: Final = "api_calls"

# Seed 003: tier, name, base charge, included units, price above.
TIERS: Final = [
    (1, "Basic", "50", "100", "2.25"),
    (2, "Premium", "180", "400", "1.80"),
    (3, "Silver", "350", "900", "1.50"),
    (4, "Gold", "600", "1500", "1.25"),
]


@dataclass(frozen=True, slots=True)
class Story:
    """One customer's life.

    :param days_ago: when they signed up.
    :param card_after: days from then until they enter a card; None for never.
    :param daily: units used on a day, before the week's rhythm.
    """

    organization_id: str
    name: str
    plan: str
    days_ago: int
    card_after: int | None
    token: str
    daily: int
    country: str = "US"


STORIES: Final = [
    Story("wonderland", "Wonderland Ltd", "Premium", 104, 17, "pm_card_visa", 16, "GB"),
    Story("looking-glass", "Looking-Glass Inc", "Gold", 97, 3, "pm_card_mastercard", 55),
    Story("jabberwock", "Jabberwock GmbH", "Silver", 101, 20, "pm_card_amex", 24, "DE"),
    Story("cheshire", "Cheshire & Co", "Basic", 95, 14, "pm_card_chargeCustomerFail", 4),
    Story("dormouse", "Dormouse LLC", "Basic", 40, None, "", 2),
    Story("hatter", "Hatter SARL", "Premium", 5, None, "", 12, "FR"),
]


BRITISH: Final[dict[str, Any]] = {
    "name": "Example Software Ltd",
    "line1": "1 Main Street",
    "city": "London",
    "postal_code": "N1 1AA",
    "country": "GB",
    "footer": "A demonstration: nobody sells anything here.",
}
GERMAN: Final[dict[str, Any]] = {
    "name": "Beispiel Software GmbH",
    "line1": "Hauptstraße 1",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
    "vat_id": "DE136695976",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "tax_policy": TaxPolicyKind.EU_VAT,
    "is_oss_registered": True,
    "footer": "A demonstration: nobody sells anything here.",
}
EUROPEAN: Final = frozenset({"DE", "FR"})


class Command(BaseCommand):
    """Fill an empty Bursar with a demonstration."""

    help = "Fill an empty Bursar with a catalogue and customers with three months of history."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--output`: where the logins and the token are written, for their owner's eyes only."""
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, then write the logins. A file that is there says that all was done."""
        output: Path = options["output"]
        if output.exists():
            self.stdout.write("The demonstration is there already.")
            return
        now = clock.now()
        _sellers()
        plans = _catalogue(now)
        for number, story in enumerate(STORIES, start=1):
            self._live(story, plans[story.plan], now, f"[{number}/{len(STORIES)}]")
        _operate(now)
        _write_private(output, _logins(now))
        self.stdout.write("Seeded.")

    def _live(self, story: Story, plan: Plan, now: datetime, counter: str) -> None:
        began = now - timedelta(days=story.days_ago)
        customer = _customer(story, began)
        if customer.test_clock is not None:
            for instant in _days(began, now):
                _advance(customer, instant)
                _act(story, plan, customer, (instant - began).days)
            _advance(customer, now)
            test_clocks.release(customer.pk, now=clock.now())
        self.stdout.write(
            f"{counter} {story.name}, {story.plan}: lived from {began:%d %B %Y} until today."
        )
        self.stdout.flush()


def _days(began: datetime, now: datetime) -> Iterator[datetime]:
    instant = began
    while instant < now:
        yield instant
        instant += timedelta(days=1)


def _sellers() -> None:
    """One who charges no tax writes for most; one in the EU, who does, for customers there."""
    Seller.objects.get_or_create(is_default=True, defaults=BRITISH)
    Seller.objects.get_or_create(name=GERMAN["name"], defaults=GERMAN)


def _catalogue(now: datetime) -> dict[str, Plan]:
    Meter.objects.get_or_create(code=METER, defaults={"name": "API calls", "unit": "calls"})
    for tier, name, amount, included, above in TIERS:
        if not Plan.objects.filter(name=name).exists():
            terms = PlanTerms(
                currency="USD",
                amount=Decimal(amount),
                alignment=Alignment.CALENDAR,
                trial_days=14,
                first_day_counts=False,
                usage=(
                    UsageTerms(
                        METER, Price(UsageModel.ALLOWANCE, Decimal(above), Decimal(included))
                    ),
                ),
            )
            plan_services.create(name, terms=terms, by=BY, now=now, listing={"tier": tier})
    return {plan.name: plan for plan in Plan.objects.select_related("current")}


def _customer(story: Story, began: datetime) -> Customer:
    known = Customer.objects.readable().filter(organization_id=story.organization_id).first()
    if known is not None:
        return known
    customer = customers.create(
        story.organization_id,
        fields={
            "name": story.name,
            "email": f"billing@{story.organization_id}.example",
            "country": story.country,
        },
        by=BY,
        now=began,
        test_clock=test_clocks.create(now=began),
    )
    if story.country in EUROPEAN:
        seller = Seller.objects.get(name=GERMAN["name"])
        BillingProfile.objects.get_or_create(customer=customer, defaults={"seller": seller})
    return customer


def _advance(customer: Customer, instant: datetime) -> None:
    if customer.test_clock is not None and instant > customer.test_clock.now:
        customer.test_clock = test_clocks.advance(customer.test_clock.pk, to=instant)


def _act(story: Story, plan: Plan, customer: Customer, day: int) -> None:
    """What the customer does on the `day`-th day; each thing once, however often it is called."""
    now = clock.now()
    present = customer.lives_at(now)
    if day == 0 and not Subscription.objects.filter(customer=customer).exists():
        subscriptions.start(customer.pk, plan, by=BY, now=now)
    if day == story.card_after and not PaymentMethod.objects.filter(customer=customer).exists():
        payment_methods.add(customer, token=story.token, now=now, is_default=True)
    if not BillingPeriod.objects.holding(present).filter(customer=customer).exists():
        return  # between trial and card they have no access, and use nothing
    quantity = story.daily * (3 if present.weekday() < 5 else 1) // 2 + day % 5
    event = Report(
        event_id=f"demo-{day}",
        customer=story.organization_id,
        meter=METER,
        quantity=Decimal(quantity),
        occurred_at=present,
    )
    usage.record([event], now=now)


def _operate(now: datetime) -> None:
    """What operators do by hand: credit for an outage, a workshop that is paid by bank transfer."""
    generous = Customer.objects.get(organization_id="looking-glass")
    if not CreditGrant.objects.filter(customer=generous).exists():
        gift = Gift(
            GrantKind.PROMOTIONAL,
            reason="Sorry for the outage",
            expires_at=now + timedelta(days=90),
            by=BY,
        )
        grants.grant(generous.pk, Money(100_00, "USD"), gift, now=now)
    taught = Customer.objects.get(organization_id="jabberwock")
    if not Invoice.objects.filter(customer=taught, subscription=None).exists():
        _teach(taught, now)


@transaction.atomic
def _teach(customer: Customer, now: datetime) -> None:
    """Two days are billed with tax, paid in part, and a tenth is credited."""
    item = Item("Workshop, per day", Decimal(2), Decimal(450))
    draft = invoices.draft(customer.pk, currency="USD", items=[item], by=BY, now=now)
    invoice = invoices.issue(draft.pk, now=now)
    paid = Money(500_00, "USD")
    came = Incoming("bank_transfer", f"{invoice.number} first half", invoices=[(invoice.pk, paid)])
    incoming.record(customer.pk, paid, came, by=BY, now=now)
    tenth = Request(amount=Money(invoice.total_minor // 10, "USD"))
    order = Order(tenth, reason=CreditReason.DISCOUNT, note="Started late")
    credit_notes.issue(invoice.pk, order, by=BY, now=now)


def _logins(now: datetime) -> dict[str, Any]:
    """Fresh passwords and a fresh token: only this file ever holds them."""
    admin = _user("admin@example.com", is_staff=True, is_superuser=True)
    alice = _user("alice@wonderland.example")
    wonderland = Customer.objects.get(organization_id=STORIES[0].organization_id)
    customer_services.add_member(wonderland, User.objects.get(email=alice["email"]))
    for stale in ApiToken.objects.filter(name="Demo operator"):
        tokens.revoke(stale, now=now)
    _, text = tokens.issue("Demo operator", now=now)
    return {"admin": admin, "customer": alice, "operator_token": text}


def _user(email: str, **rights: bool) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user, _ = User.objects.get_or_create(email=email, defaults=rights)
    user.set_password(password)
    user.save()
    return {"email": email, "password": password}


def _write_private(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, and readable by nobody else."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    draft.replace(path)
