"""Each action makes its one service call, is refused with a message, and needs the right."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client
from pytest_django.fixtures import Settings

from billing.models import (
    Invoice,
    JournalEntry,
    PaymentMethod,
    ScheduledChange,
    Subscription,
)
from billing.services import payments
from customers.models import User
from tests.admin.conftest import Story, signed_in
from tests.admin.urls_of import action, change

pytestmark = pytest.mark.django_db


def act(browser: Client, row: models.Model, name: str, **entered: str) -> list[str]:
    """Press a button and say yes; the messages that follow."""
    answer = browser.post(action(row, name), {"_form_submitted": "on", **entered}, follow=True)
    assert answer.redirect_chain
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def owed(story: Story) -> Invoice:
    """Bob's, whose card is declined."""
    return Invoice.objects.get(customer=story.bob, status="CHARGED_WITH_ERROR")


def test_an_invoice_is_charged_again(story: Story, operator: Client) -> None:
    invoice = owed(story)

    assert act(operator, invoice, "charge_again") == ["A charge of 31.67 USD is under way."]

    attempt = invoice.attempts.latest("created_at")
    assert (attempt.status, attempt.created_at) == ("CREATED", story.world.now)
    assert act(operator, invoice, "charge_again") == ["A charge for this invoice is under way."]
    assert invoice.attempts.filter(status="CREATED").count() == 1
    payments.collect(attempt.pk, now=story.world.now)


def test_an_invoice_is_canceled_once(story: Story, operator: Client) -> None:
    invoice = owed(story)

    assert act(operator, invoice, "cancel") == ["The invoice is canceled."]
    assert act(operator, invoice, "cancel") == ["Cannot cancel: the invoice is canceled."]

    me = User.objects.get(email="root@example.org")
    entry = JournalEntry.objects.get(kind="CREDIT_NOTE_ISSUED")
    assert entry.context["by"] == f"user:{me.pk}"
    assert entry.occurred_at == story.world.now
    logged = LogEntry.objects.get()
    assert (logged.user, logged.change_message) == (me, "The invoice is canceled.")


def test_a_paid_invoice_offers_nothing(story: Story, operator: Client) -> None:
    paid = Invoice.objects.get(customer=story.alice)

    for name in ("charge_again", "cancel"):
        assert action(paid, name) not in operator.get(change(paid)).content.decode()
        assert action(owed(story), name) in operator.get(change(owed(story))).content.decode()
    assert act(operator, paid, "charge_again") == [
        "There is nothing to charge: the invoice is paid."
    ]


def test_asking_changes_nothing(story: Story, operator: Client) -> None:
    invoice = owed(story)
    answer = operator.get(action(invoice, "cancel"))

    assert b"Nobody will have to pay this invoice." in answer.content
    assert operator.post(action(invoice, "cancel"), {}).status_code == 200
    assert owed(story) == invoice


def test_an_action_by_script_leaves_the_page(story: Story, operator: Client) -> None:
    invoice = owed(story)
    answer = operator.post(
        action(invoice, "cancel"), {"_form_submitted": "on"}, headers={"HX-Request": "true"}
    )

    assert (answer.status_code, answer["HX-Redirect"]) == (200, change(invoice))


def test_an_action_needs_the_right_to_change(story: Story) -> None:
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_invoice"))
    invoice = owed(story)
    browser = signed_in(clerk)

    assert action(invoice, "cancel") not in browser.get(change(invoice)).content.decode()
    assert browser.post(action(invoice, "cancel"), {"_form_submitted": "on"}).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename="change_invoice"))
    assert act(signed_in(clerk), invoice, "cancel") == ["The invoice is canceled."]


