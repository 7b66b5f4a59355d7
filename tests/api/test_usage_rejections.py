"""`/usage-rejections`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing import clock
from billing.models import RejectedUsage, UsageEvent
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _meter(alice: Customer) -> None:
    builders.make_meter("api_calls")


def _event(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    event = {"id": event_id, "customer": "alice", "meter": "teleports", "quantity": "1.5"}
    return {**event, **fields}


def _report(caller: Caller, *events: Any) -> None:
    assert caller.post("/usage-events", {"events": list(events)}).status == 202


def _listed(operator: Caller, query: str = "") -> list[str]:
    body = operator.get(f"/usage-rejections?{query}").body
    return [row["event_id"] for row in body["rejections"]]


def test_one_as_it_is_listed(operator: Caller, as_alice: Caller, alice: Customer) -> None:
    _report(as_alice, _event(quantity="many"))

    [row] = operator.get("/usage-rejections").body["rejections"]

    kept = RejectedUsage.objects.get()
    received_at = kept.received_at.isoformat().replace("+00:00", "Z")
    assert row == {
        "id": str(kept.pk),
        "status": "open",
        "code": "invalid_quantity",
        "detail": "“quantity”: A decimal number as a string, like “12.5”.",
        "event_id": "e1",
        "customer": str(alice.pk),
        "customer_name": "alice",
        "meter": "teleports",
        "event": _event(quantity="many"),
        "is_retryable": False,
        "index": 0,
        "reported_by": row["reported_by"],
        "received_at": received_at,
        "last_received_at": received_at,
        "tries": 1,
        "resolved_at": None,
        "resolved_by": "",
    }
    assert row["reported_by"].startswith("token bsr_")
    assert operator.get(f"/usage-rejections/{kept.pk}").body == row


def test_they_are_found_by_what_they_are(operator: Caller, alice: Customer) -> None:
    _report(
        operator,
        _event("e1"),
        _event("e2", customer=str(alice.pk), meter="jumps"),
        _event("e3", customer="bob"),
        "text",
    )
    dismissed = RejectedUsage.objects.get(event_id="e2")
    operator.delete(f"/usage-rejections/{dismissed.pk}")
    hence = (clock.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")

    assert _listed(operator) == ["", "e3", "e2", "e1"]
    assert _listed(operator, "code=unknown_customer") == ["e3"]
    assert _listed(operator, f"customer={alice.pk}") == _listed(operator, "customer=alice")
    assert _listed(operator, "customer=alice") == ["e2", "e1"]
    assert _listed(operator, "customer=bob") == ["e3"]
    assert _listed(operator, "meter=jumps") == _listed(operator, "status=dismissed") == ["e2"]
    assert _listed(operator, "status=open") == ["", "e3", "e1"]
    assert _listed(operator, f"from={hence}") == _listed(operator, "status=counted") == []
    assert _listed(operator, f"to={hence}&limit=2") == ["", "e3"]


def test_page_by_page(operator: Caller) -> None:
    _report(operator, *(_event(f"e{number}") for number in range(3)))

    page = operator.get("/usage-rejections?limit=2&code=unknown_meter").body
    rest = operator.get(page["next"].partition("/api/v1")[2]).body

    assert [row["event_id"] for row in (*page["rejections"], *rest["rejections"])] == [
        "e2",
        "e1",
        "e0",
    ]
    assert rest["next"] is None


def test_one_is_tried_again(operator: Caller) -> None:
    _report(operator, _event())
    path = f"/usage-rejections/{RejectedUsage.objects.get().pk}"

    again = operator.post(f"{path}/retry", {})
    assert (again.body["status"], again.body["tries"]) == ("open", 2)
    builders.make_meter("teleports")
    done = operator.post(f"{path}/retry")

    assert (done.status, done.body["status"]) == (200, "counted")
    assert "test (" in done.body["resolved_by"]
    assert UsageEvent.objects.get().event_id == "e1"
    twice = operator.post(f"{path}/retry", {})
    assert (twice.status, twice.code) == (409, "already_resolved")


def test_however_old_if_the_operator_says_so(operator: Caller) -> None:
    old = (clock.now() - timedelta(days=61)).isoformat()
    _report(operator, _event(meter="api_calls", occurred_at=old))
    path = f"/usage-rejections/{RejectedUsage.objects.get().pk}/retry"

    assert operator.post(path, {}).body["code"] == "too_old"
    assert operator.post(path, {"any_age": True}).body["status"] == "counted"


def test_what_cannot_be_read_cannot_be_tried_again(operator: Caller) -> None:
    _report(operator, _event(properties=[]), _event("e2", meter="api_calls"))
    path = f"/usage-rejections/{RejectedUsage.objects.get().pk}"

    answer = operator.post(f"{path}/retry", {})

    assert (answer.status, answer.code) == (409, "not_retryable")
    assert operator.delete(path).status == 204
    assert operator.delete(path).status == 204
    assert operator.get(path).body["status"] == "dismissed"


def test_many_are_tried_again(operator: Caller) -> None:
    _report(operator, _event("e1"), _event("e2"), _event("e3", customer="bob"), "text")
    builders.make_meter("teleports")
    wanted = {"code": "unknown_meter"}

    first = operator.post("/usage-rejections/retry", wanted, idempotency_key="k")
    again = operator.post("/usage-rejections/retry", wanted, idempotency_key="k")
    rest = operator.post("/usage-rejections/retry", {})

    assert first.body == again.body
    assert first.body == {"accepted": 2, "duplicates": 0, "rejected": 0, "next": None}
    assert rest.body == {"accepted": 0, "duplicates": 0, "rejected": 1, "next": None}
    assert _listed(operator, "status=open") == ["", "e3"]


def test_a_single_event_that_was_refused_is_not_kept(operator: Caller) -> None:
    assert operator.post("/usage-events", _event(quantity="many")).status == 400
    assert RejectedUsage.objects.count() == 0


@pytest.mark.parametrize(
    "query", ["status=lost", "from=yesterday", "color=red", "limit=0"], ids=lambda query: query
)
def test_bad_questions(operator: Caller, query: str) -> None:
    assert operator.get(f"/usage-rejections?{query}").status == 400
