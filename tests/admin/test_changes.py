"""Changes that are still to come, that contradict each other, that failed, and what is done."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.admin import change_page
from billing.models import ScheduledChange
from customers.models import Customer, User
from plans.models import Plan
from tests.admin.conftest import signed_in
from tests.admin.pressing import collect, do, preview, send, text_of
from tests.admin.urls_of import action, change, changelist
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_change_is_scheduled_and_shown_with_what_it_makes(
    world: World, alice: Customer, operator: Client
) -> None:
    subscription = world.subscription(alice)
    team = str(world.plan("Team").pk)

    assert do(
        operator, subscription, "change_plan", plan=team, quantity="3", when="PERIOD_END"
    ) == ["Scheduled for 2026-05-01 00:00: plan Team, version 1; quantity 3."]
    assert do(operator, subscription, "change_plan", quantity="5", when="AT", at="2026-05-11") == [
        "Scheduled for 2026-05-11 00:00: quantity 5."
    ]
    assert do(operator, subscription, "cancel", when="AT", at="2026-06-01") == [
        "Scheduled for 2026-06-01 00:00: cancel."
    ]

    page = text_of(operator.get(change(subscription)).content)
    assert (
        "2026-05-01 00:00 Plan Team, version 1; quantity 3"
        " Active Team, 3 × seat, period to 2026-06-01 00:00 user:1"
        " 2026-05-11 00:00 Quantity 5 Active Team, 5 × seat, period to 2026-06-01 00:00 user:1"
        " 2026-06-01 00:00 Cancel Canceled Team, 5 × seat user:1"
    ) in page.replace(f"user:{User.objects.get().pk}", "user:1")
    story = text_of(operator.get(change(alice)).content)
    assert "changes on 2026-05-01 00:00 to Team" in story
    assert "changes on 2026-05-11 00:00: quantity 5" in story
    assert "ends on 2026-06-01 00:00" in story


def test_every_contradiction_is_told_and_nothing_is_done(
    world: World, alice: Customer, operator: Client
) -> None:
    subscription = world.subscription(alice)
    world.changes(alice, plan="Team", quantity=3, when="2026-05-06")
    world.changes(alice, quantity=5, when="2026-05-11")
    expected = [
        "2026-05-06 00:00, plan Team, version 1; quantity 3: The subscription is canceled by then.",
        "2026-05-11 00:00, quantity 5: The subscription is canceled by then.",
    ]

    _, texts = send(operator, subscription, "cancel", preview="on", when="NOW")
    assert texts == expected
    # As if the other changes had come between the preview and the deed.
    answer = operator.post(action(subscription, "cancel"), {"preview": "on", "when": "NOW"})
    seen = change_page.entered(answer.context["form"])
    _, texts = send(operator, subscription, "cancel", do="on", seen=seen, when="NOW")
    assert texts == expected

    assert ScheduledChange.objects.filter(status="PENDING").count() == 2
    assert world.subscription(alice).status == "ACTIVE"
    assert not LogEntry.objects.exists()


def test_who_may_not_view_changes_does_not_see_them(world: World, alice: Customer) -> None:
    world.changes(alice, plan="Pro", when="period_end")
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_subscription"))

    page = signed_in(clerk).get(change(world.subscription(alice))).content
    assert b"Still to come" not in page


def test_a_change_that_failed_is_found_tried_again_and_costs_what_was_foreseen(
    world: World, alice: Customer, operator: Client
) -> None:
    world.changes(alice, plan="Pro", when="2026-04-21")
    _disable(world.plan("Pro"), is_disabled=True)
    world.at("2026-04-26")
    row, subscription = ScheduledChange.objects.get(), world.subscription(alice)

    request = operator.get(reverse("admin:index"))
    assert "Changes that failed when they were due" in request.content.decode()
    found = operator.get(f"{changelist(ScheduledChange)}?status__exact=FAILED")
    assert list(found.context["cl"].result_list) == [row]
    for page in (operator.get(change(subscription)), operator.get(change(row))):
        assert '<strong class="fault">The plan is not on sale.</strong>' in page.content.decode()

    _, texts = send(operator, row, "retry", preview="on")
    assert texts == ["2026-04-26 00:00, this change: The plan is not on sale."]
    _disable(world.plan("Pro"), is_disabled=False)
    assert preview(operator, row, "retry") == [
        ("At once, 2026-04-26 00:00", "3.33 USD"),
        ("2026-05-01 00:00", "30.00 USD"),
    ]
    assert do(operator, row, "retry") == ["Done: plan Pro, version 1."]
    collect(world)
    assert world.bills(alice)[-1] == (
        "04-26",
        [("Unused Start", "-1.67"), ("Pro", "5.00")],
        "3.33",
    )
    _, texts = send(operator, row, "retry", preview="on")
    assert texts == ["The change is applied."]


def test_a_change_is_withdrawn_once(world: World, alice: Customer, operator: Client) -> None:
    row = world.changes(alice, plan="Pro", when="period_end")
    later = world.changes(alice, plan="Start", when="2026-06-01")

    def withdraw() -> list[str]:
        return send(operator, row, "withdraw", _form_submitted="on")[1]

    assert withdraw() == ["2026-06-01 00:00, plan Start, version 1: It would change nothing."]
    send(operator, later, "withdraw", _form_submitted="on")
    assert withdraw() == ["The change is withdrawn."]
    assert withdraw() == ["The change is withdrawn."]

    row.refresh_from_db()
    me = User.objects.get(email="root@example.org")
    assert (row.status, row.settled_by) == ("WITHDRAWN", f"user:{me.pk}")
    page = operator.get(change(row)).content.decode()
    assert action(row, "withdraw") not in page
    assert "Earlier changes" in text_of(operator.get(change(row.subscription)).content)


def test_a_conflict_on_the_timeline_is_shown_in_red(
    world: World, alice: Customer, operator: Client
) -> None:
    world.changes(alice, plan="Pro", when="period_end")
    _disable(world.plan("Pro"), is_disabled=True)

    page = operator.get(change(world.subscription(alice))).content.decode()

    assert '<strong class="fault">The plan is not on sale.</strong>' in page


def _disable(plan: Plan, *, is_disabled: bool) -> None:
    Plan.objects.filter(pk=plan.pk).update(is_disabled=is_disabled)
