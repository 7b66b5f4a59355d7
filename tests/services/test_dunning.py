"""Unpaid invoices from the first decline on, by the day."""

from __future__ import annotations

import pytest
from django.db import transaction

from billing.core import entitlements as rules
from billing.core.dunning import DunningPolicy, DunningReason, DunningStatus
from billing.core.lifecycle import InvoiceStatus, SubscriptionStatus
from billing.models import (
    DunningNotice,
    DunningRun,
    Invoice,
    JournalEntry,
)
from billing.queries import dunning as policies
from billing.queries import entitlements
from billing.services import (
    dunning,
    profiles,
)
from customers.models import Customer
from tests.services.dunned import (
    STRICT,
    billed_by_hand,
    changed,
    facts,
    made,
    run_of,
    subscriber,
    told,
    tried,
)
from tests.world import World, instant

pytestmark = pytest.mark.django_db


def test_a_soft_decline_is_retried_reminded_of_and_ends_by_the_policy(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-01")

    run = run_of(alice)
    assert (run.status, run.reason) == (DunningStatus.RUNNING, DunningReason.DECLINED)
    assert (run.policy_name, run.terms) == ("strict", STRICT.to_json())
    assert run.due_at == instant("2026-05-08")
    number = run.invoice.number
    assert told(alice) == [("05-01 00:00", f"Invoice {number} is not paid")]

    world.at("2026-05-30")

    assert tried(alice) == ["05-01", "05-03", "05-07"]
    assert told(alice)[1:] == [("05-08 00:00", f"Reminder: {number}")]
    run = run_of(alice)
    assert (run.status, run.ended_at) == (DunningStatus.EXHAUSTED, instant("2026-05-11"))
    assert (run.due_at, run.note, run.ended_by) == (None, "", "dunning schedule")
    subscription = world.subscription(alice)
    assert (subscription.status, subscription.canceled_at) == (
        SubscriptionStatus.CANCELED,
        instant("2026-05-11"),
    )
    assert run.invoice.status == InvoiceStatus.CHARGED_WITH_ERROR
    assert facts(alice) == [
        ("05-01", "DUNNING_STARTED"),
        ("05-01", "DUNNING_NOTICE"),
        ("05-08", "DUNNING_NOTICE"),
        ("05-11", "DUNNING_ENDED"),
    ]
    entry = JournalEntry.objects.filter(kind="DUNNING_ENDED").earliest("pk")
    assert entry.context["terms"] == STRICT.to_json()
    assert entry.context["outcome"] == "EXHAUSTED"


def test_a_notice_says_what_its_placeholders_stand_for(world: World) -> None:
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-09")

    first, second = DunningNotice.objects.order_by("position")
    invoice = run_of(alice).invoice
    assert first.text == (
        f"114.00 USD were due on 15 May 2026. http://localhost:8000/billing/invoices/{invoice.pk}/"
    )
    assert second.text == "We end your plan on 11 May 2026."


def test_days_of_a_notice_are_the_customers(world: World) -> None:
    made()
    alice = world.at("2026-04-11 15:00").customer("alice")
    Customer.objects.filter(pk=alice.pk).update(timezone="Asia/Tokyo")
    world.at("2026-04-11 18:00")
    billed_by_hand(world, alice)

    world.at("2026-04-30")

    assert DunningNotice.objects.get().text.startswith("100.00 USD were due on 26 April 2026.")


def test_a_hard_decline_is_not_retried_and_a_new_card_is_charged_at_once(world: World) -> None:
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-04 10:00")
    assert tried(alice) == ["05-01"]
    assert run_of(alice).status == DunningStatus.RUNNING

    world.adds_card(alice, "tok_ok")

    assert tried(alice) == ["05-01", "05-04"]
    run = run_of(alice)
    assert (run.status, run.ended_at) == (DunningStatus.RECOVERED, instant("2026-05-04 10:00"))
    assert run.due_at is None
    assert world.subscription(alice).status == SubscriptionStatus.ACTIVE
    assert facts(alice)[-1] == ("05-04", "DUNNING_ENDED")
    world.at("2026-05-30")
    assert len(told(alice)) == 1


def test_a_new_card_has_tries_of_its_own_until_the_last_day(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-08 12:00").adds_card(alice, "tok_declined")

    world.at("2026-05-30")

    # Two days later it is tried again; four days after that would be past the end.
    assert tried(alice) == ["05-01", "05-03", "05-07", "05-08", "05-10"]
    assert DunningRun.objects.filter(invoice=run_of(alice).invoice).count() == 1


def test_access_lasts_for_the_grace_period_of_the_customers_policy(world: World) -> None:
    made()
    alice = subscriber(world, "tok_insufficient_funds")
    world.at("2026-05-05 23:59")
    alice.refresh_from_db()
    found = entitlements.of(alice, now=world.now)
    assert found.access == rules.Access(is_granted=True, reason=rules.Reason.GRACE_PERIOD)
    assert found.policy == STRICT

    world.at("2026-05-06")
    alice = Customer.objects.select_related("test_clock").get(pk=alice.pk)
    assert entitlements.of(alice, now=world.now).access.reason == rules.Reason.PAST_DUE
    assert not entitlements.check(alice.pk, "api_calls", now=world.now).is_granted


@pytest.mark.parametrize(
    ("own", "of_plan", "default", "expected"),
    [
        (True, True, True, "own"),
        (False, True, True, "plan"),
        (False, False, True, "default"),
        (False, False, False, "standard"),
    ],
)
def test_the_narrowest_policy_holds(
    world: World, *, own: bool, of_plan: bool, default: bool, expected: str
) -> None:
    alice = world.at("2026-04-11").signs_up("alice", "Premium")
    plan = world.plan("Premium")
    if own:
        policy = made(changed(name="own"), plans=[])
        profiles.change(alice.pk, fields={"dunning_policy": policy}, by="test", now=world.now)
    if of_plan:
        made(changed(name="plan"), plans=[plan.pk])
    if default:
        made(changed(name="default"))

    assert policies.policy_of(alice.pk, plan.pk).name == expected
    bob = world.customer("bob")
    found = policies.policies_of([(alice.pk, plan.pk), (bob.pk, None), (bob.pk, plan.pk)])
    assert found[alice.pk, plan.pk].name == expected
    assert found[bob.pk, None].name == ("default" if default else "standard")
    assert found[bob.pk, plan.pk].name == (
        "plan" if of_plan else "default" if default else "standard"
    )


def test_a_run_keeps_the_terms_it_began_with(world: World) -> None:
    from billing.services import dunning_policies

    policy = made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-02")
    dunning_policies.change(policy, DunningPolicy(name="soft"), by="test", now=world.now)

    world.at("2026-05-12")

    run = run_of(alice)
    assert (run.policy_name, run.status) == ("strict", DunningStatus.EXHAUSTED)
    assert world.subscription(alice).status == SubscriptionStatus.CANCELED


def test_what_was_paid_without_dunning_costs_nothing(
    world: World, django_assert_num_queries: object
) -> None:
    alice = subscriber(world, "tok_ok")
    world.at("2026-05-02")
    invoices, now = list(Invoice.objects.filter(customer=alice)), world.now
    with transaction.atomic(), django_assert_num_queries(1):  # type: ignore[operator]
        dunning.recovered(invoices, now=now)
