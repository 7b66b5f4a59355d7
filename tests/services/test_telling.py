from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import mail

from billing.core.changes import Act
from billing.models import CustomerNotice, PaymentMethod
from billing.services import notices, payment_methods, schedule, subscriptions, sweep, telling
from billing.services.schedule import Wish
from customers.models import Customer
from plans.terms import ChangeTime
from tests import builders
from tests.world import World

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 10, 9, tzinfo=UTC)


def subscriber(world: World, name: str, expires: tuple[int, int]) -> Customer:
    """In real time, on a plan, with a card that is good until then."""
    customer = builders.make_customer(name, now=NOW)
    subscriptions.start(customer.pk, world.plan("Basic"), by="test", now=NOW)
    payment_methods.add(customer, token="tok_ok", now=NOW, gateway="sandbox")
    month, year = expires
    PaymentMethod.objects.filter(customer=customer).update(exp_month=month, exp_year=year)
    return customer


def told() -> list[tuple[str, str]]:
    rows = CustomerNotice.objects.order_by("created_at", "pk")
    return [(row.customer.organization_id, row.subject) for row in rows]


def test_who_pays_with_a_card_that_expires_soon_is_told_once(world: World) -> None:
    subscriber(world, "alice", (4, 2026))

    assert telling.expiring_methods(now=NOW) == 1
    assert telling.expiring_methods(now=NOW) == 0

    assert told() == [("alice", "Visa •••• 4242 expires soon")]
    (notice_id,) = sweep.sweep(now=NOW).told
    assert notices.tell(notice_id, now=NOW)
    assert sweep.sweep(now=NOW).told == []
    assert "good until 04/2026" in str(mail.outbox[0].body)


@pytest.mark.parametrize(
    ("expires", "is_told"),
    [((3, 2026), False), ((4, 2026), True), ((5, 2026), False), ((4, 2027), False)],
)
def test_a_card_is_good_until_the_end_of_its_month(
    world: World, expires: tuple[int, int], *, is_told: bool
) -> None:
    subscriber(world, "alice", expires)

    assert telling.expiring_methods(now=NOW) == is_told


def test_a_new_date_is_told_of_anew(world: World) -> None:
    alice = subscriber(world, "alice", (4, 2026))
    telling.expiring_methods(now=NOW)

    PaymentMethod.objects.filter(customer=alice).update(exp_month=5)

    assert telling.expiring_methods(now=datetime(2026, 5, 2, tzinfo=UTC)) == 1


def test_who_pays_nothing_is_not_told(world: World) -> None:
    alice = subscriber(world, "alice", (4, 2026))
    subscription = world.subscription(alice)
    schedule.change(subscription.pk, Wish(when=ChangeTime.NOW, act=Act.CANCEL), by="test", now=NOW)

    assert telling.expiring_methods(now=NOW) == 0
