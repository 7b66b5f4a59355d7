"""Every page opens, in few queries, for those who may see it and for nobody else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.admin import base, exports, reports, sidebar
from billing.core.crediting import Request
from billing.core.dunning import DunningPolicy
from billing.core.lifecycle import AttemptStatus, DisputeStatus
from billing.core.money import Money
from billing.core.returning import Destination
from billing.models import (
    DeliveryTry,
    Invoice,
    Payment,
    PaymentAttempt,
    Refund,
    UsageEvent,
)
from billing.models.portal import PortalPurpose
from billing.services import (
    credit_notes,
    disputes,
    dunning_policies,
    ingestion,
    payments,
    portal,
    profiles,
    refunds,
    routes,
    sealing,
    webhook_endpoints,
)
from billing.services.credit_notes import Order
from billing.services.refunds import Ask
from billing.services.usage import Report
from customers.models import Customer
from plans import services as plan_services
from plans.services import CouponTerms
from tests.admin.conftest import Story
from tests.admin.reporting import line, take_over
from tests.admin.urls_of import add, change, changelist, delete, registered

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12
OUR_APPS = ("billing", "plans", "customers")


@pytest.fixture(scope="module")
def _told(_told: Story) -> Story:
    """With a row in every table."""
    story = _told
    story.world.changes(story.charlie, plan="Premium", when="period_end")
    plan_services.create_coupon(
        "SPRING", terms=CouponTerms(percent_off=Decimal(20)), by="test", now=story.world.now
    )
    policy = dunning_policies.create(DunningPolicy(), by="test", now=story.world.now)
    profiles.change(
        story.charlie.pk,
        fields={"dunning_policy": policy.pk},
        by="test",
        now=story.world.now,
    )
    ingestion.take(
        [Report("lost", "alice", "teleports", Decimal(1))], by="test", now=story.world.now
    )
    _give_back(story)
    _ask_gateways(story)
    portal.open_session(
        story.alice,
        purpose=PortalPurpose.PORTAL,
        return_url="https://example.com/back",
        by="test",
        now=story.world.now,
    )
    _tell(story)
    sealing.seal(now=story.world.now)
    return story


def _give_back(story: Story) -> None:
    """Some of Alice's invoice goes back, some is credit, and she contests it in vain."""
    paid, now = Invoice.objects.get(customer=story.alice), story.world.now
    for to in (Destination.REFUND, Destination.BALANCE):
        part = Request(amount=Money(100, "USD"))
        credit_notes.issue(paid.pk, Order(part, to), by="test", now=now)
    payment = Payment.objects.get(allocations__invoice=paid)
    refunds.of_payment(payment.pk, Money(50, "USD"), Ask("test"), now=now)
    for refund in Refund.objects.unsent():
        refunds.collect(refund.pk, now=now)
    [dispute] = disputes.contest(paid.pk, by="test", reason="", now=now)
    disputes.decide(dispute.pk, DisputeStatus.WON, by="test", now=now)


def _ask_gateways(story: Story) -> None:
    """Every gateway has a row; one told of a payout, and a charge waits for Eve."""
    now, eve = story.world.now, story.world.customer("eve")
    for gateway, _ in routes.listed():
        routes.row(gateway.name)
    story.world.adds_card(eve, "tok_action")
    payments.collect(story.world.charges(story.world.drafts(eve, "5.00")).pk, now=now)
    charge = PaymentAttempt.objects.filter(status=AttemptStatus.SUCCEEDED).earliest("pk")
    take_over("190.00", line(charge.external_id, "198.00", "8.00", now=now), now=now)


def _tell(story: Story) -> None:
    """Somebody is told of something, in vain."""
    now = story.world.now
    endpoint, _ = webhook_endpoints.create("https://a.example/hooks", by="test", now=now)
    delivery = webhook_endpoints.send_test(endpoint.pk, now=now)
    DeliveryTry.objects.create(delivery=delivery, sent_at=now, took_ms=1, failure="TIMEOUT")


def test_every_list_opens_and_can_be_searched(story: Story, operator: Client) -> None:
    for model in registered():
        for address in (changelist(model), f"{changelist(model)}?q=alice"):
            with CaptureQueriesContext(connection) as queries:
                answer = operator.get(address)
            assert answer.status_code == 200, address
            assert len(queries) <= MOST_QUERIES, (address, len(queries))


def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    story: Story, operator: Client
) -> None:
    def cost(model: type[Customer | UsageEvent]) -> int:
        with CaptureQueriesContext(connection) as queries:
            operator.get(changelist(model))
        return len(queries)

    before = [cost(Customer), cost(UsageEvent)]
    for number in range(20):
        story.world.uses(story.world.customer(f"company-{number}"), 1)

    assert [cost(Customer), cost(UsageEvent)] == before


def test_many_rows_are_estimated_and_not_counted(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = UsageEvent.objects.order_by("-pk")
    assert base.EstimatedPaginator(rows, 50).count == 3

    monkeypatch.setattr(base, "EXACT_UP_TO", 2)
    with CaptureQueriesContext(connection) as queries:
        assert base.EstimatedPaginator(rows, 50).count >= 2
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "EXPLAIN"]
    assert "LIMIT 2" in queries[0]["sql"]


