"""Usage packed with gzip, of whatever size it unpacks to, and repeated under a key."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import Any

import pytest

from billing.api.parsing import MAX_BODY
from billing.api.usage_formats import CLOUD_EVENTS, NDJSON
from billing.models import RejectedUsage
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller
from tests.api.reporting_usage import FORMATS, SOURCE, as_lines, send, send_binary

pytestmark = pytest.mark.django_db

LINES = NDJSON[0]


@pytest.fixture(autouse=True)
def _meter(alice: Customer) -> None:
    builders.make_meter("api_calls")


def _event(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    event = {"id": event_id, "customer": "alice", "meter": "api_calls", "quantity": "1.5"}
    return {**event, "properties": {"source": SOURCE, "region": "eu"}, **fields}


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(as_lines([_event()]))[:-9],
        as_lines([_event()]),
        gzip.compress(as_lines([_event()])) + b"more",
        b"".join([gzip.compress(b"")] * 200),
    ],
    ids=["cut off", "not packed", "something behind it", "many members"],
)
def test_what_is_not_gzip(operator: Caller, body: bytes) -> None:
    answer = send(operator, body, LINES, content_encoding="gzip")

    assert (answer.status, answer.code) == (400, "malformed_gzip")


def test_a_file_put_together_from_several(operator: Caller) -> None:
    body = b"".join(gzip.compress(as_lines([_event(f"e{n}")])) for n in range(3))

    assert send(operator, body, LINES, content_encoding="gzip").body["accepted"] == 3


def test_a_bomb_is_not_inflated(operator: Caller) -> None:
    bomb = gzip.compress(b" " * (8 * MAX_BODY), 1)
    tracemalloc.start()
    answer = send(operator, bomb, LINES, content_encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status, answer.code) == (413, "body_too_large")
    assert peak < 4 * MAX_BODY


def test_other_encodings_and_formats_are_not_taken(operator: Caller) -> None:
    assert send(operator, b"<event/>", "application/xml").status == 415
    answer = send(operator, as_lines([_event()]), LINES, content_encoding="br")
    assert (answer.status, answer.code) == (415, "unsupported_encoding")


def test_text_that_is_not_utf_8_is_no_json(operator: Caller) -> None:
    assert send(operator, b'{"id": "\xff"}', "application/json").code == "malformed_json"
    assert send(operator, b'[{"id": "\xff"}]', CLOUD_EVENTS).code == "malformed_json"


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_key_holds_for_every_format(operator: Caller, media_type: str) -> None:
    body = FORMATS[media_type]([_event(), _event("e2", meter="teleports")])
    other = FORMATS[media_type]([_event("e3")])

    first = send(operator, body, media_type, idempotency_key="k1")
    again = send(
        operator, gzip.compress(body), media_type, idempotency_key="k1", content_encoding="gzip"
    )
    reused = send(operator, other, media_type, idempotency_key="k1")

    assert first.body == again.body
    assert first.body["accepted"] == 1
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (reused.status, reused.code) == (422, "idempotency_key_reused")
    assert RejectedUsage.objects.get().tries == 1


def test_a_key_knows_events_in_binary_mode_apart(operator: Caller) -> None:
    assert send_binary(operator, _event(), idempotency_key="k1").status == 202
    assert send_binary(operator, _event(), idempotency_key="k1").body["accepted"] == 1
    assert send_binary(operator, _event("e2"), idempotency_key="k1").status == 422
