"""`/customers/{id}/entitlements` and `/customers/{id}/usage`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calling import Caller
from tests.builders import make_meter
from tests.world import World

pytestmark = pytest.mark.django_db


def test_what_a_customer_may_do(world: World, operator: Caller) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.uses(alice, 100)
    path = f"/customers/{alice.pk}/entitlements"

    one = operator.get(f"{path}/api_calls").body

    assert one == {
        "feature": "api_calls",
        "granted": True,
        "reason": "subscribed",
        "limit": "253.333333333333",
        "used": "100",
        "remaining": "153.333333333333",
        "resets_at": "2026-05-01T00:00:00Z",
    }
    assert operator.get(path).body == {
        "total": 1,
        "limit": 10,
        "offset": 0,
        "entitlements": [one],
    }


def test_what_no_plan_speaks_of(world: World, operator: Caller) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")

    assert operator.get(f"/customers/{alice.pk}/entitlements/teleport").body == {
        "feature": "teleport",
        "granted": False,
        "reason": "not_in_plan",
        "limit": None,
        "used": None,
        "remaining": None,
        "resets_at": None,
    }


def test_without_a_subscription(world: World, operator: Caller) -> None:
    alice = world.at("2026-03-28 09:00").customer("alice")
    path = f"/customers/{alice.pk}/entitlements"

    assert operator.get(path).body["entitlements"] == []
    assert operator.get(f"{path}/api_calls").body["reason"] == "no_subscription"


def test_usage_by_local_day(world: World, operator: Caller) -> None:
    alice = world.at("2026-04-10 20:00").customer("alice", timezone="Asia/Tokyo")
    world.uses(alice, 5)  # it is the 11th in Tokyo
    world.at("2026-04-12 10:00").uses(alice, "2.5")

    body = operator.get(f"{_path(alice)}&from=2026-04-10&to=2026-04-13").body

    assert body == {
        "customer": str(alice.pk),
        "meter": "api_calls",
        "unit": "",
        "timezone": "Asia/Tokyo",
        "bucket": "day",
        "from": "2026-04-09T15:00:00Z",
        "to": "2026-04-12T15:00:00Z",
        "quantity": "7.5",
        "usage": [
            _bucket("2026-04-09T15:00:00Z", "2026-04-10T15:00:00Z", "0", "0"),
            _bucket("2026-04-10T15:00:00Z", "2026-04-11T15:00:00Z", "5", "5"),
            _bucket("2026-04-11T15:00:00Z", "2026-04-12T15:00:00Z", "2.5", "7.5"),
        ],
    }


def test_usage_by_local_hour(world: World, operator: Caller) -> None:
    alice = world.at("2026-03-28 20:00").customer("alice", timezone="Europe/Berlin")
    world.at("2026-03-29 00:30").uses(alice, 5)
    world.at("2026-03-29 01:30").uses(alice, "2.5")  # half past three: two was left out

    body = operator.get(f"{_path(alice)}&bucket=hour&from=2026-03-29&to=2026-03-30").body

    assert (body["bucket"], body["quantity"], len(body["usage"])) == ("hour", "7.5", 23)
    assert (body["from"], body["to"]) == ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
    assert body["usage"][1:4] == [
        _bucket("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "5", "5"),
        _bucket("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2.5", "7.5"),
        _bucket("2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z", "0", "7.5"),
    ]
    assert operator.get(f"{_path(alice)}&bucket=hour").body["usage"] == body["usage"]
    longest = operator.get(f"{_path(alice)}&bucket=hour&from=2026-03-01&to=2026-04-01")
    assert len(longest.body["usage"]) == 31 * 24 - 1


def test_instants_name_their_local_days(world: World, operator: Caller) -> None:
    alice = world.at("2026-04-12 10:00").customer("alice")
    days = "from=2026-04-10T08:00:00Z&to=2026-04-12T00:00:00Z"
    longer = "from=2026-04-10T08:00:00Z&to=2026-04-12T00:00:01Z"

    assert len(operator.get(f"{_path(alice)}&{days}").body["usage"]) == 2
    assert len(operator.get(f"{_path(alice)}&{longer}").body["usage"]) == 3


def test_the_last_thirty_days_unless_asked(world: World, operator: Caller) -> None:
    alice = world.at("2026-04-12 10:00").customer("alice")

    body = operator.get(_path(alice)).body

    assert (body["from"], body["to"]) == ("2026-03-14T00:00:00Z", "2026-04-13T00:00:00Z")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "required"),
        ("meter=teleports", 404, "not_found"),
        ("meter=api_calls&bucket=hour&from=2026-03-10&to=2026-04-12", 400, "invalid_range"),
        ("meter=api_calls&bucket=year", 400, "invalid_choice"),
        ("meter=api_calls&from=2026-04-10T08:00:00", 400, "invalid_instant"),
        ("meter=api_calls&to=yesterday", 400, "invalid_instant"),
        ("meter=api_calls&from=2026-04-10&to=2026-04-09", 400, "invalid_range"),
        ("meter=api_calls&from=2025-04-10&to=2026-04-12", 400, "invalid_range"),
        ("meter=api_calls&group=region", 400, "unknown_field"),
    ],
)
def test_bad_questions(
    *, operator: Caller, world: World, query: str, status: int, code: str
) -> None:
    alice = world.at("2026-04-12 10:00").customer("alice")
    make_meter()

    answer = operator.get(f"/customers/{alice.pk}/usage?{query}")

    assert (answer.status, answer.code) == (status, code)


def _path(customer: Any) -> str:
    return f"/customers/{customer.pk}/usage?meter=api_calls"


def _bucket(start: str, end: str, quantity: str, running: str) -> dict[str, str]:
    return {"start": start, "end": end, "quantity": quantity, "running": running}
