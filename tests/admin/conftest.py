"""A story's worth of rows, and the people who look at them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.test import Client

from billing.gateways.base import Notification
from billing.models import ApiRequest, ApiToken, GatewayEvent, TaxRate
from billing.services import gateway_events, tokens
from customers import services as customer_services
from customers.models import Customer, User
from plans.models import Feature
from tests.world import World

CLIENT_SECRET = "pi_1_secret_never_to_be_seen"


@dataclass
class Story:
    """Alice pays, Bob's card is declined, Charlie is still on trial."""

    world: World
    alice: Customer
    bob: Customer
    charlie: Customer
    token: ApiToken
    event: GatewayEvent


@pytest.fixture(scope="module")
def _told(lasting: None) -> Story:
    """Two months of three customers."""
    world = World()
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    bob = world.signs_up("bob", "Basic")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.adds_card(bob, "tok_declined")
    world.at("2026-04-20 10:00").uses(alice, 300)
    charlie = world.at("2026-05-02 10:00").signs_up("charlie", "Gold")
    world.uses(alice, 450)
    world.uses(world.customer("dora"), 7)
    token, _ = tokens.issue("accounting", now=world.now, customer=alice)
    ApiRequest.objects.create(
        token=token, key="key-1", fingerprint="f", body="hidden answer", created_at=world.now
    )
    Feature.objects.create(code="export")
    numbers = [("eu_vat", "DE136695976")]
    customer_services.set_tax_ids(alice.pk, numbers, by="test", now=world.now)
    TaxRate.objects.get_or_create(
        country="DE", percent=Decimal(19), starts_on=date(2021, 1, 1), defaults={"source": "UStG"}
    )
    _mirror_an_intent()
    return Story(world, alice, bob, charlie, token, _notification(alice))


@pytest.fixture
def story(_told: Story, db: None) -> Story:
    """As it was told; each test undoes what it adds."""
    return deepcopy(_told)


@pytest.fixture
def alice(world: World) -> Customer:
    """On Basic, 10.00 a month in advance and paid; half of April is over."""
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.sells("Start", "10.00")
    world.sells("Pro", "30.00")
    world.sells("Team", "10.00", quantity_unit="seat")
    world.subscribes(alice, "Start")
    world.at("2026-04-16")
    return alice


@pytest.fixture
def operator(db: None) -> Client:
    """A superuser's browser."""
    return signed_in(User.objects.create_superuser("root@example.org", "secret"))


@pytest.fixture
def guest(db: None) -> Client:
    """A member of staff without any right."""
    return signed_in(User.objects.create_user("guest@example.org", "secret", is_staff=True))


def signed_in(user: User) -> Client:
    """Their browser."""
    client = Client()
    client.force_login(user)
    return client


def _notification(customer: Customer) -> GatewayEvent:
    event_id = gateway_events.receive(
        Notification(
            event_id="evt_1",
            kind="charge.succeeded",
            object_type="charge",
            object_id="ch.tok_ok.unknown",
            occurred_at=datetime(2026, 5, 1, tzinfo=UTC),
        ),
        gateway="sandbox",
        now=customer.lives_at(datetime.now(UTC)),
    )
    assert event_id is not None
    return GatewayEvent.objects.get(pk=event_id)


def _mirror_an_intent() -> None:
    apps.get_model("djstripe", "PaymentIntent").objects.create(
        id="pi_1",
        livemode=False,
        created=datetime(2026, 5, 1, tzinfo=UTC),
        stripe_data={
            "id": "pi_1",
            "object": "payment_intent",
            "amount": 1000,
            "client_secret": CLIENT_SECRET,
        },
    )
