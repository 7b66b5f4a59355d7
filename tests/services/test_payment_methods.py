from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from billing.core.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PaymentFailedError,
    UnavailableError,
)
from billing.core.lifecycle import SubscriptionStatus
from billing.gateways.base import (
    GatewayUnavailableError,
    MethodChange,
    MethodDetails,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import CheckoutSession, GatewayCustomer, JournalEntry, PaymentMethod
from billing.services import payment_methods
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from tests import builders
from tests.offering import offer
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db

URLS = ReturnUrls("https://example.org/done/{session}", "https://example.org/back")


class PagedGateway(SandboxGateway):
    """As the in-process gateway, but with a page to visit."""

    def __init__(self) -> None:
        self.asked: list[SetupRequest] = []

    def start_setup(self, request: SetupRequest) -> Setup:
        self.asked.append(request)
        if request.token is not None:
            return super().start_setup(request)
        return Setup(
            request.reference,
            f"cs_{request.reference}",
            SetupStatus.OPEN,
            f"cus_{request.anonymous_id}",
            "/page",
        )


def completed(session: CheckoutSession, last4: str = "4242") -> Setup:
    card = MethodDetails(f"pm_{session.pk}", "card", "visa", last4, 12, 2030)
    return Setup(str(session.pk), f"cs_{session.pk}", SetupStatus.COMPLETED, "cus_1", method=card)


def start(customer: Customer, now: datetime) -> CheckoutSession:
    return payment_methods.start_checkout(customer, urls=URLS, now=now).session


@pytest.fixture(autouse=True)
def gateway(monkeypatch: pytest.MonkeyPatch) -> PagedGateway:
    """The only one there is."""
    there = PagedGateway()
    offer(monkeypatch, there)
    return there


def test_a_visit_is_open_until_the_gateway_says_otherwise(
    world: World, gateway: PagedGateway
) -> None:
    alice = world.at("2026-04-01").customer("alice")
    session = start(alice, world.now)

    assert (session.status, session.url) == ("OPEN", "/page")
    assert not PaymentMethod.objects.exists()
    assert gateway.asked[0].anonymous_id == alice.anonymous_id
    assert gateway.asked[0].success_url == f"https://example.org/done/{session.pk}"


@pytest.mark.django_db(transaction=True)
def test_hearing_of_a_completed_visit_again_changes_nothing(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    session = start(alice, world.now)

    at_once(
        *(
            lambda: payment_methods.settle(session.pk, setup=completed(session), now=world.now)
            for _ in range(5)
        )
    )

    method = PaymentMethod.objects.get()
    assert (str(method), method.is_default) == ("Visa •••• 4242", True)
    assert GatewayCustomer.objects.get().external_id == f"cus_{alice.anonymous_id}"
    assert JournalEntry.objects.filter(kind="PAYMENT_METHOD_ADDED").count() == 1


def test_a_visit_that_expired_leaves_no_method(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    session = start(alice, world.now)
    gone = Setup(str(session.pk), f"cs_{session.pk}", SetupStatus.EXPIRED, "cus_1")

    payment_methods.settle(session.pk, setup=gone, now=world.now)

    assert CheckoutSession.objects.get().status == "EXPIRED"
    assert not PaymentMethod.objects.exists()


def test_a_declined_token_is_told(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(PaymentFailedError, match="declined"):
        payment_methods.add(
            alice, token="tok_setup_declined", now=world.now, gateway=builders.sandbox()
        )
    assert not PaymentMethod.objects.exists()


def test_an_unknown_token_is_told(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with pytest.raises(InvalidError):
        payment_methods.add(alice, token="tok_?", now=world.now, gateway=builders.sandbox())


def test_a_gateway_that_is_down_is_told_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.at("2026-04-01").customer("alice")

    def down(_self: PagedGateway, _request: SetupRequest) -> Setup:
        raise GatewayUnavailableError("no answer")

    monkeypatch.setattr(PagedGateway, "start_setup", down)
    with pytest.raises(UnavailableError):
        start(alice, world.now)


def test_the_card_just_chosen_is_the_default_and_a_token_only_if_asked(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    first = start(alice, world.now)
    payment_methods.settle(first.pk, setup=completed(first, "1111"), now=world.now)
    second = start(alice, world.now)
    payment_methods.settle(second.pk, setup=completed(second, "2222"), now=world.now)
    payment_methods.add(alice, token="tok_ok", now=world.now, gateway=builders.sandbox())

    assert PaymentMethod.objects.get(is_default=True).last4 == "2222"
    assert PaymentMethod.objects.count() == 3


def test_removing_the_default_hands_over_to_the_newest_other(world: World) -> None:
    alice = world.at("2026-04-01").signs_up("alice", "Premium")
    world.adds_card(alice)
    world.at("2026-04-02").adds_card(alice, "tok_insufficient_funds")
    default = PaymentMethod.objects.get(is_default=True)

    payment_methods.remove(default.pk, by="test", now=world.now)

    assert PaymentMethod.objects.get(is_default=True).last4 == "4242"
    with pytest.raises(NotFoundError):
        payment_methods.remove(default.pk, by="test", now=world.now)


def test_the_last_card_of_a_running_subscription_stays(world: World) -> None:
    alice = world.at("2026-03-28").signs_up("alice", "Premium")
    world.adds_card(alice)
    world.at("2026-04-12")
    assert world.subscription(alice).status == SubscriptionStatus.ACTIVE

    with pytest.raises(ConflictError) as refused:
        payment_methods.remove(PaymentMethod.objects.get().pk, by="test", now=world.now)

    assert refused.value.code == "payment_method_needed"


def test_what_the_network_changed_is_taken_over(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    method = PaymentMethod.objects.get()
    renewed = MethodDetails(method.external_id, "card", "visa", "4242", 1, 2035)

    payment_methods.follow(
        MethodChange(method.external_id, renewed), gateway="sandbox", now=world.now
    )
    assert PaymentMethod.objects.get().exp_year == 2035

    payment_methods.follow(MethodChange(method.external_id, None), gateway="sandbox", now=world.now)
    assert PaymentMethod.objects.get().removed_at == world.now


def test_a_change_of_a_strangers_method_is_ignored(world: World) -> None:
    world.at("2026-04-01")
    assert (
        payment_methods.follow(MethodChange("pm_x", None), gateway="sandbox", now=world.now) is None
    )


def test_a_card_after_the_trial_begins_the_cycle_at_once(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-20 12:00").adds_card(alice)

    subscription = world.subscription(alice)
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert world.period(alice) == ("2026-04-20 12:00", "2026-05-01 00:00")


def test_changing_ones_mind_in_the_same_instant(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.adds_card(alice)
    first, second = PaymentMethod.objects.order_by("pk")
    for method in (first, second, first, second, first):
        payment_methods.make_default(method.pk, by="test", now=world.now)
    assert PaymentMethod.objects.get(is_default=True) == first


@pytest.mark.django_db(transaction=True)
def test_one_of_two_removals_is_told_that_it_is_gone(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    world.adds_card(alice)
    method = PaymentMethod.objects.get(is_default=True)

    outcomes = at_once(
        *(lambda: payment_methods.remove(method.pk, by="test", now=world.now) for _ in range(2))
    )

    assert sum(isinstance(outcome, NotFoundError) for outcome in outcomes) == 1
    assert JournalEntry.objects.filter(kind="PAYMENT_METHOD_REMOVED").count() == 1
    assert PaymentMethod.objects.filter(is_default=True).count() == 1


def test_nobody_takes_over_another_customers_method(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    first = start(alice, world.now)
    payment_methods.settle(first.pk, setup=completed(first), now=world.now)
    second = start(world.customer("bob"), world.now)
    stolen = replace(completed(second), method=completed(first).method)

    with pytest.raises(ConflictError) as refused:
        payment_methods.settle(second.pk, setup=stolen, now=world.now)

    assert refused.value.code == "payment_method_taken"
    assert PaymentMethod.objects.get().customer == alice


def test_every_change_is_another_version(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice)
    first = PaymentMethod.objects.get()
    assert first.version == 1
    world.adds_card(alice)

    first.refresh_from_db()
    assert (first.version, first.is_default) == (2, False)
    with pytest.raises(ConflictError) as refused:
        payment_methods.make_default(first.pk, by="test", now=world.now, expected_version=1)
    assert refused.value.code == "version_mismatch"
    payment_methods.make_default(first.pk, by="test", now=world.now, expected_version=2)
