"""What operators see of a subscription, and what they do to it: foreseen first, then done."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import (
    CreditNote,
    Invoice,
    JournalEntry,
    PaymentAttempt,
    Redemption,
    ScheduledChange,
    Subscription,
)
from customers.models import Customer, User
from plans import services as plan_services
from plans.services import CouponTerms
from tests.admin.conftest import signed_in
from tests.admin.pressing import collect, do, preview, send, text_of
from tests.admin.urls_of import action, change
from tests.world import World, instant

pytestmark = pytest.mark.django_db

STEPS = ("change_plan", "redeem_coupon", "move_billing_day", "pause", "cancel")


def coupon(code: str = "SPRING", percent: str = "50") -> None:
    plan_services.create_coupon(
        code,
        terms=CouponTerms(percent_off=Decimal(percent), duration="REPEATING", periods=2),
        by="test",
        now=instant("2026-01-01"),
    )


def test_a_change_of_plan_costs_what_was_foreseen(
    world: World, alice: Customer, operator: Client
) -> None:
    subscription = world.subscription(alice)
    pro = str(world.plan("Pro").pk)
    bills = world.bills(alice)

    assert preview(operator, subscription, "change_plan", plan=pro, when="NOW") == [
        ("At once, 2026-04-16 00:00", "10.00 USD"),
        ("2026-05-01 00:00", "30.00 USD"),
    ]
    shown, _ = send(operator, subscription, "change_plan", preview="on", plan=pro, when="NOW")
    assert "Unused Start 10.00 paid × 15/30 days unused = 5.00 USD -5.00 USD" in shown
    assert "Pro 30.00 × 15/30 days = 15.00 USD 15.00 USD Total 10.00 USD" in shown
    assert world.bills(alice) == bills
    assert not ScheduledChange.objects.exists()

    assert do(operator, subscription, "change_plan", plan=pro, when="NOW") == [
        "Done: plan Pro, version 1."
    ]
    attempt = PaymentAttempt.objects.latest("created_at")
    assert (attempt.amount_minor, attempt.status) == (10_00, "CREATED")
    collect(world)
    world.at("2026-05-01")
    assert world.bills(alice)[1:] == [
        ("04-16", [("Unused Start", "-5.00"), ("Pro", "15.00")], "10.00"),
        ("05-01", [("Pro", "30.00")], "30.00"),
    ]
    me = User.objects.get(email="root@example.org")
    assert ScheduledChange.objects.get().created_by == f"user:{me.pk}"
    assert LogEntry.objects.get().change_message == "Done: plan Pro, version 1."


def test_what_is_done_was_seen_before(world: World, alice: Customer, operator: Client) -> None:
    subscription = world.subscription(alice)
    pro, team = (str(world.plan(name).pk) for name in ("Pro", "Team"))
    seen = operator.post(
        action(subscription, "change_plan"), {"preview": "on", "plan": team, "when": "NOW"}
    ).context["seen"]

    for proof in ("", seen):
        shown, texts = send(
            operator, subscription, "change_plan", do="on", seen=proof, plan=pro, when="NOW"
        )
        assert "has changed since the preview." in texts[0]
        assert "At once, 2026-04-16 00:00" in shown

    assert not ScheduledChange.objects.exists()


def test_what_is_done_twice_is_done_once(world: World, alice: Customer, operator: Client) -> None:
    subscription = world.subscription(alice)
    entered = {"charge": "RESET", "when": "NOW"}
    path = action(subscription, "change_plan")
    seen = operator.post(path, {"preview": "on", **entered}).context["seen"]

    texts = [
        send(operator, subscription, "change_plan", do="on", seen=seen, **entered)[1]
        for _ in range(2)
    ]

    assert texts[0] == ["Done: credit what is unused, begin a new period."]
    assert "has changed since the preview." in texts[1][0]
    assert ScheduledChange.objects.count() == 1
    collect(world)
    assert world.bills(alice)[1:] == [
        ("04-16", [("Unused Start", "-5.00"), ("Start", "10.00")], "5.00")
    ]


def test_a_policy_of_the_operators_own(world: World, alice: Customer, operator: Client) -> None:
    subscription = world.subscription(alice)
    entered = {"plan": str(world.plan("Pro").pk), "when": "NOW"}

    def at_once(charge: str) -> list[tuple[str, str]]:
        return preview(operator, subscription, "change_plan", charge=charge, **entered)

    now = "At once, 2026-04-16 00:00"
    assert at_once("FULL") == [(now, "30.00 USD"), ("2026-05-01 00:00", "30.00 USD")]
    assert at_once("RESET")[0] == (now, "25.00 USD")
    assert at_once("NONE") == [("2026-05-01 00:00", "30.00 USD")]


def test_what_is_entered_wrongly_is_told_at_its_field(
    world: World, alice: Customer, operator: Client
) -> None:
    subscription = world.subscription(alice)

    for name, entered, text in (
        ("cancel", {"when": "AT"}, "Which one?"),
        ("cancel", {"at": "2026-05-03"}, "Choose “At the instant below” for it."),
        ("cancel", {"when": "AT", "at": "2026-04-01"}, "Not before now: 2026-04-16 00:00."),
        ("redeem_coupon", {"code": "NONE"}, "There is no coupon &#x27;NONE&#x27;."),
        ("move_billing_day", {}, "This field is required."),
    ):
        shown, _ = send(operator, subscription, name, preview="on", **entered)
        assert text in shown, name
        send(operator, subscription, name, do="on", **entered)
    _, texts = send(operator, subscription, "change_plan", preview="on")
    assert texts == ["2026-04-16 00:00, this change: It would change nothing."]

    assert not ScheduledChange.objects.exists()


def test_a_coupon_is_foreseen_and_then_at_work(
    world: World, alice: Customer, operator: Client
) -> None:
    coupon()
    subscription = world.subscription(alice)

    assert preview(operator, subscription, "redeem_coupon", code="spring") == [
        ("2026-05-01 00:00", "5.00 USD")
    ]
    assert not Redemption.objects.exists()
    assert not JournalEntry.objects.filter(kind="COUPON_REDEEMED").exists()
    assert do(operator, subscription, "redeem_coupon", code="spring") == ["Done: coupon SPRING."]
    _, texts = send(operator, subscription, "redeem_coupon", preview="on", code="SPRING")
    assert texts == ["The coupon is redeemed already."]

    world.at("2026-05-01 01:00")
    assert world.bills(alice)[-1] == ("05-01", [("Start", "5.00")], "5.00")
    page = text_of(operator.get(change(subscription)).content)
    assert "SPRING 1 2026-06-01 00:00 2026-04-16 00:00" in page


def test_a_cancellation_at_once_leaves_a_credit_that_is_seen(
    world: World, alice: Customer, operator: Client
) -> None:
    subscription = world.subscription(alice)

    given_back = "At once, by a credit note, with its tax"
    assert preview(operator, subscription, "cancel", when="NOW") == [(given_back, "-5.00 USD")]
    assert world.subscription(alice).status == "ACTIVE"
    assert do(operator, subscription, "cancel", when="NOW") == ["Done: cancel."]

    assert "Unused Start" not in text_of(operator.get(change(subscription)).content)
    assert CreditNote.objects.get().total.minor == 5_00
    for name in STEPS:
        assert action(subscription, name) not in operator.get(change(subscription)).content.decode()
    _, texts = send(operator, subscription, "pause", preview="on")
    assert texts == ["2026-04-16 00:00, this change: The subscription is canceled by then."]


def test_a_pause_and_what_follows(world: World, alice: Customer, operator: Client) -> None:
    subscription = world.subscription(alice)

    assert do(operator, subscription, "pause") == ["Done: pause."]
    page = operator.get(change(subscription)).content.decode()
    assert action(subscription, "pause") not in page
    assert action(subscription, "resume") in page
    world.at("2026-04-26")
    foreseen = preview(operator, subscription, "resume")
    assert do(operator, subscription, "resume") == ["Done: resume."]

    collect(world)
    assert world.subscription(alice).status == "ACTIVE"
    totals = list(Invoice.objects.order_by("created_at", "sequence").values_list("total_minor"))
    assert foreseen[0] == ("At once, 2026-04-26 00:00", "0.00 USD")
    assert totals[-1] == (0,)


def test_the_billing_day_moves_for_what_was_foreseen(
    world: World, alice: Customer, operator: Client
) -> None:
    subscription = world.subscription(alice)

    assert preview(operator, subscription, "move_billing_day", day="2026-05-16") == [
        ("2026-05-01 00:00", "5.00 USD")
    ]
    assert do(operator, subscription, "move_billing_day", day="2026-05-16") == [
        "Scheduled for 2026-05-01 00:00: billing day from 2026-05-16 00:00."
    ]
    world.at("2026-05-16")
    assert [total for *_, total in world.bills(alice)[1:]] == ["5.00", "10.00"]


def test_a_trial_is_ended_and_extended(world: World, operator: Client) -> None:
    bob = world.at("2026-04-01").customer("bob")
    world.sells("Trial", "30.00", trial_days=14)
    subscription = world.subscribes(bob, "Trial")
    page = operator.get(change(subscription)).content.decode()
    assert action(subscription, "move_trial_end") in page
    assert action(subscription, "pause") not in page

    assert preview(operator, subscription, "move_trial_end", at="2026-04-21") == [
        ("2026-04-21 00:00", "30.00 USD")
    ]
    shown, _ = send(operator, subscription, "move_trial_end", preview="on")
    assert "There is no payment method: billing waits until the customer adds one." in shown
    assert world.subscription(bob).trial_end == instant("2026-04-15")
    assert do(operator, subscription, "move_trial_end", at="2026-04-21") == [
        "The trial ends at 2026-04-21 00:00."
    ]
    world.adds_card(bob)
    world.at("2026-04-20")
    assert do(operator, subscription, "move_trial_end") == ["The trial ends at 2026-04-20 00:00."]
    collect(world)
    assert world.bills(bob) == [("04-20", [("Trial", "30.00")], "30.00")]
    _, texts = send(operator, subscription, "move_trial_end", preview="on")
    assert texts == ["There is no trial."]


def test_a_viewer_sees_everything_and_can_do_nothing(world: World, alice: Customer) -> None:
    world.changes(alice, plan="Pro", when="period_end")
    subscription, row = world.subscription(alice), ScheduledChange.objects.get()
    viewer = User.objects.create_user("viewer@example.org", "secret", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    browser = signed_in(viewer)

    page = browser.get(change(subscription)).content.decode()
    assert "Still to come" in page
    for name in (*STEPS, "move_trial_end", "resume"):
        assert action(subscription, name) not in page
        assert browser.get(action(subscription, name)).status_code == 403
        assert browser.post(action(subscription, name), {"do": "on"}).status_code == 403
    assert action(row, "withdraw") not in browser.get(change(row)).content.decode()
    assert browser.post(action(row, "withdraw"), {"_form_submitted": "on"}).status_code == 403
    assert browser.get(action(row, "retry")).status_code == 403


def test_the_page_of_nothing_leads_to_the_list(operator: Client, world: World) -> None:
    nothing = Subscription(pk=world.plan("Basic").pk)

    _, texts = send(operator, nothing, "cancel", preview="on")

    assert texts == ["It is not there any more."]


def test_what_was_used_is_billed_at_the_end_as_foreseen(world: World, operator: Client) -> None:
    bob = world.at("2026-04-01").customer("bob")
    world.adds_card(bob)
    subscription = world.subscribes(bob, "Basic", trial_days=0)
    world.at("2026-04-11").uses(bob, 100)
    world.at("2026-04-16")

    # 50.00 × 15/30 days, and 50 calls above 100 × 15/30 for 2.25 each.
    assert preview(operator, subscription, "cancel", when="NOW") == [
        ("At once, 2026-04-16 00:00", "137.50 USD")
    ]
    assert do(operator, subscription, "cancel", when="NOW") == ["Done: cancel."]
    assert [total for *_, total in world.bills(bob)] == ["137.50"]
