"""`/usage-events`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing import clock
from billing.api.usage_reading import MAX_EVENTS
from billing.models import UsageEvent
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller
from tests.api.test_robustness import STRANGE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _meters(alice: Customer) -> None:
    builders.make_meter("api_calls")
    builders.make_meter("jobs", aggregation="COUNT")


def _event(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    event = {"id": event_id, "customer": "alice", "meter": "api_calls", "quantity": "1.5"}
    return {**event, **fields}


def test_one_event(operator: Caller, alice: Customer) -> None:
    at = (clock.now() - timedelta(hours=1)).replace(microsecond=0)
    properties = {"region": "eu", "weight": 0.25}

    answer = operator.post(
        "/usage-events", _event(occurred_at=at.isoformat(), properties=properties)
    )

    assert answer.status == 202
    assert answer.body == {"accepted": 1, "duplicates": 0, "rejected": []}
    stored = UsageEvent.objects.get()
    assert (stored.customer_id, stored.event_id, str(stored.quantity.normalize())) == (
        alice.pk,
        "e1",
        "1.5",
    )
    assert (stored.occurred_at, stored.properties) == (at, properties)


def test_a_customer_goes_by_either_id_and_a_number_for_its_quantity(
    operator: Caller, alice: Customer
) -> None:
    body = {
        "events": [_event("e1", customer=str(alice.pk), quantity=2), _event("e2", quantity=0.5)]
    }

    assert operator.post("/usage-events", body).body["accepted"] == 2


def test_the_same_id_is_a_duplicate_whatever_it_says(operator: Caller) -> None:
    operator.post("/usage-events", _event())

    body = {"events": [_event(quantity="7"), _event("e2"), _event("e2")]}

    assert operator.post("/usage-events", body).body == {
        "accepted": 1,
        "duplicates": 2,
        "rejected": [],
    }


def test_what_is_wrong_in_a_batch_stops_nothing(operator: Caller) -> None:
    now = clock.now()
    body = {
        "events": [
            _event("e0"),
            _event("e1", meter="teleports"),
            _event("e2", customer="nobody"),
            _event("e3", quantity="-1"),
            _event("e4", quantity="NaN"),
            _event("e5", occurred_at=(now - timedelta(days=61)).isoformat()),
            _event("e6", occurred_at=(now + timedelta(minutes=6)).isoformat()),
            _event("e7", occurred_at="yesterday"),
            _event("e8", color="red"),
            _event(""),
            "event",
            _event("e11", properties=[]),
            _event("e12", quantity="0.0000000000001"),
            {"id": "e13", "customer": "alice", "meter": "api_calls"},
            _event("e14"),
        ]
    }

    answer = operator.post("/usage-events", body).body

    assert (answer["accepted"], answer["duplicates"]) == (2, 0)
    assert [(row["index"], row["code"]) for row in answer["rejected"]] == [
        (1, "unknown_meter"),
        (2, "unknown_customer"),
        (3, "invalid_quantity"),
        (4, "invalid_quantity"),
        (5, "too_old"),
        (6, "in_the_future"),
        (7, "invalid_instant"),
        (8, "unknown_field"),
        (9, "required"),
        (10, "invalid_request"),
        (11, "invalid_properties"),
        (12, "invalid_quantity"),
        (13, "invalid_quantity"),
    ]
    assert answer["rejected"][0]["detail"] == "There is no meter 'teleports'."
    assert answer["rejected"][2]["detail"] == "“quantity”: Not negative."


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"quantity": "-1"}, "invalid_quantity"),
        ({"quantity": "NaN"}, "invalid_quantity"),
        ({"quantity": None}, "invalid_quantity"),
        ({"occurred_at": "2026-04-20"}, "invalid_instant"),
        ({"id": ""}, "required"),
        ({"id": "x" * 256}, "required"),
        ({"meter": None}, "required"),
        ({"color": "red"}, "unknown_field"),
        ({"properties": "eu"}, "invalid_properties"),
    ],
)
def test_a_single_event_that_is_malformed(
    operator: Caller, fields: dict[str, Any], code: str
) -> None:
    answer = operator.post("/usage-events", _event(**fields))

    assert (answer.status, answer.code) == (400, code)
    assert UsageEvent.objects.count() == 0


def test_a_single_event_that_cannot_be_counted_is_told(operator: Caller) -> None:
    answer = operator.post("/usage-events", _event(meter="teleports"))

    assert answer.status == 202
    assert answer.body == {
        "accepted": 0,
        "duplicates": 0,
        "rejected": [
            {
                "index": 0,
                "id": "e1",
                "code": "unknown_meter",
                "detail": "There is no meter 'teleports'.",
            }
        ],
    }


@pytest.mark.parametrize(
    "body",
    [
        [],
        [_event()],
        {"events": []},
        {"events": {}},
        {"events": [_event()], "id": "e1"},
        {"events": [_event()] * (MAX_EVENTS + 1)},
    ],
    ids=["list", "list of one", "empty", "object", "both", "too many"],
)
def test_what_is_no_batch(operator: Caller, body: Any) -> None:
    assert operator.post("/usage-events", body).status == 400
    assert UsageEvent.objects.count() == 0


def test_five_thousand_at_once(operator: Caller) -> None:
    body = {"events": [_event(f"e{number}", quantity="1") for number in range(MAX_EVENTS)]}

    assert operator.post("/usage-events", body).body["accepted"] == MAX_EVENTS
    assert operator.post("/usage-events", body).body["duplicates"] == MAX_EVENTS


def test_a_meter_that_counts_needs_a_quantity_all_the_same(
    operator: Caller, alice: Customer
) -> None:
    operator.post("/usage-events", _event(meter="jobs", quantity="50"))

    assert operator.get(f"/customers/{alice.pk}/usage?meter=jobs").body["quantity"] == "1"


def test_customers_report_for_themselves(as_alice: Caller, as_charlie: Caller) -> None:
    assert as_alice.post("/usage-events", _event()).body["accepted"] == 1
    assert as_charlie.post("/usage-events", _event("e2")).body["accepted"] == 0


def test_a_repetition_by_key_counts_nothing_twice(operator: Caller) -> None:
    first = operator.post("/usage-events", _event(), idempotency_key="k1")
    again = operator.post("/usage-events", _event(), idempotency_key="k1")

    assert first.body == again.body == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert UsageEvent.objects.count() == 1


def test_an_event_without_the_property_its_meter_reads_is_told(operator: Caller) -> None:
    builders.make_meter("traffic", field="bytes")
    body = {
        "events": [
            _event("e0", meter="traffic", properties={"bytes": 2.5}),
            _event("e1", meter="traffic"),
            _event("e2", meter="traffic", properties={"bytes": "many"}),
        ]
    }

    answer = operator.post("/usage-events", body).body

    assert [(row["index"], row["code"]) for row in answer["rejected"]] == [
        (1, "missing_property"),
        (2, "invalid_property"),
    ]
    assert UsageEvent.objects.get().quantity == Decimal("2.5")


def _used(operator: Caller, alice: Customer) -> str:
    """What Alice used of `api_calls` today."""
    used: str = operator.get(f"/customers/{alice.pk}/usage?meter=api_calls").body["quantity"]
    return used


@pytest.mark.parametrize("name", ["alice", None])
def test_an_event_is_withdrawn(operator: Caller, alice: Customer, name: str | None) -> None:
    operator.post("/usage-events", {"events": [_event(), _event("e2", quantity="4")]})
    path = f"/usage-events/e1?customer={name or alice.pk}"

    assert operator.delete(path).status == 204
    assert operator.delete(path).status == 204

    assert _used(operator, alice) == "4"
    assert operator.post("/usage-events", _event()).body["duplicates"] == 1
    assert _used(operator, alice) == "4"
    event = UsageEvent.objects.exclude(withdrawn_at=None).get()
    assert event.withdrawn_by.startswith("test (")


def test_an_event_is_replaced(operator: Caller, alice: Customer) -> None:
    at = (clock.now() - timedelta(hours=1)).replace(microsecond=0)
    written = at.isoformat().replace("+00:00", "Z")
    operator.post("/usage-events", _event(occurred_at=written))
    body = {"customer": "alice", "meter": "api_calls", "quantity": "9"}

    answer = operator.send("PUT", "/usage-events/e1", body)
    again = operator.send("PUT", "/usage-events/e1", {**body, "id": "e1", "properties": {}})

    assert answer.status == 200
    assert answer.body == {
        "id": "e1",
        "customer": str(alice.pk),
        "meter": "api_calls",
        "occurred_at": written,
        "quantity": "9",
        "properties": {},
        "revision": 1,
        "recorded_at": answer.body["recorded_at"],
    }
    assert again.body == answer.body
    assert _used(operator, alice) == "9"


def test_ids_may_have_slashes(operator: Caller, alice: Customer) -> None:
    operator.post("/usage-events", _event("2026/04/é 1"))

    assert operator.delete("/usage-events/2026/04/%C3%A9%201?customer=alice").status == 204
    assert _used(operator, alice) == "0"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": "e2"}, "invalid_request"),
        ({"quantity": "-1"}, "invalid_quantity"),
        ({"quantity": None}, "invalid_quantity"),
        ({"meter": "teleports"}, "unknown_meter"),
        ({"meter": None}, "required"),
        ({"customer": 7}, "required"),
        ({"occurred_at": "yesterday"}, "invalid_instant"),
        ({"occurred_at": "2020-01-01T00:00:00Z"}, "too_old"),
        ({"color": "red"}, "unknown_field"),
        ({"properties": []}, "invalid_properties"),
    ],
)
def test_a_bad_replacement_changes_nothing(
    operator: Caller, alice: Customer, *, fields: dict[str, Any], code: str
) -> None:
    operator.post("/usage-events", _event())

    answer = operator.send("PUT", "/usage-events/e1", {**_event(), **fields})

    assert (answer.status, answer.code) == (400, code)
    assert _used(operator, alice) == "1.5"


def test_a_replacement_is_an_object(operator: Caller) -> None:
    operator.post("/usage-events", _event())

    assert operator.send("PUT", "/usage-events/e1", [_event()]).status == 400
    assert operator.send("PUT", "/usage-events/e1?customer=alice", _event()).status == 400


def test_an_operator_says_whose_event_it_is(operator: Caller) -> None:
    operator.post("/usage-events", _event())

    answer = operator.delete("/usage-events/e1")

    assert (answer.status, answer.code, list(answer.body["errors"])) == (
        400,
        "required",
        ["customer"],
    )
    for query in ("customer=", "customer=a&customer=b", "customer=alice&color=red"):
        assert operator.delete(f"/usage-events/e1?{query}").status == 400
    assert operator.delete("/usage-events/e1?customer=nobody").status == 404
    assert not UsageEvent.objects.exclude(withdrawn_at=None).exists()


def test_customers_correct_their_own_events_only(
    operator: Caller, alice: Customer, as_alice: Caller, as_charlie: Caller
) -> None:
    operator.post("/usage-events", {"events": [_event(), _event("e2"), _event("e3")]})

    assert as_alice.send("PUT", "/usage-events/e1", _event(quantity="7")).status == 200
    assert as_alice.delete("/usage-events/e2").status == 204
    for path in ("/usage-events/e3", "/usage-events/e3?customer=alice"):
        assert as_charlie.delete(path).status == 404
    assert as_charlie.send("PUT", "/usage-events/e3", _event("e3")).status == 404
    assert _used(operator, alice) == "8.5"


@pytest.mark.parametrize(
    "field", ["id", "customer", "meter", "quantity", "occurred_at", "properties"]
)
def test_no_field_of_a_replacement_brings_it_down(operator: Caller, field: str) -> None:
    operator.post("/usage-events", _event())
    for value in STRANGE:
        answer = operator.send("PUT", "/usage-events/e1", {**_event(), field: value})
        assert answer.status < 500, (value, answer.body)
