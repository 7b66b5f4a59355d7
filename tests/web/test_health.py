from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from billing import tasks

HEALTH = "billing.web.health"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker answers, beat has beaten, Stripe is there; PostgreSQL and Redis really are."""
    monkeypatch.setattr(f"{HEALTH}.current_app.control.broadcast", lambda *_, **__: [{}])
    monkeypatch.setattr(f"{HEALTH}.urllib.request.urlopen", _Answer)
    tasks.heartbeat()


class _Answer:
    def __init__(self, *_: Any, **__: Any) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def down(*_: Any, **__: Any) -> Any:
    raise OSError("no answer")


def test_when_all_works(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["failing"] == []


@pytest.mark.parametrize(
    ("broken", "failing"),
    [
        ("django.core.cache.cache.set", ["redis"]),
        ("billing.web.health.urllib.request.urlopen", ["stripe"]),
        ("billing.web.health.current_app.control.broadcast", ["worker"]),
        ("billing.web.health.connection.cursor", ["postgresql"]),
    ],
)
def test_the_part_that_is_down_is_named_and_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch, broken: str, failing: list[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(broken, down)
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["failing"]) == (503, failing)


def test_a_silent_timetable_is_named(client: Client) -> None:
    cache.delete(tasks.HEARTBEAT_KEY)
    assert client.get("/healthz").json()["failing"] == ["beat"]
