"""The same events in every format in which usage may come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from billing.api.usage_formats import CLOUD_EVENT, CLOUD_EVENTS, CSV, NDJSON
from tests.api.calling import Answer, Caller

Events = Sequence[dict[str, Any]]
SOURCE: Final = "test"


def as_json(events: Events) -> bytes:
    """The contract's own."""
    return json.dumps({"events": list(events)}).encode()


def as_lines(events: Events) -> bytes:
    """An event a line."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def as_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """An event of ours, whose property `source` is its source."""
    properties = dict(event.get("properties", {}))
    shown = {
        "specversion": "1.0",
        "id": event["id"],
        "source": properties.pop("source", SOURCE),
        "subject": event["customer"],
        "type": event["meter"],
        "data": {"quantity": event["quantity"], **properties},
    }
    return shown | ({"time": event["occurred_at"]} if "occurred_at" in event else {})


def as_cloud_events(events: Events) -> bytes:
    """A batch of them."""
    return json.dumps([as_cloud_event(event) for event in events]).encode()


def as_csv(events: Events, delimiter: str = ",") -> bytes:
    """A row an event, with every property that any of them has."""
    names = sorted({name for event in events for name in event.get("properties", {})})
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(
        ["id", "customer", "meter", "quantity", "occurred_at", *(f"properties.{n}" for n in names)]
    )
    for event in events:
        properties = event.get("properties", {})
        fields = [event["id"], event["customer"], event["meter"], event["quantity"]]
        at = event.get("occurred_at", "")
        writer.writerow([*fields, at, *(properties.get(name, "") for name in names)])
    return text.getvalue().encode()


FORMATS: Final[dict[str, Callable[[Events], bytes]]] = {
    "application/json": as_json,
    **dict.fromkeys(NDJSON, as_lines),
    CLOUD_EVENTS: as_cloud_events,
    CSV: as_csv,
}


def send(caller: Caller, body: bytes, media_type: str, **headers: str) -> Answer:
    """POST usage."""
    return caller.send("POST", "/usage-events", body, content_type=media_type, **headers)


def send_binary(caller: Caller, event: dict[str, Any], **headers: str) -> Answer:
    """POST a CloudEvent in binary mode: its attributes as headers, its data as the body."""
    said = as_cloud_event(event)
    data = json.dumps(said.pop("data")).encode()
    attributes = {f"ce_{name}": str(value) for name, value in said.items()}
    return send(caller, data, "application/json", **attributes, **headers)


def send_one(caller: Caller, event: dict[str, Any], media_type: str) -> Answer:
    """POST one event, in whatever format."""
    if media_type == "binary":
        return send_binary(caller, event)
    if media_type == CLOUD_EVENT:
        return send(caller, json.dumps(as_cloud_event(event)).encode(), media_type)
    return send(caller, FORMATS[media_type]([event]), media_type)