def test_a_form_without_its_token_is_refused(story: Story, operator: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies

    answer = strict.post(action(owed(story), "cancel"), {"_form_submitted": "on"})

    assert answer.status_code == 403


def test_a_payment_method_is_made_default_and_removed(story: Story, operator: Client) -> None:
    first = PaymentMethod.objects.get(customer=story.alice)
    assert act(operator, first, "remove") == [
        "A running subscription is paid with it. Add another one first."
    ]
    story.world.adds_card(story.alice)
    assert act(operator, first, "make_default") == ["It is the default payment method now."]
    assert act(operator, first, "remove") == ["The payment method is removed."]
    first.refresh_from_db()
    assert (first.is_default, first.removed_at) == (False, story.world.now)
    assert act(operator, first, "make_default") == [f"There is no payment method {first.pk}."]


def test_a_notification_is_replayed(story: Story, operator: Client) -> None:
    story.event.tries = 50
    story.event.save()

    assert act(operator, story.event, "replay") == ["The notification will be handled once more."]

    story.event.refresh_from_db()
    assert (story.event.handled_at, story.event.tries) == (None, 0)


def test_a_clock_is_advanced(story: Story, operator: Client, settings: Settings) -> None:
    clock = story.world.clock

    assert act(operator, clock, "advance", to="2026-06-01 00:00") == [
        "The clock stands at 2026-06-01 00:00."
    ]
    assert Invoice.objects.filter(customer=story.alice).count() == 2
    assert act(operator, clock, "advance", to="2026-01-01") == ["A clock cannot go back."]
    wrong = operator.post(action(clock, "advance"), {"_form_submitted": "on", "to": "soon"})
    assert b"Enter a valid date/time." in wrong.content

    settings.TEST_CLOCKS = False
    assert operator.post(action(clock, "advance"), {"_form_submitted": "on"}).status_code == 403


def test_what_was_answered_to_a_key_is_not_shown(story: Story, operator: Client) -> None:
    from billing.models import ApiRequest

    assert b"hidden answer" not in operator.get(change(ApiRequest.objects.get())).content


def test_a_plan_is_retired_and_stays_as_it_is(story: Story, operator: Client) -> None:
    plan = story.world.plan("Basic")

    assert act(operator, plan, "retire") == ["The plan is retired."]

    plan.refresh_from_db()
    me = User.objects.get(email="root@example.org")
    assert plan.updated_by == f"user:{me.pk}"
    assert plan.retired_at is not None
    assert operator.get(change(plan)).status_code == 200
    assert operator.post(change(plan), {"name": "Other"}).status_code == 403


def test_an_action_on_nothing_says_so(story: Story, operator: Client) -> None:
    nothing = PaymentMethod(pk=story.alice.pk)

    assert act(operator, nothing, "remove") == ["It is not there any more."]
    assert not PaymentMethod.objects.exclude(removed_at=None).exists()


def test_a_subscription_that_was_set_aside_goes_on(story: Story, operator: Client) -> None:
    subscription = Subscription.objects.get(customer=story.alice)
    Subscription.objects.filter(pk=subscription.pk).update(stalled_reason="The total is absurd.")
    assert b"The total is absurd." in operator.get(change(subscription)).content

    assert act(operator, subscription, "go_on") == ["The next billing run takes it up."]

    subscription.refresh_from_db()
    assert subscription.stalled_reason == ""
    entry = JournalEntry.objects.get(kind="SUBSCRIPTION_RESUMED_BY_OPERATOR")
    assert entry.context["reason"] == "The total is absurd."


def test_the_dialog_that_retires_says_whom_it_would_hit(story: Story, operator: Client) -> None:
    plan, other = story.world.plan("Premium"), story.world.plan("Basic")
    subscription = Subscription.objects.get(customer=story.alice)

    page = operator.get(action(plan, "retire")).content.decode()
    assert "<strong>1</strong> subscription is on this plan" in page
    assert "<strong>0</strong> scheduled changes lead to it" in page

    ScheduledChange.objects.create(
        subscription=subscription,
        due_at=story.world.now + timedelta(days=60),
        plan_version=other.current,
        created_at=story.world.now,
    )
    page = operator.get(action(other, "retire")).content.decode()
    assert "<strong>1</strong> scheduled change leads to it" in page
    assert "These changes will fail when they are due." in page
    ScheduledChange.objects.all().delete()
