"""Tokens in the admin: made, rotated and revoked, never edited, their texts shown once."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from billing.models import ApiToken
from tests.admin.conftest import Story
from tests.admin.test_actions import act
from tests.admin.urls_of import action, add, change, changelist, delete
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db

NEW = {
    "name": "export",
    "is_read_only": "on",
    "expires_at_0": "2099-01-01",
    "expires_at_1": "00:00",
}


def _text(page: bytes) -> str:
    found = re.search(r">(bsr_[\w-]{43})<", page.decode())
    assert found is not None
    return found[1]


def _make(operator: Client) -> tuple[ApiToken, str]:
    answer = operator.post(add(ApiToken), NEW)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "messages" not in answer.cookies
    return ApiToken.objects.get(name="export"), _text(answer.content)


def test_a_token_is_made_and_shown_once(story: Story, operator: Client) -> None:
    token, text = _make(operator)

    assert text.startswith(token.prefix)
    assert (token.role, token.is_read_only) == ("OPERATOR", True)
    assert token.expires_at is not None
    assert token.created_by.startswith("user:")
    assert Caller(text).get("/journal").status == 200
    for page in (operator.get(change(token)), operator.get(changelist(ApiToken))):
        assert text not in page.content.decode()
        assert token.digest not in page.content.decode()
    logged = list(LogEntry.objects.values("object_repr", "change_message"))
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert text not in json.dumps([logged, sessions])


def test_one_that_is_made_too_late_is_refused(story: Story, operator: Client) -> None:
    answer = operator.post(add(ApiToken), NEW | {"expires_at_0": "2020-01-01"}, follow=True)

    assert [str(message) for message in answer.context["messages"]] == [
        "It would be expired already."
    ]
    assert not ApiToken.objects.filter(name="export").exists()


def test_a_token_is_rotated(story: Story, operator: Client) -> None:
    token, old = _make(operator)
    assert operator.get(action(token, "rotate")).status_code == 200

    answer = operator.post(action(token, "rotate"), {"hours": "0"})

    new = _text(answer.content)
    assert Caller(old).get("/journal").status == 401
    assert Caller(new).get("/journal").status == 200
    successor = ApiToken.objects.get(predecessor=token)
    assert str(token) in operator.get(change(successor)).content.decode()
    again = operator.post(action(token, "rotate"), {"hours": "0"})
    assert b"It has ended" in again.content


def test_a_token_is_revoked_and_by_whom(story: Story, operator: Client) -> None:
    token, text = _make(operator)

    assert act(operator, token, "revoke") == ["The token is revoked."]

    assert Caller(text).get("/journal").status == 401
    token.refresh_from_db()
    assert token.revoked_by == token.created_by
    assert token.revoked_by in operator.get(change(token)).content.decode()


def test_nothing_else_can_be_done_to_it(story: Story, operator: Client, guest: Client) -> None:
    assert operator.post(change(story.token), {"name": "other"}).status_code == 403
    assert operator.post(delete(story.token)).status_code == 403
    assert guest.get(action(story.token, "rotate")).status_code == 403
    assert guest.post(add(ApiToken), NEW).status_code == 403
