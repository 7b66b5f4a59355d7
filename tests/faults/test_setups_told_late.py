"""Set-ups whose answer was lost, and of which the gateway tells when they no longer matter."""

from __future__ import annotations

from contextlib import suppress

import pytest

from billing import tasks
from billing.core.errors import UnavailableError
from billing.models import CheckoutSession, Invoice, PaymentAttempt, PaymentMethod
from billing.models.payment import CheckoutStatus
from billing.services import payment_methods, sweep
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from tests.faults.conftest import Stripe, keys
from tests.faults.shop import Shop
from tests.faults.telling import hear, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(shop: Shop, stripe: Stripe) -> Customer:
    shop.offers(stripe.gateway)
    return shop.customer()


def lost(shop: Shop, stripe: Stripe, customer: Customer, token: str) -> None:
    stripe.stand_in.fail("POST /v1/setup_intents", action="cut", moment="after", times=3)
    with pytest.raises(UnavailableError):
        payment_methods.add(customer, token=token, gateway="stripe", now=shop.now)


def a_card(stripe: Stripe) -> str:
    """A payment method as a browser makes it: the same whoever sends it, and how often."""
    made = stripe.till.client.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_visa"}}
    )
    return made.id


def test_the_same_card_again_is_one_method(shop: Shop, stripe: Stripe, alice: Customer) -> None:
    token = a_card(stripe)
    lost(shop, stripe, alice, token)

    method = shop.card(alice, token)
    hear(shop, told(stripe))
    tasks.reconcile()

    assert PaymentMethod.objects.get() == method
    assert {row.status for row in CheckoutSession.objects.all()} == {CheckoutStatus.COMPLETED}


@pytest.mark.parametrize("told_by", ["notification", "comparing"])
def test_a_card_that_was_removed_meanwhile_stays_removed_and_is_not_charged(
    shop: Shop, stripe: Stripe, alice: Customer, told_by: str
) -> None:
    token = a_card(stripe)
    lost(shop, stripe, alice, token)
    method = shop.card(alice, token)
    payment_methods.remove(method.pk, by="alice", now=shop.now)
    shop.bills(alice)
    shop.later(hours=20)

    if told_by == "notification":
        hear(shop, told(stripe))
    else:
        tasks.reconcile()
    shop.works()

    assert not PaymentMethod.objects.usable().exists()
    assert not PaymentAttempt.objects.exists()
    assert not stripe.till.taken()


def test_a_card_that_was_removed_can_be_added_again(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    token = a_card(stripe)
    method = shop.card(alice, token)
    payment_methods.remove(method.pk, by="alice", now=shop.now)

    assert shop.card(alice, token) == method
    assert PaymentMethod.objects.usable().get().is_default


def test_a_visit_that_got_no_answer_is_not_asked_about_for_ever(
    shop: Shop, stripe: Stripe, alice: Customer
) -> None:
    lost(shop, stripe, alice, a_card(stripe))
    shop.later(minutes=3)
    [session_id] = sweep.sweep(now=shop.now).visits

    shop.sweeps()

    assert sweep.sweep(now=shop.now).visits == []
    assert CheckoutSession.objects.get().pk == session_id
    shop.later(days=5)
    shop.sweeps()
    shop.later(days=5)
    assert sweep.sweep(now=shop.now).visits == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_failure_over_naming_the_customer_keeps_nobody_from_paying(
    shop: Shop, stripe: Stripe, alice: Customer, moment: str
) -> None:
    """Stripe repeats for a day what it first answered under a key, its own failures too."""
    shop.bills(alice)
    stripe.stand_in.fail("POST /v1/customers", action="500", moment=moment)

    for _ in range(2):
        with suppress(UnavailableError):
            settled = payment_methods.add(
                alice, token="pm_card_visa", gateway="stripe", now=shop.now
            )
            break
    else:
        pytest.fail(f"No card could be added; asked under {keys(stripe, '/v1/customers')}.")
    tasks.collect_soon(settled.attempts)

    assert Invoice.objects.get().status == "PAID"


@pytest.mark.parametrize(
    "fault",
    [("500", "before"), ("500", "after"), ("429", "before"), ("cut", "before"), ("cut", "after")],
)
def test_a_page_that_could_not_be_opened_is_opened_again_and_pays_once(
    shop: Shop, stripe: Stripe, alice: Customer, fault: tuple[str, str]
) -> None:
    action, moment = fault
    shop.bills(alice)
    times = 3 if action == "cut" else 1
    stripe.stand_in.fail("POST /v1/checkout/sessions", action=action, moment=moment, times=times)
    urls = ReturnUrls("http://localhost/{session}/", "http://localhost/")
    with pytest.raises(UnavailableError):
        payment_methods.start_checkout(alice, urls=urls, now=shop.now)

    page = payment_methods.start_checkout(alice, urls=urls, now=shop.now).session.url
    stripe.stand_in.fill_in(page, "4242 4242 4242 4242")
    hear(shop, told(stripe))
    tasks.reconcile()
    shop.later(minutes=10)
    shop.works()

    assert PaymentMethod.objects.count() == 1
    assert Invoice.objects.get().status == "PAID"
    assert len(stripe.till.taken()) == 1
