"""The billing home: what a customer is told at each stage of their life."""

from __future__ import annotations

import pytest

from billing.gateways.base import MethodChange
from billing.models import PaymentMethod
from billing.services import payment_methods
from customers.models import Customer
from tests.services.dunned import made
from tests.web.conftest import Browser, People, queries_of

pytestmark = pytest.mark.django_db(transaction=True)

HOME = "/billing/"


def test_a_trial_says_until_when_and_that_nothing_is_charged(people: People) -> None:
    _, alice = people.signs_up("alice")

    page = alice.get(HOME)

    assert "Trial until 25 April 2026, 14 days left." in page.text
    assert "No card needed, nothing is charged." in page.text
    assert "You can use the service." in page.text
    assert "Add a card" in page.text


def test_a_trial_with_a_card_says_what_the_first_charge_will_be(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)

    page = alice.get(HOME)

    assert "afterwards your plan goes on with Visa •••• 4242" in page.text
    assert "On 1 May 2026, as things stand: about $30.00" in page.text
    assert "180.00 × 5/30 days = 30.00 USD" in page.text


def test_a_trial_that_is_over_waits_for_a_card(people: People) -> None:
    _, alice = people.signs_up("alice")
    people.world.at("2026-04-26 10:00")

    page = alice.get(HOME)

    assert "Waiting for a payment method: your trial ended on 25 April 2026." in page.text
    assert "You cannot use the service: your plan needs a payment method." in page.text
    assert (
        "Should you add a payment method today, the first charge comes on 1 May 2026:" in page.text
    )
    assert "about $24.00" in page.text


def test_usage_stands_against_the_prorated_allowance(people: People) -> None:
    customer, alice = _active(people)
    people.world.at("2026-04-30 10:00").uses(customer, 300)

    page = alice.get(HOME)

    assert "300 used of 66.66… included (400 × 5/30 days)" in page.text
    assert "about $450.00" in page.text  # 30.00, and 233.33… above at 1.80
    assert "300 used − 66.66… included (400 × 5/30 days) = 233.33… × 1.80 = 420.00 USD" in page.text
    assert "Visa •••• 4242, expires 12/2040" in page.text
    assert len([a for a in page.all("svg") if a.get("role") == "img"]) == 1


def test_the_table_has_the_figures_of_the_chart(people: People) -> None:
    customer, alice = _active(people)
    people.world.at("2026-04-27 10:00").uses(customer, 30)
    people.world.at("2026-04-29 10:00").uses(customer, 12)

    page = alice.get(HOME)

    assert "27 April 30 30 28 April 0 30 29 April 12 42" in page.text


def test_usage_of_the_trials_last_morning_is_not_counted_in_the_first_period(
    people: People,
) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.at("2026-04-25 08:00").uses(customer, 1000)
    people.world.at("2026-04-25 11:00").uses(customer, 7)

    page = alice.get(HOME)

    assert "7 used of 66.66… included" in page.text
    assert "25 April 7 7" in page.text


def test_a_declined_payment_says_what_happens_next(people: People) -> None:
    alice = _declined(people)

    page = alice.get(HOME)

    assert "A payment failed on 1 May 2026." in page.text
    assert "You keep access until 8 May 2026, 00:00 UTC." in page.text
    assert "We try again on 2 May 2026, 00:00 UTC" in page.text
    assert "Invoice INV-000001 over $30.00 is not paid." in page.text
    assert "You can still use the service." in page.text


def test_a_running_plan_whose_card_is_gone_asks_for_another(people: People) -> None:
    _, alice = _active(people)
    method = PaymentMethod.objects.get()
    gone = MethodChange(method.external_id, None)
    payment_methods.follow(gone, gateway="sandbox", now=people.world.now)

    page = alice.get(HOME)

    assert "Please add a payment method: there is none." in page.text
    assert "about $30.00" in page.text


