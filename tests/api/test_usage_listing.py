"""`GET /usage-events`."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from billing import clock
from customers.models import Customer
from tests.api.calling import Caller
from tests.builders import make_meter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _meters(alice: Customer) -> None:
    make_meter("api_calls")
    make_meter("tokens")


def test_events_are_listed_as_they_stand(
    operator: Caller, as_alice: Caller, as_charlie: Caller, alice: Customer
) -> None:
    for number, meter in enumerate(("api_calls", "tokens", "api_calls")):
        event = {"id": f"e{number}", "customer": "alice", "meter": meter, "quantity": "1"}
        assert operator.post("/usage-events", event).body["accepted"] == 1
    operator.send(
        "PUT", "/usage-events/e0", {"customer": "alice", "meter": "api_calls", "quantity": "5"}
    )
    operator.delete("/usage-events/e1?customer=alice")

    whole = operator.get("/usage-events").body["usage_events"]
    assert [(each["id"], each["quantity"], each["revision"]) for each in whole] == [
        ("e0", "5", 1),
        ("e2", "1", 0),
    ]
    first = operator.get("/usage-events?limit=1").body
    second = operator.get(first["next"].partition("/api/v1")[2]).body
    assert [first["usage_events"], second["usage_events"]] == [whole[:1], whole[1:]]
    assert second["next"] is None
    assert (
        as_alice.get("/usage-events?customer=alice&meter=api_calls").body["usage_events"] == whole
    )
    assert as_alice.get("/usage-events?meter=tokens").body["usage_events"] == []
    assert as_charlie.get("/usage-events").body["usage_events"] == []
    assert as_charlie.get("/usage-events?customer=alice").code == "not_found"


def test_events_are_listed_by_when_they_occurred(operator: Caller, alice: Customer) -> None:
    now = clock.now()
    for days in range(3):
        event = {
            "id": f"e{days}",
            "customer": "alice",
            "meter": "api_calls",
            "quantity": "1",
            "occurred_at": (now - timedelta(days=days)).isoformat(),
        }
        assert operator.post("/usage-events", event).body["accepted"] == 1
    middle = quote((now - timedelta(days=1)).isoformat())

    def ids(query: str) -> list[str]:
        return [each["id"] for each in operator.get(f"/usage-events?{query}").body["usage_events"]]

    assert ids(f"from={middle}") == ["e1", "e0"]
    assert ids(f"to={middle}") == ["e2"]
