"""A customer's own tokens: made, shown once, rotated, revoked, and nobody else's."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from billing import clock
from billing.models import ApiToken
from billing.services import tokens
from tests.api.calling import Caller
from tests.web.conftest import Browser, People
from tests.web.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS = "/billing/tokens/"


def _text(page: Page) -> str:
    found = re.search(r">(bsr_[\w-]{43})<", page.html)
    assert found is not None, page.text
    return found[1]


def _make(browser: Browser, **fields: str) -> tuple[ApiToken, str]:
    page = browser.post(TOKENS, **{"name": "shop", "life": "", **fields})
    assert (page.status, page.path, page.faults()) == (200, TOKENS, [])
    return ApiToken.objects.latest("created_at"), _text(page)


def test_the_way_there_is_on_the_overview(people: People) -> None:
    _, alice = people.signs_up("alice")

    assert f'href="{TOKENS}"' in alice.get("/billing/").html
    assert "There is none yet." in alice.get(TOKENS).text


def test_a_token_is_made_and_shown_once(people: People) -> None:
    customer, alice = people.signs_up("alice")

    token, text = _make(alice)

    assert Caller(text).get(f"/customers/{customer.pk}").status == 200
    assert (token.customer, token.expires_at) == (customer, None)
    assert token.created_by.startswith("user:")
    page = alice.get(TOKENS)
    assert f"shop, {token.prefix}…" in page.text
    assert "last used" in page.text
    assert text not in page.html
    assert text not in str([session.get_decoded() for session in Session.objects.all()])


def test_the_answer_with_the_text_is_not_to_be_kept(people: People) -> None:
    _, alice = people.signs_up("alice")

    answer = alice.client.post(TOKENS, {"name": "shop", "life": ""})

    assert "no-store" in answer.headers["Cache-Control"]
    assert "messages" not in answer.cookies
    assert not any("bsr_" in cookie.value for cookie in alice.client.cookies.values())


def test_it_may_only_read_and_expires_if_they_say_so(people: People) -> None:
    _, alice = people.signs_up("alice")

    token, text = _make(alice, is_read_only="on", life="90")

    assert token.is_read_only
    assert token.expires_at is not None
    assert (token.expires_at - token.created_at).days == 90
    assert "May only read." in alice.get(TOKENS).text
    assert Caller(text).post("/tokens", {"name": "x", "role": "customer"}).status == 403


def test_a_token_without_a_name_is_none(people: People) -> None:
    _, alice = people.signs_up("alice")

    page = alice.post(TOKENS, name=" ", life="")

    assert (page.status, page.faults()) == (422, [])
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize(("overlap", "status"), [("none", 401), ("day", 200)])
def test_a_token_is_rotated(people: People, overlap: str, status: int) -> None:
    _, alice = people.signs_up("alice")
    token, old = _make(alice)
    path = f"{TOKENS}{token.pk}/rotate/"
    assert "Rotate shop" in alice.get(path).text

    page = alice.post(path, overlap=overlap)

    assert page.faults() == []
    assert Caller(_text(page)).get("/plans").status == 200
    assert Caller(old).get("/plans").status == status
    assert alice.post(path, overlap=overlap).status == 422


def test_a_token_is_revoked(people: People) -> None:
    _, alice = people.signs_up("alice")
    token, text = _make(alice)
    assert "Revoke shop" in alice.get(f"{TOKENS}{token.pk}/revocation/").text

    page = alice.post(f"{TOKENS}{token.pk}/revoke/")

    assert page.path == TOKENS
    assert "Revoked" in page.text
    assert Caller(text).get("/plans").status == 401


def test_nobody_elses_are_there(people: People, stranger: Browser) -> None:
    customer, _ = people.signs_up("alice")
    hers, text = tokens.issue("hers", now=clock.now(), customer=customer)
    operators, _ = tokens.issue("ours", now=clock.now())

    assert "There is none yet." in stranger.get(TOKENS).text
    for token in (hers, operators):
        for act in ("rotate", "revocation"):
            assert stranger.status_of(f"{TOKENS}{token.pk}/{act}/") == 404
        for act in ("rotate", "revoke"):
            assert stranger.post(f"{TOKENS}{token.pk}/{act}/", overlap="none").status == 404
    assert Caller(text).get("/plans").status == 200


def test_a_form_without_its_token_is_refused(people: People) -> None:
    _, alice = people.signs_up("alice")
    token, _ = _make(alice)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = alice.client.cookies

    for path in (TOKENS, f"{TOKENS}{token.pk}/rotate/", f"{TOKENS}{token.pk}/revoke/"):
        assert strict.post(path, {"name": "x"}).status_code == 403