def test_every_filter_of_a_list_works(story: Story, operator: Client) -> None:
    for query in ("period_state=waiting", "period_state=counted"):
        assert operator.get(f"{changelist(UsageEvent)}?{query}").status_code == 200
    waiting = operator.get(f"{changelist(UsageEvent)}?period_state=waiting")

    assert [event.quantity for event in waiting.context["cl"].result_list] == [7]


def test_every_row_has_a_page(story: Story, operator: Client) -> None:
    without = []
    for model in registered():
        row = model._default_manager.first()
        if row is None:
            without.append(model._meta.label)
            continue
        assert operator.get(change(row)).status_code == 200, change(row)

    assert [label for label in without if label.split(".")[0] in OUR_APPS] == []


def test_no_label_covers_a_value(story: Story, operator: Client) -> None:
    """Beside each other, labels and values have room for three fields a line."""
    request = operator.get(reverse("admin:index")).wsgi_request
    for model in registered(*OUR_APPS):
        page: Any = admin.site.get_model_admin(model)
        sets = page.get_fieldsets(request, model._default_manager.first())
        lines = [line for _, options in sets for line in options["fields"]]
        longest = max((len(line) for line in lines if isinstance(line, list | tuple)), default=1)
        assert longest <= 3 or not page.compressed_fields, model


def test_every_row_that_can_be_added_has_a_form(story: Story, operator: Client) -> None:
    forms = [model for model in registered() if operator.get(add(model)).status_code == 200]

    assert sorted(model.__name__ for model in forms) == [
        "ApiToken",
        "BillingProfile",
        "Coupon",
        "Customer",
        "DunningPolicy",
        "Feature",
        "Group",
        "InvoiceSeries",
        "Meter",
        "Plan",
        "Seller",
        "User",
        "WebhookEndpoint",
    ]


def test_a_stranger_is_sent_to_sign_in(story: Story, client: Client) -> None:
    for model in registered(*OUR_APPS):
        answer = client.get(changelist(model))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))


def test_staff_without_rights_sees_nothing(story: Story, guest: Client) -> None:
    for model in registered():
        assert guest.get(changelist(model)).status_code == 403
        row = model._default_manager.first()
        assert row is None or guest.get(change(row)).status_code == 403

    assert b"alice" not in guest.get(reverse("admin:index")).content


def test_nothing_is_deleted_and_nothing_done_in_bulk(story: Story, operator: Client) -> None:
    for model in registered():
        row = model._default_manager.first()
        if row is None or model.__name__ == "Group":
            continue
        assert operator.post(delete(row), {"post": "yes"}).status_code == 403, model
        answer = operator.post(
            changelist(model),
            {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
        )
        assert model._default_manager.filter(pk=row.pk).exists(), answer.status_code


def test_books_cannot_be_written(story: Story, operator: Client) -> None:
    editable = {
        "BillingProfile",
        "Customer",
        "DunningPolicy",
        "Feature",
        "GatewayRoute",
        "Group",
        "InvoiceSeries",
        "Meter",
        "Plan",
        "Seller",
        "User",
        "WebhookEndpoint",
    }
    for model in registered():
        row = model._default_manager.first()
        if model.__name__ in editable and model._meta.app_label != "djstripe":
            continue
        assert row is None or operator.post(change(row), {"total_minor": 1}).status_code == 403
        if model.__name__ not in {"ApiToken", "Coupon"}:
            assert operator.post(add(model), {}).status_code == 403, model

    assert Invoice.objects.get(customer=story.alice).total_minor == 198_00


def test_the_sidebar_leads_to_what_one_may_view(
    story: Story, operator: Client, guest: Client
) -> None:
    def leads_to(browser: Client) -> set[str]:
        request = browser.get(reverse("admin:index")).wsgi_request
        return {item["link"] for group in sidebar.navigation(request) for item in group["items"]}

    pages = {reverse(f"admin:{page.NAME}") for page in (exports, reports)}
    assert leads_to(operator) == {changelist(model) for model in registered()} | pages
    assert leads_to(guest) == set()


def test_the_front_page_says_what_needs_attention(story: Story, operator: Client) -> None:
    request = operator.get(reverse("admin:index")).wsgi_request
    concerns = sidebar.front(request, {"app_list": []})["concerns"]

    assert {concern.title: concern.count for concern in concerns} == {
        "Invoices whose charge was declined": "1",
        "Invoices dunned to the end and still owed": "0",
        "Ends of dunning that could not be": "0",
        "Refunds to be paid out by hand": "0",
        "Refunds that failed": "0",
        "Disputes to be decided": "0",
        "Charges without an answer": "0",
        "Charges that need a decision": "0",
        "Refunds asked about in vain": "0",
        "Gateways that do not answer": "0",
        "Disputes whose evidence is due within 3 days": "0",
        "Notifications tried in vain": "0",
        "Webhook endpoints that we disabled": "0",
        "Subscriptions set aside by the run": "0",
        "Changes that failed when they were due": "0",
        "Tax numbers that nobody answers about": "0",
        "Usage that was not counted": "1",
        "Usage that waits for a period": "1",
    }
    for concern in concerns:
        answer = operator.get(concern.url)
        assert str(answer.context["cl"].result_count) == concern.count, concern.title
