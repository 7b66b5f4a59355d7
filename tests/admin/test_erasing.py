"""An operator exports what is held on somebody, and erases them."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import Customer, User
from tests.admin.conftest import Story, signed_in
from tests.admin.pressing import send
from tests.admin.urls_of import action, change
from tests.world import World

pytestmark = pytest.mark.django_db


def test_what_is_held_on_somebody_is_downloaded(story: Story, operator: Client) -> None:
    answer = operator.get(action(story.alice, "export"))

    assert answer.headers["Content-Type"].startswith("application/json")
    held = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert held["details"][0]["name"] == "Alice Liddell"


def test_who_may_not_see_the_person_may_not_export_them(story: Story) -> None:
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.add(
        *Permission.objects.filter(
            codename__in=["view_customer", "change_customer"],
            content_type__app_label="customers",
        )
    )

    assert signed_in(clerk).get(action(story.alice, "export")).status_code == 403


def test_erasing_is_asked_about_and_refused_with_the_reason(story: Story, operator: Client) -> None:
    assert "cannot be undone" in operator.get(action(story.alice, "erase")).content.decode()

    _, said = send(operator, story.alice, "erase", _form_submitted="on")

    assert said == ["This customer cannot be erased yet: a subscription is live."]


def test_a_person_is_erased_and_the_log_does_not_name_them(world: World, operator: Client) -> None:
    alice = world.at("2026-03-28 09:00").customer("alice-of-wonderland")

    page, said = send(operator, alice, "erase", _form_submitted="on")

    assert said == ["The person was erased."]
    assert "Erase the person" not in page
    assert Customer.objects.get(pk=alice.pk).erased_at == world.now
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {f"erased-{alice.pk}"}
    assert "wonderland" not in operator.get(change(alice)).content.decode()
