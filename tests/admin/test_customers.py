"""A customer is found by anything and told on one page."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import GatewayCustomer, Invoice, JournalEntry, PaymentAttempt, PaymentMethod
from customers.models import Customer, User
from tests.admin.conftest import Story, signed_in
from tests.admin.urls_of import add, change, changelist

pytestmark = pytest.mark.django_db


def found(operator: Client, text: str) -> list[str]:
    answer = operator.get(changelist(Customer), {"q": text})
    return sorted(customer.organization_id for customer in answer.context["cl"].result_list)


def test_a_customer_is_found_by_anything(story: Story, operator: Client) -> None:
    alice = story.alice
    invoice = Invoice.objects.get(customer=alice)
    attempt = PaymentAttempt.objects.get(invoice=invoice)
    method = PaymentMethod.objects.get(customer=alice)
    stripe_id = GatewayCustomer.objects.get(customer=alice).external_id

    for text in (
        "alice",
        alice.anonymous_id,
        "ALICE lidd",
        "alice@example.org",
        str(invoice.number),
        "4242",
        stripe_id,
        method.external_id,
        attempt.external_id,
        str(alice.pk),
        str(invoice.pk),
        str(attempt.pk),
    ):
        assert found(operator, text) == ["alice"], text


def test_a_customer_is_not_found_by_parts_of_numbers(story: Story, operator: Client) -> None:
    assert found(operator, "424") == []
    assert found(operator, "INV-") == []
    assert found(operator, "") == ["alice", "bob", "charlie", "dora"]


def test_the_page_tells_the_whole_story(story: Story, operator: Client) -> None:
    page = operator.get(change(story.alice)).content.decode()

    for row in (
        *Invoice.objects.filter(customer=story.alice),
        *PaymentMethod.objects.filter(customer=story.alice),
        *PaymentAttempt.objects.filter(invoice__customer=story.alice),
        *JournalEntry.objects.filter(customer=story.alice),
        story.world.subscription(story.alice),
    ):
        assert f'href="{change(row)}"' in page, row
    assert '<strong class="text-important">450</strong> of 400' in page
    assert "198.00 USD" in page


def test_the_journal_is_told_newest_first(story: Story, operator: Client) -> None:
    answer = operator.get(change(story.alice))
    (journal,) = [table for table in answer.context["tables"] if table.title == "Journal"]

    assert [str(row[1]).rpartition('">')[2] for row in journal.rows][:2] == [
        "Payment received</a>",
        "Invoice finalized</a>",
    ]


def test_what_is_owed_is_seen_at_a_glance(story: Story, operator: Client) -> None:
    owed = {
        name: operator.get(change(customer)).context["story"].highlights[0].value
        for name, customer in (("alice", story.alice), ("bob", story.bob))
    }

    assert owed == {"alice": "nothing", "bob": "31.67 USD"}


def test_parts_of_the_story_are_for_those_who_may_view_them(story: Story) -> None:
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=["view_customer", "view_invoice"])
    )
    answer = signed_in(clerk).get(change(story.alice))

    assert [table.title for table in answer.context["tables"]] == ["Invoices"]
    assert [highlight.title for highlight in answer.context["story"].highlights] == [
        "Owes",
        "Their time, UTC",
    ]
    for address in (change(story.alice), changelist(Customer)):
        assert b"alice@example.org" not in signed_in(clerk).get(address).content
    assert signed_in(clerk).post(change(story.alice), {}).status_code == 403


DETAILS = {
    "details-TOTAL_FORMS": "1",
    "details-MAX_NUM_FORMS": "1",
    "details-MIN_NUM_FORMS": "0",
}


def test_details_are_changed_by_the_customers_service(story: Story, operator: Client) -> None:
    answer = operator.post(
        change(story.alice),
        {
            "currency": "USD",
            "timezone": "Europe/London",
            "locale": "en",
            "metadata": "{}",
            **DETAILS,
            "details-INITIAL_FORMS": "1",
            "details-0-customer": str(story.alice.pk),
            "details-0-name": "Alice Hargreaves",
            "details-0-email": "alice@example.org",
        },
    )
    assert answer.status_code == 302, answer.context["errors"]

    alice = Customer.objects.readable().get(pk=story.alice.pk)
    me = User.objects.get(email="root@example.org")
    assert (alice.details.name, alice.timezone) == ("Alice Hargreaves", "Europe/London")
    assert (alice.version, alice.updated_by) == (3, f"user:{me.pk}")


def test_the_log_names_no_person(story: Story, operator: Client) -> None:
    test_details_are_changed_by_the_customers_service(story, operator)
    logged = LogEntry.objects.get()

    assert logged.object_repr == "alice"
    assert "Hargreaves" not in logged.change_message


def test_a_customer_is_made_by_the_customers_service(story: Story, operator: Client) -> None:
    entered = {
        "organization_id": "eve",
        "currency": "jpy",
        "timezone": "Asia/Tokyo",
        "locale": "ja",
        "metadata": "{}",
        **DETAILS,
        "details-INITIAL_FORMS": "0",
        "details-0-name": "Eve",
    }
    assert operator.post(add(Customer), {**entered, "timezone": "Mars"}).status_code == 200
    assert operator.post(add(Customer), {**entered, "currency": "XXQ"}).status_code == 200
    assert operator.post(add(Customer), {**entered, "organization_id": "bob"}).status_code == 200
    assert operator.post(add(Customer), entered).status_code == 302

    eve = Customer.objects.readable().get(organization_id="eve")
    assert (eve.currency, eve.details.name, eve.timezone) == ("JPY", "Eve", "Asia/Tokyo")
