"""A gateway that does not answer is left alone, probed, and taken up again; nothing is lost."""

from __future__ import annotations

from functools import partial

import pytest

from billing import tasks
from billing.core.lifecycle import AttemptStatus
from billing.gateways.base import GatewayUnavailableError
from billing.gateways.stripe.gateway import StripeGateway
from billing.models import (
    CheckoutSession,
    GatewayCall,
    GatewayEvent,
    GatewayRoute,
    PaymentAttempt,
)
from billing.services import routes
from billing.services.gateway_events import MAX_TRIES
from customers.models import Customer
from tests.faults.conftest import Stripe
from tests.faults.moody import Mood, MoodyGateway
from tests.faults.shop import Shop, states
from tests.faults.telling import hear, told
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alpha(shop: Shop) -> MoodyGateway:
    there = MoodyGateway("alpha")
    shop.offers(there)
    return there


@pytest.fixture
def alice(shop: Shop, alpha: MoodyGateway) -> Customer:
    alice = shop.customer()
    shop.card(alice, "tok_ok", gateway="alpha")
    return alice


def opened(shop: Shop, alice: Customer, alpha: MoodyGateway, mood: Mood = Mood.DEAF) -> None:
    """Five calls that nobody heard."""
    alpha.mood = mood
    for _ in range(5):
        assert not GatewayRoute.objects.filter(opened_at__isnull=False).exists()
        shop.charges(alice)
    assert GatewayRoute.objects.get().opened_at is not None


def test_after_five_failures_in_a_row_calls_are_held_back(
    shop: Shop, alice: Customer, alpha: MoodyGateway
) -> None:
    opened(shop, alice, alpha)

    held = shop.charges(alice)

    assert len(alpha.asked) == 5
    assert (held.status, held.sent_at) == (AttemptStatus.CREATED, None)
    assert GatewayCall.objects.filter(verb="charge").count() == 5


def test_an_answer_in_between_begins_the_count_anew(
    shop: Shop, alice: Customer, alpha: MoodyGateway
) -> None:
    for mood in [Mood.DEAF] * 4 + [Mood.POOR] + [Mood.DEAF] * 4:
        alpha.mood = mood
        shop.charges(alice)

    assert GatewayRoute.objects.get().opened_at is None


@pytest.mark.parametrize("mood", [Mood.DEAF, Mood.GREEDY])
def test_one_call_goes_through_to_see_and_the_others_wait_on(
    shop: Shop, alice: Customer, alpha: MoodyGateway, mood: Mood
) -> None:
    opened(shop, alice, alpha, mood)
    alpha.mood, asked = Mood.DEAF, len(alpha.asked)
    waiting = list(PaymentAttempt.objects.all())
    shop.later(seconds=31)

    at_once(*(partial(shop.sends, row) for row in waiting))

    assert len(alpha.asked) == asked + 1
    shop.later(seconds=31)  # it is left alone for twice as long now
    at_once(*(partial(shop.sends, row) for row in waiting))
    assert len(alpha.asked) == asked + 1


@pytest.mark.parametrize("mood", [Mood.DEAF, Mood.SILENT, Mood.GREEDY])
def test_once_it_answers_all_that_waited_is_charged_once(
    shop: Shop, alice: Customer, alpha: MoodyGateway, mood: Mood
) -> None:
    opened(shop, alice, alpha, mood)
    shop.charges(alice)
    alpha.mood = Mood.GOOD
    shop.later(minutes=11)

    shop.sweeps()

    route = GatewayRoute.objects.get()
    assert (route.failures, route.opened_at, route.probe_at) == (0, None, None)
    shop.works()
    assert states() == [AttemptStatus.SUCCEEDED] * 6
    assert len(alpha.taken) == 6
    known = {str(pk) for pk in PaymentAttempt.objects.values_list("pk", flat=True)}
    assert set(alpha.taken) == set(alpha.asked) == known


def test_while_it_is_left_alone_others_are_asked_where_operators_allow_that(
    shop: Shop, alice: Customer, alpha: MoodyGateway
) -> None:
    beta = MoodyGateway("beta", priority=60)
    shop.offers(alpha, beta)
    shop.card(alice, "tok_ok", gateway="beta")
    opened(shop, alice, alpha)
    assert shop.charges(alice).status == AttemptStatus.CREATED
    routes.update("alpha", {"has_failover": True}, by="olga", now=shop.now)

    paid = shop.charges(alice)

    assert (paid.gateway, paid.status) == ("beta", AttemptStatus.SUCCEEDED)
    assert paid.route_reason == "alpha does not answer; the next payment method"
    assert len(alpha.asked) == 5
    alpha.mood = Mood.GOOD
    shop.later(minutes=11)
    shop.works()
    assert shop.charges(alice).gateway == "alpha"
    assert (
        len(set(alpha.taken) | set(beta.taken))
        == PaymentAttempt.objects.filter(status=AttemptStatus.SUCCEEDED).count()
        == 8
    )


def test_while_it_is_left_alone_methods_are_set_up_elsewhere(
    shop: Shop, alice: Customer, alpha: MoodyGateway
) -> None:
    shop.offers(alpha, MoodyGateway("beta", priority=60))
    assert shop.card(alice, "tok_ok", gateway="").gateway == "alpha"
    opened(shop, alice, alpha)

    assert shop.card(alice, "tok_ok", gateway="").gateway == "beta"

    reason = CheckoutSession.objects.latest("created_at").route_reason
    assert reason == "alpha does not answer; first by priority (60)"


def test_a_long_silence_does_not_use_up_the_notifications_that_wait(
    shop: Shop, stripe: Stripe
) -> None:
    """An hour of it, and the sweeper comes more often than anything is tried."""
    shop.offers(stripe.gateway)
    bob = shop.customer("bob")
    shop.card(bob, "pm_card_visa")
    shop.charges(bob)
    known = told(stripe)

    def silent(*_: object) -> None:
        raise GatewayUnavailableError("no answer")

    with shop.patching() as patch:
        patch.setattr(StripeGateway, "fetch", silent)
        hear(shop, known)
        waiting = list(GatewayEvent.objects.values_list("pk", flat=True))
        for _ in range(MAX_TRIES + 10):
            shop.later(minutes=1)
            tasks.handle_gateway_event(event_id=str(waiting[0]))
    shop.later(minutes=11)

    shop.works()

    assert not GatewayEvent.objects.filter(handled_at=None).exists()
    assert max(GatewayEvent.objects.values_list("tries", flat=True)) < MAX_TRIES / 2
