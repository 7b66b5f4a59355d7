"""Usage that was not counted, as operators see it, and usage from a file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.admin.usage import WAITING
from billing.models import RejectedUsage, UsageEvent
from billing.models.rejection import Resolution
from billing.services import ingestion, usage
from billing.services.usage import Report
from customers.models import Customer
from tests import builders
from tests.admin.conftest import Story
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, change, changelist

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


def _reject(story: Story, *reports: Report) -> list[RejectedUsage]:
    ingestion.take(reports, by="token bsr_1…", now=story.world.now)
    return list(RejectedUsage.objects.order_by("pk"))


def _report(event_id: str = "e1", meter: str = "teleports", **fields: Any) -> Report:
    return Report(event_id, fields.pop("customer", "alice"), meter, Decimal(1), **fields)


def _many(operator: Client, name: str, rows: list[RejectedUsage]) -> list[str]:
    chosen = {"action": name, "_selected_action": [str(row.pk) for row in rows]}
    answer = operator.post(changelist(RejectedUsage), chosen, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_they_are_grouped_by_code_and_lead_to_their_list(story: Story, operator: Client) -> None:
    _reject(story, _report("e1"), _report("e2"), _report("e3", customer="nobody"))

    page = operator.get(changelist(RejectedUsage))

    [table] = page.context["tables"]
    assert [[str(cell) for cell in row[1:3]] for row in table.rows] == [["2", "2"], ["1", "1"]]
    assert "status=open&amp;code__exact=unknown_meter" in str(table.rows[0][0])
    narrowed = operator.get(f"{changelist(RejectedUsage)}?status=open&code__exact=unknown_meter")
    assert narrowed.context["cl"].result_count == 2


def test_what_was_reported_is_shown_and_does_nothing(story: Story, operator: Client) -> None:
    [row] = _reject(story, _report(SCRIPT, SCRIPT, customer=SCRIPT, properties={"a": SCRIPT}))

    for address in (changelist(RejectedUsage), change(row)):
        page = operator.get(address).content.decode()
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page


def test_one_is_tried_again_and_its_message_says_what_came_of_it(
    story: Story, operator: Client
) -> None:
    [row] = _reject(story, _report())
    assert act(operator, row, "retry") == ["It is rejected again: There is no meter 'teleports'."]
    builders.make_meter("teleports")

    assert act(operator, row, "retry") == ["It is counted."]

    row.refresh_from_db()
    assert (row.resolution, row.resolved_by.partition(":")[0]) == (Resolution.COUNTED, "user")
    page = operator.get(change(row)).content.decode()
    assert all(action(row, name) not in page for name in ("retry", "retry_any_age", "dismiss"))


def test_many_are_tried_again_and_dismissed(story: Story, operator: Client) -> None:
    rows = _reject(story, _report("e1"), _report("e2", "jumps"), _report("e3", customer="nobody"))
    builders.make_meter("teleports")

    assert _many(operator, "retry_selected", rows) == [
        "1 counted, 0 had been counted already, 2 rejected again."
    ]
    assert _many(operator, "dismiss_selected", rows) == ["2 dismissed."]
    assert RejectedUsage.objects.filter(resolved_at=None).count() == 0
    assert UsageEvent.objects.filter(event_id="e1").count() == 1


def test_only_what_was_too_old_is_offered_whatever_its_age(story: Story, operator: Client) -> None:
    old = story.world.now - timedelta(days=61)
    first, second = _reject(story, _report("e1", "api_calls", occurred_at=old), _report("e2"))
    assert action(first, "retry_any_age") in operator.get(change(first)).content.decode()
    assert action(second, "retry_any_age") not in operator.get(change(second)).content.decode()

    assert act(operator, first, "retry_any_age") == ["It is counted."]

    assert UsageEvent.objects.get(event_id="e1").occurred_at == old


def test_who_may_only_look_is_offered_nothing(story: Story, guest: Client) -> None:
    [row] = _reject(story, _report())

    assert guest.get(changelist(RejectedUsage)).status_code == 403
    assert guest.post(action(row, "retry")).status_code == 403
    assert guest.get(reverse("admin:billing_usageevent_upload")).status_code == 403


def test_usage_that_waits_says_why(story: Story, operator: Client) -> None:
    builders.make_meter("teleports")
    story.world.customer("eve")
    now = story.world.now
    usage.record(
        [
            _report("no plan of hers", occurred_at=now),
            _report("nobody's", "api_calls", customer="eve", occurred_at=now),
            _report("before", "api_calls", occurred_at=now - timedelta(days=50)),
        ],
        now=now,
    )

    page = operator.get(f"{changelist(UsageEvent)}?period_state={WAITING}")

    why = {event.event_id: event.why for event in page.context["cl"].result_list}
    assert why["no plan of hers"] == "Plan lacks the meter"
    assert why["nobody's"] == "No subscription"
    assert why["before"] == "Outside of all periods"
    text = text_of(page.content)
    assert "Usage that waits for a period" in text
    assert "0 days" in text
    [table] = page.context["tables"]
    assert ["Plan lacks the meter", "teleports", 1, 1] in [row[:4] for row in table.rows]


def test_a_file_is_counted_and_what_was_not_is_listed(story: Story, operator: Client) -> None:
    at = story.world.now.isoformat()
    text = (
        "id;customer;meter;quantity;occurred_at;region\r\n"
        f"f1;alice;api_calls;2.5;{at};eu\r\n"
        f"f1;alice;api_calls;2.5;{at};eu\r\n"
        f"f2;alice;{SCRIPT};1;{at};\r\n"
        "f3;alice;api_calls\r\n"
    )

    page = _upload(operator, text.encode())

    receipt = page.context["receipt"]
    assert (receipt.accepted, receipt.duplicates) == (1, 1)
    assert [(row.index, row.code) for row in receipt.rejected] == [
        (2, "unknown_meter"),
        (3, "malformed_row"),
    ]
    shown = page.content.decode()
    assert "There is no meter" in shown
    assert SCRIPT not in shown
    event = UsageEvent.objects.get(event_id="f1")
    assert (event.quantity, event.properties) == (Decimal("2.5"), {"region": "eu"})
    assert RejectedUsage.objects.filter(reported_by__startswith="user:").count() == 2


def test_a_file_that_is_none_is_refused_at_the_form(story: Story, operator: Client) -> None:
    page = _upload(operator, b"id,customer\r\ne1,alice\r\n")

    assert page.context["receipt"] is None
    assert "There is no column meter, quantity." in text_of(page.content)


def _upload(operator: Client, content: bytes) -> Any:
    file = SimpleUploadedFile("usage.csv", content, "text/csv")
    return operator.post(reverse("admin:billing_usageevent_upload"), {"file": file})


def test_a_customers_pages_lead_on(story: Story, operator: Client) -> None:
    [row] = _reject(story, _report())

    assert row.customer == Customer.objects.get(organization_id="alice")
    assert str(story.alice.pk) in operator.get(change(row)).content.decode()