def test_a_plan_that_is_canceled_says_when_it_ends(people: People) -> None:
    customer, alice = _active(people)
    people.world.cancels(customer)

    page = alice.get(HOME)

    assert "Your plan ends on 1 May 2026." in page.text


def test_days_are_the_customers_own(people: People) -> None:
    customer = people.world.signs_up("alice", "Premium", timezone="Asia/Tokyo")
    alice = people.person("alice", customer)
    people.world.adds_card(customer)
    people.world.at("2026-04-30 16:00")

    assert "Your present: 1 May 2026, 01:00 JST" in alice.get(HOME).text


def test_who_has_no_customer_is_offered_the_plans(people: People) -> None:
    page = people.person("dora").get(HOME)

    assert page.path == "/plans/"
    assert "Choose a plan to begin" in page.text


def test_a_plan_may_be_chosen_later(people: People) -> None:
    dora = people.person("dora")
    plan = people.world.plan("Premium")

    page = dora.post(f"/plans/{plan.pk}/start/")

    assert page.path == HOME
    assert "Free trial" in page.text


def test_a_second_plan_cannot_be_chosen(people: People) -> None:
    _, alice = people.signs_up("alice")

    page = alice.post(f"/plans/{people.world.plan('Gold').pk}/start/")

    assert "There is a subscription already." in page.text


def test_who_is_not_signed_in_signs_in_first() -> None:
    assert Browser().get(HOME).path == "/accounts/login/"


def test_somebody_may_act_for_several_customers(people: People) -> None:
    first, second = people.world.signs_up("alice", "Premium"), people.world.signs_up("acme", "Gold")
    bob = people.person("bob", first, second)
    assert "Premium" in bob.get(HOME).text

    page = bob.post("/billing/switch/", customer=str(second.pk))

    assert "Gold Free trial" in page.text


def test_nobody_switches_to_a_customer_of_others(people: People) -> None:
    alices, _ = people.signs_up("alice")
    _, bob = people.signs_up("bob", "Basic")

    page = bob.post("/billing/switch/", customer=str(alices.pk))

    assert "There is no such customer among yours." in page.text
    assert "Basic Free trial" in page.text


def test_the_home_costs_the_same_reads_however_much_there_is(people: People) -> None:
    customer, alice = _active(people)
    before = queries_of(alice, HOME)
    for day in ("2026-05-02", "2026-05-03", "2026-06-02", "2026-07-02"):
        people.world.at(day).uses(customer, 40)

    assert queries_of(alice, HOME) == before <= 14


def _active(people: People) -> tuple[Customer, Browser]:
    customer, browser = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.at("2026-04-26 10:00")
    return customer, browser


def _declined(people: People) -> Browser:
    customer, browser = people.signs_up("alice")
    people.world.adds_card(customer, "tok_declined")
    people.world.at("2026-05-01 12:00")
    return browser


def test_what_is_overdue_says_what_was_tried_and_what_comes(people: People) -> None:
    made()
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_insufficient_funds")
    people.world.at("2026-05-04")

    page = alice.get(HOME)

    assert "A payment failed on 1 May 2026." in page.text
    assert "You keep access until 6 May 2026, 00:00 UTC." in page.text
    declined = "Visa •••• 9995 was declined. The card has insufficient funds."
    assert f"1 May 2026: {declined} 3 May 2026: {declined}" in page.text
    assert (
        "We try again on 7 May 2026, 00:00 UTC."
        " If it is not paid by 11 May 2026, 00:00 UTC, your plan ends." in page.text
    )


def test_what_nobody_paid_in_time_is_overdue(people: People) -> None:
    made()
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    customer.payment_methods.update(is_default=False)  # there is none to charge
    people.world.at("2026-05-16")

    page = alice.get(HOME)

    assert "A payment was due on 15 May 2026." in page.text
    assert "Please pay, or add a payment method: it is used at once." in page.text
    assert "We do not try" not in page.text
