"""Charges that are open: asked about, withdrawn, or decided by a person."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import tasks
from billing.models import CustomerNotice, JournalEntry, Payment, PaymentAttempt, Refund
from billing.services import payments, refunds
from customers.models import Customer, User
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, change, changelist
from tests.services.paying import state
from tests.services.returning import bills, pays, refund
from tests.world import World

pytestmark = pytest.mark.django_db

ACTIONS = ("was_taken", "was_not_taken", "ask_now", "withdraw")


@pytest.fixture
def carol(world: World) -> Customer:
    """A customer who pays by card."""
    return world.at("2026-04-01").customer("carol")


def attempted(world: World, customer: Customer, token: str) -> PaymentAttempt:
    """A charge with that outcome."""
    return pays(world, customer, "100.00", token=token).attempts.get()


def undecided(world: World, customer: Customer) -> PaymentAttempt:
    """A charge that its gateway gives no answer about."""
    attempt = attempted(world, customer, "tok_unavailable")
    PaymentAttempt.objects.filter(pk=attempt.pk).update(is_undecided=True)
    attempt.refresh_from_db()
    return attempt


def offered(browser: Client, attempt: PaymentAttempt) -> set[str]:
    page = browser.get(change(attempt)).content.decode()
    return {name for name in ACTIONS if action(attempt, name) in page}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, str]]:
    """What is left to the workers."""
    found: list[tuple[object, str]] = []
    monkeypatch.setattr(tasks, "soon", lambda task, **said: found.append((task, *said.values())))
    return found


def test_an_operator_found_the_charge_at_the_gateway(
    world: World, carol: Customer, operator: Client
) -> None:
    attempt = undecided(world, carol)
    assert offered(operator, attempt) == {"was_taken", "was_not_taken", "ask_now"}

    said = act(operator, attempt, "was_taken", external_id="ch.found")

    assert said == ["100.00 USD was taken."]
    attempt.refresh_from_db()
    assert (attempt.status, attempt.external_id) == ("SUCCEEDED", "ch.found")
    assert state(attempt.invoice) == ("PAID", "0.00")
    assert Payment.objects.get().attempt == attempt
    me = User.objects.get(email="root@example.org")
    assert JournalEntry.objects.get(kind="ATTEMPT_DECIDED").context["by"] == f"user:{me.pk}"
    assert offered(operator, attempt) == set()


def test_an_operator_found_no_charge(world: World, carol: Customer, operator: Client) -> None:
    attempt = undecided(world, carol)
    blank = operator.post(action(attempt, "was_taken"), {"_form_submitted": "on"})
    assert b"This field is required." in blank.content

    assert act(operator, attempt, "was_not_taken") == ["100.00 USD was not taken."]

    attempt.refresh_from_db()
    assert (attempt.status, attempt.decline_code) == ("FAILED", "not_taken")
    assert act(operator, attempt, "was_not_taken") == ["What became of it is known."]


def test_undecided_charges_are_found(world: World, carol: Customer, operator: Client) -> None:
    attempt = undecided(world, carol)

    listed = operator.get(f"{changelist(PaymentAttempt)}?is_undecided__exact=1")

    assert [row.pk for row in listed.context["cl"].result_list] == [attempt.pk]


def test_the_gateway_is_asked_at_once(
    world: World, carol: Customer, operator: Client, asked: list[tuple[object, str]]
) -> None:
    attempt = undecided(world, carol)
    assert act(operator, attempt, "ask_now") == ["The gateway is being asked."]
    attempt.refresh_from_db()
    assert not attempt.is_undecided
    assert asked == [(tasks.collect, str(attempt.pk))]

    dave = world.customer("dave")
    waiting = attempted(world, dave, "tok_processing")
    assert offered(operator, waiting) == {"ask_now"}
    act(operator, waiting, "ask_now")
    assert asked[1:] == [(tasks.ask_charge, str(waiting.pk))]


def test_what_waits_for_the_payer_is_seen_and_withdrawn(
    world: World, carol: Customer, operator: Client
) -> None:
    attempt = attempted(world, carol, "tok_action")
    page = text_of(operator.get(change(attempt)).content)
    assert "&quot;kind&quot;: &quot;PAGE&quot;" in page
    assert "the default payment method" in page
    assert "your payment waits for you" in page
    assert offered(operator, attempt) == {"ask_now", "withdraw"}

    assert act(operator, attempt, "withdraw") == ["The charge is withdrawn."]

    attempt.refresh_from_db()
    assert (attempt.status, attempt.decline_code) == ("ABANDONED", "withdrawn")


def test_what_was_never_sent_is_withdrawn(world: World, carol: Customer, operator: Client) -> None:
    world.adds_card(carol)
    attempt = payments.charge(bills(world, carol, "5.00").pk, by="test", now=world.now)
    assert attempt is not None
    assert offered(operator, attempt) == {"ask_now", "withdraw"}

    assert act(operator, attempt, "withdraw") == ["The charge is withdrawn."]


def test_what_is_under_way_is_not_withdrawn(
    world: World, carol: Customer, operator: Client
) -> None:
    attempt = attempted(world, carol, "tok_processing")

    assert act(operator, attempt, "withdraw") == ["This payment is under way."]


def test_who_has_no_right_presses_nothing(world: World, carol: Customer, guest: Client) -> None:
    attempt = undecided(world, carol)

    for name in ACTIONS:
        entered = {"_form_submitted": "on", "external_id": "ch.found"}
        assert guest.post(action(attempt, name), entered).status_code == 403
    attempt.refresh_from_db()
    assert attempt.is_undecided


def test_notices_stand_in_the_customers_story(
    world: World, carol: Customer, operator: Client
) -> None:
    attempted(world, carol, "tok_action")
    notice = CustomerNotice.objects.get()

    assert change(notice) in operator.get(change(carol)).content.decode()


def test_a_refund_without_an_answer_is_seen_and_sent_again(
    world: World, carol: Customer, operator: Client, asked: list[tuple[object, str]]
) -> None:
    [row] = refund(world, pays(world, carol, "100.00", token="tok_refund_unavailable"))
    Refund.objects.filter(pk=row.pk).update(is_undecided=True)
    page = text_of(operator.get(change(row)).content)
    assert "The sandbox does not answer for this token." in page
    assert "Needs decision" in page

    assert act(operator, row, "send_again") == ["The gateway is being asked."]

    assert asked == [(tasks.refund, str(row.pk))]
    refunds.collect(row.pk, now=world.now)
    row.refresh_from_db()
    assert (row.status, row.tries, row.is_undecided) == ("UNKNOWN", 2, False)
