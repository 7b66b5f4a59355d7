"""Prepaid plans: usage draws credit down as it happens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingPeriod, BillingProfile, CreditDraw, Invoice, Seller, UsageEvent
from billing.models.credit import GrantKind
from billing.models.invoice import InvoicePurpose
from billing.queries import entitlements
from billing.queries import prepaid as queries
from billing.services import corrections, grants, numbering, prepaid, sweep
from customers.models import Customer
from plans.models import Coupon
from plans.prices import Price, UsageModel
from plans.terms import Billed, UsageTerms
from tests import builders
from tests.services.paying import account, facts, give, left, money, state
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db

DIME = Price(UsageModel.PER_UNIT, Decimal("0.10"))


def sell_prepaid(world: World, amount: str = "0", **terms: Any) -> None:
    usual: dict[str, Any] = {"usage": (UsageTerms("api_calls", DIME),), "is_prepaid": True}
    world.sells("Prepaid", amount, **{**usual, **terms})


@pytest.fixture
def alice(world: World) -> Customer:
    alice = world.at("2026-04-01").customer("alice")
    sell_prepaid(world)
    world.adds_card(alice)
    world.subscribes(alice, "Prepaid")
    return alice


def draw(world: World, customer: Customer) -> list[Any]:
    return prepaid.draw(customer.pk, now=world.now)


def right(world: World, customer: Customer) -> tuple[bool, str]:
    found = entitlements.check(customer.pk, "api_calls", now=world.now)
    return found.is_granted, found.reason.value


def tops_up(customer: Customer, threshold: str, amount: str) -> None:
    BillingProfile.objects.create(
        customer=customer,
        top_up_currency="USD",
        top_up_threshold_minor=money(threshold).minor,
        top_up_amount_minor=money(amount).minor,
    )


def test_usage_draws_credit_down_as_it_happens(world: World, alice: Customer) -> None:
    give(world, alice, "50.00")
    world.uses(alice, 120)
    draw(world, alice)
    assert left(alice) == [("PROMOTIONAL", "38.00")]
    world.uses(alice, 30)
    draw(world, alice)

    assert left(alice) == [("PROMOTIONAL", "35.00")]
    assert account("prepaid_usage", alice) == -15_00
    assert facts(alice, "PREPAID_USAGE_DRAWN") == ["PREPAID_USAGE_DRAWN"] * 2


@pytest.mark.django_db(transaction=True)
def test_drawing_again_is_drawing_once(world: World, alice: Customer) -> None:
    give(world, alice, "50.00")
    world.uses(alice, 120)

    found = at_once(*(lambda: draw(world, alice) for _ in range(8)))

    assert not [one for one in found if isinstance(one, Exception)]
    assert CreditDraw.objects.count() == 1
    assert left(alice) == [("PROMOTIONAL", "38.00")]


def test_the_invoice_is_settled_by_what_was_drawn(world: World, alice: Customer) -> None:
    give(world, alice, "50.00")
    world.uses(alice, 120)
    world.at("2026-05-01")

    invoice = world.newest_invoice(alice)
    assert (invoice.total, state(invoice)) == (money("12.00"), ("PAID", "0.00"))
    assert left(alice) == [("PROMOTIONAL", "38.00")]
    assert account("prepaid_usage", alice) == 0
    assert [row.kind for row in CreditDraw.objects.all()] == ["USAGE"]
    assert facts(alice, "PREPAID_USAGE_INVOICED", "CREDIT_APPLIED") == ["PREPAID_USAGE_INVOICED"]


def test_what_was_used_beyond_the_credit_is_due_on_the_invoice(
    world: World, alice: Customer
) -> None:
    give(world, alice, "10.00")
    world.uses(alice, 150)
    draw(world, alice)
    assert left(alice) == []

    world.at("2026-05-01")

    invoice = world.newest_invoice(alice)
    assert invoice.total == money("15.00")
    assert [row.amount for row in invoice.attempts.all()] == [money("5.00")]
    assert state(invoice) == ("PAID", "0.00")


def test_usage_that_nobody_drew_for_is_settled_by_the_invoice(
    world: World, alice: Customer
) -> None:
    give(world, alice, "50.00")
    world.uses(alice, 100)
    draw(world, alice)
    usage = world.uses(alice, 50)
    assert usage.accepted == 1
    BillingPeriod.objects.get(customer=alice, closed_at=None)

    from billing.services import cycle

    cycle.run(now=instant("2026-05-01"), clock=world.clock)  # no draw before

    invoice = world.newest_invoice(alice)
    assert state(invoice) == ("PAID", "0.00")
    assert sorted(CreditDraw.objects.values_list("kind", "amount_minor")) == [
        ("INVOICE", 5_00),
        ("USAGE", 10_00),
    ]
    assert left(alice) == [("PROMOTIONAL", "35.00")]


def test_a_correction_gives_back_to_the_newest_draw_first(world: World, alice: Customer) -> None:
    first = give(world, alice, "10.00", expires="2026-06-01")
    second = give(world, alice, "10.00")
    world.uses(alice, 150)
    draw(world, alice)
    assert left(alice) == [("PROMOTIONAL", "5.00")]

    event = UsageEvent.objects.get()
    corrections.withdraw("alice", event.event_id, by="olga", now=world.now)
    world.uses(alice, 30)
    draw(world, alice)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.remaining, second.remaining) == (money("7.00"), money("10.00"))
    assert account("prepaid_usage", alice) == -3_00
    assert facts(alice, "PREPAID_USAGE_RETURNED") == ["PREPAID_USAGE_RETURNED"]


def test_access_to_what_is_metered_ends_with_the_credit_and_returns_with_it(
    world: World, alice: Customer
) -> None:
    assert right(world, alice) == (False, "credit_exhausted")
    give(world, alice, "10.00")
    assert right(world, alice) == (True, "subscribed")
    world.uses(alice, 99)
    assert right(world, alice) == (True, "subscribed")
    world.uses(alice, 1)
    assert right(world, alice) == (False, "credit_exhausted")  # before anybody drew
    draw(world, alice)
    assert right(world, alice) == (False, "credit_exhausted")
    world.uses(alice, 50)
    give(world, alice, "5.00", kind=GrantKind.PAID)
    assert right(world, alice) == (False, "credit_exhausted")  # it went on what was used
    give(world, alice, "0.01")
    assert right(world, alice) == (True, "subscribed")


def test_a_free_trial_needs_no_credit(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    sell_prepaid(world, trial_days=14)
    world.adds_card(alice)
    world.subscribes(alice, "Prepaid")
    world.uses(alice, 100)
    assert right(world, alice) == (True, "trial")
    assert draw(world, alice) == []

    world.at("2026-04-16")
    assert right(world, alice) == (False, "credit_exhausted")


def test_other_plans_do_not_touch_the_credit_before_the_invoice(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    world.sells("Post", "0", usage=(UsageTerms("api_calls", DIME),))
    world.adds_card(alice)
    world.subscribes(alice, "Post")
    give(world, alice, "10.00")
    world.uses(alice, 500)
    draw(world, alice)

    assert left(alice) == [("PROMOTIONAL", "10.00")]
    assert right(world, alice) == (True, "subscribed")


def test_what_was_used_before_a_grant_expires_is_drawn_from_it_first(
    world: World, alice: Customer
) -> None:
    give(world, alice, "10.00", expires="2026-04-15", kind=GrantKind.PAID)
    give(world, alice, "10.00")
    world.uses(alice, 40)

    world.at("2026-04-15")

    assert left(alice) == [("PROMOTIONAL", "10.00")]
    assert account("revenue:breakage", alice) == -6_00
    assert account("prepaid_usage", alice) == -4_00


def test_what_comes_back_to_a_grant_that_expired_lapses_too(world: World, alice: Customer) -> None:
    give(world, alice, "10.00", expires="2026-04-15", kind=GrantKind.PAID)
    world.uses(alice, 40)
    world.at("2026-04-16")
    corrections.withdraw("alice", UsageEvent.objects.get().event_id, by="olga", now=world.now)
    draw(world, alice)
    grants.expire_due(now=world.now, clock=world.clock)

    assert left(alice) == []
    assert account("revenue:breakage", alice) == -10_00


def test_tax_and_discounts_are_drawn_as_the_invoice_will_have_them(world: World) -> None:
    world.at("2026-04-01")
    numbering.default_seller()
    Seller.objects.update(tax_policy="FIXED_RATE", country="GB")
    alice = world.customer("alice")
    Coupon.objects.create(
        code="TENTH", percent_off=10, duration="FOREVER", created_at=world.now, created_by="t"
    )
    sell_prepaid(world)
    world.adds_card(alice)
    world.subscribes(alice, "Prepaid", coupon="TENTH")
    give(world, alice, "100.00")
    world.uses(alice, 333)

    draw(world, alice)

    # 33.30 − 3.33 = 29.97, and 20 % of it 5.99
    assert left(alice) == [("PROMOTIONAL", "64.04")]
    world.at("2026-05-01")
    assert state(world.newest_invoice(alice)) == ("PAID", "0.00")
    assert world.newest_invoice(alice).total == money("35.96")
    assert left(alice) == [("PROMOTIONAL", "64.04")]


def test_a_base_charge_is_settled_from_what_is_left(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    sell_prepaid(world, "20")
    world.adds_card(alice)
    give(world, alice, "100.00")
    world.subscribes(alice, "Prepaid")
    assert left(alice) == [("PROMOTIONAL", "80.00")]
    world.uses(alice, 100)
    world.at("2026-05-01")

    assert state(world.newest_invoice(alice)) == ("PAID", "0.00")
    assert left(alice) == [("PROMOTIONAL", "50.00")]


def test_a_change_of_plan_keeps_what_was_drawn_until_it_is_invoiced(
    world: World, alice: Customer
) -> None:
    world.sells("Other", "0", usage=(UsageTerms("api_calls", DIME),), billed=Billed.IN_ARREARS)
    give(world, alice, "50.00")
    world.uses(alice, 100)
    draw(world, alice)
    world.at("2026-04-15").changes(alice, plan="Other")
    draw(world, alice)
    assert account("prepaid_usage", alice) == -10_00

    world.at("2026-05-01")

    assert account("prepaid_usage", alice) == 0
    assert left(alice) == [("PROMOTIONAL", "40.00")]
    assert queries.running(world._fresh(alice), now=world.now) == []


def test_credit_is_bought_when_it_runs_low_and_is_there_when_paid(
    world: World, alice: Customer
) -> None:
    tops_up(alice, "5.00", "25.00")
    give(world, alice, "10.00")
    world.uses(alice, 40)
    assert draw(world, alice) == []
    world.uses(alice, 11)  # 4.90 left

    world.at("2026-04-02")

    invoice = Invoice.objects.get(purpose=InvoicePurpose.TOP_UP)
    assert (state(invoice), invoice.total, invoice.created_by) == (
        ("PAID", "0.00"),
        money("25.00"),
        "automatic top-up",
    )
    assert left(alice) == [("PROMOTIONAL", "4.90"), ("PAID", "25.00")]


@pytest.mark.django_db(transaction=True)
def test_fifty_workers_buy_credit_once(world: World, alice: Customer) -> None:
    tops_up(alice, "5.00", "25.00")

    found = at_once(*(lambda: draw(world, alice) for _ in range(50)))

    assert not [one for one in found if isinstance(one, Exception)]
    assert Invoice.objects.filter(purpose=InvoicePurpose.TOP_UP).count() == 1


def test_a_declined_top_up_is_not_followed_by_another(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    sell_prepaid(world)
    world.adds_card(alice, "tok_expired")
    world.subscribes(alice, "Prepaid")
    tops_up(alice, "5.00", "25.00")
    for day in range(2, 20):
        world.at(f"2026-04-{day:02}")

    invoice = Invoice.objects.get(purpose=InvoicePurpose.TOP_UP)
    assert state(invoice) == ("CHARGED_WITH_ERROR", "25.00")
    assert invoice.attempts.count() == 1

    world.adds_card(alice, "tok_ok")

    assert state(invoice) == ("PAID", "0.00")
    assert left(alice) == [("PAID", "25.00")]
    assert Invoice.objects.filter(purpose=InvoicePurpose.TOP_UP).count() == 1


def test_without_a_card_nothing_is_bought(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    tops_up(alice, "5.00", "25.00")

    assert draw(world, alice) == []
    assert not Invoice.objects.exists()


def test_the_sweeper_finds_what_nobody_heard_of(world: World, alice: Customer) -> None:
    bob = world.customer("bob")
    give(world, alice, "10.00")
    world.uses(alice, 10)
    Customer.objects.filter(pk__in=[alice.pk, bob.pk]).update(test_clock=None)
    tops_up(bob, "5.00", "25.00")
    builders.sandbox()

    assert sweep.sweep(now=world.now).prepaying == [alice.pk]
    prepaid.draw(alice.pk, now=world.now)
    assert sweep.sweep(now=world.now).prepaying == []


def test_those_who_prepay_are_known_by_id_and_organization(world: World, alice: Customer) -> None:
    world.signs_up("bob", "Premium")

    assert queries.prepaying(["alice", "bob", "nobody"]) == [alice.pk]
    assert queries.prepaying([str(alice.pk)]) == [alice.pk]
