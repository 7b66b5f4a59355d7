"""`/test-clocks`."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.api.calling import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_clock_stands_until_it_is_advanced(operator: Caller) -> None:
    made = operator.post("/test-clocks", {"now": "2026-03-28T10:00:00+01:00"})

    assert made.status == 201
    assert made.body["now"] == "2026-03-28T09:00:00Z"
    path = f"/test-clocks/{made.body['id']}"
    assert operator.get(path).body == made.body

    moved = operator.post(f"{path}/advance", {"now": "2026-04-28T09:00:00Z"})

    assert (moved.status, moved.body["now"]) == (200, "2026-04-28T09:00:00Z")
    assert operator.get(path).body["now"] == "2026-04-28T09:00:00Z"
    assert operator.get("/test-clocks").body["total"] == 1


def test_a_clock_does_not_go_back(operator: Caller) -> None:
    made = operator.post("/test-clocks", {"now": "2026-03-28T09:00:00Z"}).body

    answer = operator.post(f"/test-clocks/{made['id']}/advance", {"now": "2026-03-27T09:00:00Z"})

    assert (answer.status, answer.code) == (400, "clock_cannot_go_back")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"now": "2026-03-28T09:00:00"}, "invalid_request"),
        ({"now": "2026-03-28T09:00:00Z", "name": "x"}, "unknown_field"),
    ],
)
def test_bad_clocks(operator: Caller, body: dict[str, str], code: str) -> None:
    answer = operator.post("/test-clocks", body)

    assert (answer.status, answer.code) == (400, code)


def test_production_has_none_for_anybody(operator: Caller, settings: Settings) -> None:
    made = operator.post("/test-clocks", {"now": "2026-03-28T09:00:00Z"}).body
    settings.TEST_CLOCKS = False

    for who in (operator, Caller()):
        for method, path in (
            ("GET", "/test-clocks"),
            ("POST", "/test-clocks"),
            ("GET", f"/test-clocks/{made['id']}"),
            ("POST", f"/test-clocks/{made['id']}/advance"),
        ):
            answer = who.send(method, path, {"now": "2026-04-28T09:00:00Z"})
            assert (answer.status, answer.code) == (404, "not_found")
