"""Policies, runs and profiles in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing.core.dunning import DunningPolicy as Policy
from billing.core.dunning import DunningStatus, FinalAct, Notice
from billing.models import BillingProfile, DunningPolicy, DunningRun, JournalEntry, PlanDunning
from billing.queries.dunning import value_of
from customers.models import Customer, User
from plans.models import Plan
from tests.admin.conftest import Story, signed_in
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, add, change, changelist
from tests.services.dunned import STRICT, made

pytestmark = pytest.mark.django_db


def filled(*notices: tuple[str, str, str], **fields: object) -> dict[str, object]:
    """The form of a policy."""
    entered: dict[str, object] = {
        "name": "strict",
        "days": "2, 4",
        "grace_days": "5",
        "final_act": "CANCEL",
        "final_after_days": "10",
        "notices-TOTAL_FORMS": str(len(notices) + 1),
        "notices-INITIAL_FORMS": "0",
    }
    for row, (days, subject, text) in enumerate(notices):
        entered |= {
            f"notices-{row}-after_days": days,
            f"notices-{row}-subject": subject,
            f"notices-{row}-text": text,
        }
    return {**entered, **fields}


def test_a_policy_is_written_in_days_and_rows(operator: Client, story: Story) -> None:
    basic = story.world.plan("Basic")
    entered = filled(
        ("7", "Reminder", "We end your plan on {final_on}."),
        ("0", "{number} is not paid", "Pay {amount}."),
        is_default="on",
        plans=[basic.pk],
    )

    answer = operator.post(add(DunningPolicy), entered, follow=True)

    assert answer.redirect_chain, text_of(answer.content)
    policy = DunningPolicy.objects.get()
    assert value_of(policy) == Policy(
        name="strict",
        retry_after_days=(2, 4),
        grace_days=5,
        notices=(
            Notice(0, "{number} is not paid", "Pay {amount}."),
            Notice(7, "Reminder", "We end your plan on {final_on}."),
        ),
        final_act=FinalAct.CANCEL,
        final_after_days=10,
    )
    assert policy.is_default
    assert PlanDunning.objects.get().plan == basic
    me = User.objects.get(email="root@example.org")
    said = JournalEntry.objects.get(kind="DUNNING_POLICY_SET").context
    assert said["by"] == f"user:{me.pk}"


def test_a_policy_is_shown_as_it_stands_and_changed(operator: Client) -> None:
    policy = DunningPolicy.objects.get(pk=made())
    page = operator.get(change(policy)).content.decode()
    assert 'value="2, 4"' in page
    assert "Reminder: {number}" in page

    rows = [(str(n.after_days), n.subject, n.text) for n in STRICT.notices]
    entered = filled(*rows, days="", name="gentle")
    entered |= {"notices-INITIAL_FORMS": "2", "notices-1-DELETE": "on"}
    assert operator.post(change(policy), entered, follow=True).redirect_chain

    policy.refresh_from_db()
    assert (policy.name, policy.retry_after_days, policy.is_default) == ("gentle", [], False)
    assert [notice["after_days"] for notice in policy.notices] == [0]


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        (filled(days="1, x"), "Whole numbers with commas between them: 1, 3, 5."),
        (filled(days="0"), "From 1 to 365 days each."),
        (filled(("0", "{name}", "x")), "There is no placeholder {name}."),
        (filled(("", "x", "y")), "Please mend the notices that are marked below."),
        (filled(("11", "x", "y")), "A notice is given from day 0 to the last day."),
        (filled(name="taken"), "There is a policy of this name already."),
    ],
)
def test_what_makes_no_sense_is_shown_where_it_was_made(
    operator: Client, entered: dict[str, object], sentence: str
) -> None:
    made(Policy(name="taken"))

    answer = operator.post(add(DunningPolicy), entered)

    assert answer.status_code == 200
    assert sentence in text_of(answer.content)
    assert DunningPolicy.objects.count() == 1


def test_whoever_may_only_look_sees_what_a_policy_says(db: None) -> None:
    policy = DunningPolicy.objects.get(pk=made())
    user = User.objects.create_user("look@example.org", "secret", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_dunningpolicy"))
    browser = signed_in(user)

    page = text_of(browser.get(change(policy)).content)

    assert "Reminder: {number}" in page
    assert browser.post(change(policy), filled()).status_code == 403
    assert browser.get(add(DunningPolicy)).status_code == 403


def test_a_run_is_stopped_with_a_reason_and_resumed(story: Story, operator: Client) -> None:
    run = DunningRun.objects.get(customer=story.bob)
    assert action(run, "stop") in operator.get(change(run)).content.decode()

    assert act(operator, run, "stop", note="Will pay.") == ["Dunning is stopped."]

    run.refresh_from_db()
    me = User.objects.get(email="root@example.org")
    assert (run.status, run.note, run.ended_by) == (
        DunningStatus.STOPPED,
        "Will pay.",
        f"user:{me.pk}",
    )
    page = operator.get(change(run)).content.decode()
    assert action(run, "stop") not in page
    assert act(operator, run, "stop") == ["The run is stopped."]
    assert act(operator, run, "resume") == ["Dunning goes on."]
    run.refresh_from_db()
    assert run.status == DunningStatus.RUNNING


def test_runs_stand_on_the_pages_of_customer_and_invoice(story: Story, operator: Client) -> None:
    run = DunningRun.objects.get(customer=story.bob)
    for row in (Customer.objects.get(pk=story.bob.pk), run.invoice):
        page = operator.get(change(row)).content.decode()
        assert change(run) in page
    listed = operator.get(f"{changelist(DunningRun)}?q={run.invoice.number}")
    assert listed.context["cl"].result_count == 1


def test_what_is_agreed_with_a_customer(story: Story, operator: Client) -> None:
    policy = DunningPolicy.objects.get(pk=made())
    customer = Customer.objects.get(pk=story.bob.pk)
    page = operator.get(change(customer)).content.decode()
    assert f"{add(BillingProfile)}?customer={customer.pk}" in page
    entered = {
        "customer": customer.pk,
        "dunning_policy": policy.pk,
        "is_dunned": "on",
        "top_up_currency": "kwd",
        "threshold": "1.5",
        "amount": "20",
    }

    answer = operator.post(add(BillingProfile), entered, follow=True)

    assert answer.redirect_chain, text_of(answer.content)
    profile = BillingProfile.objects.get()
    assert (profile.dunning_policy, profile.is_dunned) == (policy, True)
    assert (profile.top_up_currency, profile.top_up_threshold_minor) == ("KWD", 1500)
    assert profile.top_up_amount_minor == 20_000
    page = operator.get(change(profile)).content.decode()
    assert 'value="20.000"' in page
    less = {"dunning_policy": policy.pk, "top_up_currency": "", "threshold": "", "amount": ""}
    assert operator.post(change(profile), less, follow=True).redirect_chain
    profile.refresh_from_db()
    assert (profile.is_dunned, profile.top_up_currency, profile.version) == (False, "", 3)
    assert DunningRun.objects.get(customer=customer).status == DunningStatus.STOPPED
    assert "not dunned" in text_of(operator.get(change(customer)).content)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"top_up_currency": "EUR"}, "A top-up needs currency, threshold and amount."),
        ({"amount": "5"}, "A top-up needs currency, threshold and amount."),
        ({"top_up_currency": "XXQ", "threshold": "1", "amount": "5"}, "is not an ISO 4217"),
        ({"top_up_currency": "JPY", "threshold": "1", "amount": "5.5"}, "more decimals than JPY"),
    ],
)
def test_half_a_top_up_is_none(
    story: Story, operator: Client, fields: dict[str, str], sentence: str
) -> None:
    entered = {"customer": story.bob.pk, "is_dunned": "on", **fields}

    answer = operator.post(add(BillingProfile), entered)

    assert sentence in text_of(answer.content)
    assert not BillingProfile.objects.exists()


def test_what_needs_attention_is_counted(story: Story, operator: Client) -> None:
    story.world.at("2026-06-20")

    page = operator.get("/admin/").content.decode()

    assert "Invoices dunned to the end and still owed" in page
    url = f"{changelist(DunningRun)}?status__exact=EXHAUSTED&invoice__status__exact="
    assert operator.get(f"{url}CHARGED_WITH_ERROR").context["cl"].result_count == 1
    assert Plan.objects.exists()
