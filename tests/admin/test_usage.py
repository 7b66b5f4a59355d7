"""Usage as operators see it, and the one thing they do to it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from billing.models import JournalEntry, UsageEvent, UsageTotal
from billing.services import usage
from billing.services.usage import Report
from customers.models import User
from tests.admin.conftest import Story
from tests.admin.test_actions import act
from tests.admin.urls_of import action, change, changelist

pytestmark = pytest.mark.django_db


def _listed(operator: Client, model: type[UsageEvent | UsageTotal], query: str) -> list[Decimal]:
    answer = operator.get(f"{changelist(model)}?{query}")
    return [row.quantity for row in answer.context["cl"].result_list]


def test_an_event_is_withdrawn(story: Story, operator: Client) -> None:
    event = UsageEvent.objects.get(customer=story.alice, quantity=450)
    assert b"no more" in operator.get(action(event, "withdraw")).content

    assert act(operator, event, "withdraw") == ["The event is withdrawn."]

    event.refresh_from_db()
    me = User.objects.get(email="root@example.org")
    assert (event.withdrawn_at, event.withdrawn_by) == (story.world.now, f"user:{me.pk}")
    assert JournalEntry.objects.get(kind="USAGE_WITHDRAWN").context["by"] == f"user:{me.pk}"
    page = operator.get(change(event)).content.decode()
    assert action(event, "withdraw") not in page
    assert f"user:{me.pk}" in page


def test_events_are_found_by_what_became_of_them(story: Story, operator: Client) -> None:
    act(operator, UsageEvent.objects.get(quantity=450), "withdraw")

    for state, quantities in (("waiting", [7]), ("counted", [300]), ("withdrawn", [450])):
        assert _listed(operator, UsageEvent, f"period_state={state}") == quantities


def test_a_total_shows_what_is_still_to_be_adjusted(story: Story, operator: Client) -> None:
    april = UsageTotal.objects.get(period__customer=story.alice, quantity=300)
    late = Report("late", "alice", "api_calls", Decimal("2.5"), april.latest_at)
    usage.record([late], now=story.world.now)

    page = operator.get(change(april)).content.decode()
    assert all(figure in page for figure in ("302.5", "300", "2.5"))
    assert _listed(operator, UsageTotal, "billed_state=differs") == [Decimal("302.5")]
    assert Decimal(450) in _listed(operator, UsageTotal, "billed_state=open")
    assert Decimal("302.5") in _listed(operator, UsageTotal, "billed_state=billed")
