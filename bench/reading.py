"""Reading usage: bodies of every format made into reports, against bare JSON of the same events."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from bench.measure import Result, rate
from billing.api.parsing import BodyParser
from billing.api.usage_formats import (
    CloudEventsParser,
    CsvParser,
    JsonLinesParser,
    UsageJsonParser,
)
from billing.api.usage_reading import MAX_EVENTS, items

_Event = dict[str, Any]


def measure(count: int) -> Iterator[Result]:
    """The limit is msgspec's decoder, which keeps no number exact and takes a key twice."""
    bodies = max(count // MAX_EVENTS, 1)
    events = [_event(number) for number in range(MAX_EVENTS)]
    bare = _json(events)
    limit = rate(bodies * MAX_EVENTS, lambda: [msgspec.json.decode(bare) for _ in range(bodies)])
    for name, (parser, write) in _FORMATS.items():
        read = rate(bodies * MAX_EVENTS, partial(_read, parser, write(events), bodies))
        yield Result(f"usage read as {name}", "events", read, "msgspec's bare JSON", limit)


def _read(parser: BodyParser, body: bytes, times: int) -> None:
    for _ in range(times):
        items(parser.read(body, {})["events"])


def _event(number: int) -> _Event:
    return {
        "id": f"0198d5a2-0000-7000-8000-{number:012d}",
        "customer": f"org_{number % 97}",
        "meter": "api_calls",
        "quantity": "1.5",
        "occurred_at": "2026-04-20T10:00:00Z",
        "properties": {"region": "eu", "model": "large"},
    }


def _json(events: Sequence[_Event]) -> bytes:
    return json.dumps({"events": events}).encode()


def _lines(events: Sequence[_Event]) -> bytes:
    return "\n".join(map(json.dumps, events)).encode()


def _cloud_events(events: Sequence[_Event]) -> bytes:
    said = [
        {
            "specversion": "1.0",
            "id": event["id"],
            "source": "bench",
            "subject": event["customer"],
            "type": event["meter"],
            "time": event["occurred_at"],
            "data": {"quantity": event["quantity"], **event["properties"]},
        }
        for event in events
    ]
    return json.dumps(said).encode()


def _csv(events: Sequence[_Event]) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["id", "customer", "meter", "quantity", "occurred_at", "region", "model"])
    for event in events:
        *fields, properties = event.values()
        rows.writerow([*fields, *properties.values()])
    return text.getvalue().encode()


_FORMATS: dict[str, tuple[BodyParser, Callable[[Sequence[_Event]], bytes]]] = {
    "JSON": (UsageJsonParser(), _json),
    "JSON Lines": (JsonLinesParser(), _lines),
    "CloudEvents": (CloudEventsParser(), _cloud_events),
    "CSV": (CsvParser(), _csv),
}
