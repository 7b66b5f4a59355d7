"""Who may do what: every operation of every address by six callers. None may be missing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern

from billing.api import urls
from billing.api.endpoint import Nowhere
from billing.api.prism import urls as prism_urls
from billing.services import (
    tokens,
)
from tests.api.addresses import ids_of
from tests.api.calling import Caller, caller
from tests.api.rights import CALLERS, EVENT, PLAN, TABLE
from tests.api.stage import NOW, Stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stage")]

REFUSED = ("expired",)  # whoever they were, they are answered like nobody
MISSING = "0198d5a2-0000-7000-8000-000000000001"


def test_every_operation_has_its_row() -> None:
    assert set(_operations()) == set(TABLE)


@pytest.mark.parametrize("operation", TABLE)
def test_who_may_do_what(operation: str, stage: Stage) -> None:
    row = TABLE[operation]
    method, _, template = operation.partition(" ")
    path = f"{_rooted(template).format(**ids_of(stage, operation))}{row.query(stage)}"
    body = row.body(stage)

    expected = dict(zip(CALLERS, row.statuses, strict=True))
    for who, status in {**expected, **dict.fromkeys(REFUSED, expected["nobody"])}.items():
        as_it_was = transaction.savepoint()
        answer = _caller(stage, who).send(method, path, body)
        assert answer.status == status, (who, answer.body)
        transaction.savepoint_rollback(as_it_was)


@pytest.mark.parametrize("operation", [name for name in TABLE if "{" in name])
def test_what_never_was_is_answered_like_a_strangers(operation: str, stage: Stage) -> None:
    row = TABLE[operation]
    method, _, template = operation.partition(" ")
    ids = dict.fromkeys(ids_of(stage), MISSING)

    answer = _caller(stage, "operator").send(
        method, f"{_rooted(template).format(**ids)}{row.query(stage)}", row.body(stage)
    )

    assert (answer.status, answer.code) == (404, "not_found")


def test_strangers_find_nothing_of_alices_in_lists(stage: Stage) -> None:
    stranger = _caller(stage, "stranger")

    ids_of(stage, "charge_id")

    for noun in ("subscriptions", "invoices", "payment-methods", "charges"):
        assert stranger.get(f"/{noun}").body["total"] == 0
        assert _caller(stage, "owner").get(f"/{noun}").body["total"] > 0
        assert stranger.get(f"/{noun}?customer={stage.alice.pk}").status == 404
    assert [c["organization_id"] for c in stranger.get("/customers").body["customers"]] == ["bob"]


def test_a_stranger_cannot_report_for_alice(stage: Stage) -> None:

    answer = _caller(stage, "stranger").post("/usage-events", EVENT)

    assert answer.body["accepted"] == 0
    assert [row["code"] for row in answer.body["rejected"]] == ["unknown_customer"]


def test_refusals_say_why(stage: Stage) -> None:
    assert _caller(stage, "reader").post("/usage-events", EVENT).code == "read_only_token"
    assert _caller(stage, "owner").post("/plans", PLAN).code == "operator_only"
    nobody = _caller(stage, "nobody").get("/plans")
    assert nobody.code == "not_authenticated"
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_head_is_no_way_around(stage: Stage) -> None:
    assert _caller(stage, "owner").send("HEAD", "/journal", None).status == 403


@pytest.mark.parametrize("header", ["Bearer bsr_wrong", "Bearer ", "Basic YTpi", "nonsense"])
def test_what_is_no_token_is_refused(header: str) -> None:
    answer = Caller().get("/plans", Authorization=header)

    assert (answer.status, answer.code) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_revoked_token_is_refused() -> None:
    token, text = tokens.issue("test", now=NOW)
    assert Caller(text).get("/plans").status == 200

    tokens.revoke(token, now=NOW)

    assert Caller(text).get("/plans").code == "invalid_token"


def test_a_token_is_kept_as_its_hash() -> None:
    token, text = tokens.issue("test", now=NOW)

    assert text not in {str(value) for value in vars(token).values()}


def _caller(stage: Stage, who: str) -> Caller:
    if who == "nobody":
        return Caller()
    if who == "operator":
        return caller()
    if who == "expired":
        _, text = tokens.issue("test", now=NOW, expires_at=NOW + timedelta(hours=1))
        return Caller(text)
    return caller(stage.bob if who == "stranger" else stage.alice, is_read_only=who == "reader")


def _rooted(template: str) -> str:
    """The table leaves out where `/api/v1` begins."""
    return template if template.startswith("/") else f"/{template}"


def _operations() -> list[str]:
    """`METHOD path` of everything that is mounted."""
    found = []
    mounted = [("", pattern) for pattern in urls.urlpatterns]
    mounted += [("/billing/", pattern) for pattern in prism_urls.urlpatterns]
    for base, pattern in mounted:
        assert isinstance(pattern, URLPattern)
        view: Any = vars(pattern.callback)["view_class"]  # as_view() left it there
        if view is not Nowhere:
            path = base + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
            methods = ("get", "post", "put", "patch", "delete")
            found += [f"{m.upper()} {path}" for m in methods if hasattr(view, m)]
    return found
