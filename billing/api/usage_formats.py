"""The formats in which usage comes: each a parser that makes of a body what JSON would say.

That is one event, or `{"events": […]}`. What can be told apart and not be read is an `Unreadable`
in its place, so that it stops no other; everything after the parsers is shared.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final
from urllib.parse import unquote

from billing.api.parsing import UNSTORABLE, BodyParser, StrictJsonParser, loads
from billing.api.usage_reading import MAX_EVENTS, require_few, require_text, unreadable
from billing.core.errors import InvalidError
from billing.services.usage import Unreadable

NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
CLOUD_EVENT: Final = "application/cloudevents+json"
CLOUD_EVENTS: Final = "application/cloudevents-batch+json"
CSV: Final = "text/csv"
_BOM: Final = b"\xef\xbb\xbf"
_CE: Final = "ce-"
_CE_NAMES: Final = ("id", "subject", "type")
_COLUMNS: Final = ("id", "customer", "meter", "quantity", "occurred_at")
_REQUIRED: Final = frozenset(_COLUMNS) - {"occurred_at"}
_OF_PROPERTIES: Final = "properties"


class UsageJsonParser(StrictJsonParser):
    """One event or a batch; or, where headers say so, the data of a CloudEvent in binary mode."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """What the contract's own JSON would say."""
        said = super().read(body, headers)
        attributes = {
            name[len(_CE) :].lower(): unquote(value)
            for name, value in headers.items()
            if name.lower().startswith(_CE)
        }
        return _of_cloud_event({**attributes, "data": said}) if attributes else said


class JsonLinesParser(BodyParser):
    """An event a line. A line that is none is told by its number among those with something."""

    media_type = NDJSON[0]
    also = frozenset(NDJSON[1:])

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """A batch."""
        lines = [line for line in body.removeprefix(_BOM).split(b"\n") if line.strip()]
        require_few(len(lines))
        return {"events": [_of_line(line) for line in lines]}


class CloudEventParser(StrictJsonParser):
    """One event of CloudEvents 1.0, in structured mode."""

    media_type = CLOUD_EVENT

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """One event."""
        return _of_cloud_event(super().read(body, headers))


class CloudEventsParser(StrictJsonParser):
    """A batch of CloudEvents 1.0."""

    media_type = CLOUD_EVENTS

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """A batch.

        :raises InvalidError: if it is no list.
        """
        said = super().read(body, headers)
        require_few(len(said) if isinstance(said, list) else 0)
        return {"events": [_of_cloud_event(event) for event in said]}


class CsvParser(BodyParser):
    """A row an event. The first row names the columns; those of no field are properties."""

    media_type = CSV

    def read(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """A batch.

        :raises InvalidError: if the first row does not name what every event needs.
        """
        text = body.removeprefix(_BOM).decode(errors="surrogateescape")
        lines = list(StringIO(text, newline=""))
        rows = _rows(lines)
        _, header = next(rows, ("", []))
        columns = _columns(header)
        events: list[Any] = []
        for raw, row in rows:
            events.append(_of_row(columns, row, raw))
            if len(events) > MAX_EVENTS:
                break
        require_few(len(events))
        return {"events": events}


def _of_line(line: bytes) -> Any:
    try:
        return loads(line)
    except InvalidError as fault:
        told = InvalidError(fault.detail.replace("The body", "The line", 1), code=fault.code)
        return unreadable(told, _shown(line.decode(errors="replace")))


def _of_cloud_event(said: Any) -> Any:
    """A CloudEvent as an event of ours.

    Its quantity is its data's, or 1; the rest of its data, and its source, are its properties.
    """
    try:
        data = _data(said)
    except InvalidError as fault:
        return unreadable(fault, said, _CE_NAMES)
    event = {
        "id": said["id"],
        "customer": said["subject"],
        "meter": said["type"],
        "quantity": data.get("quantity", 1),
        _OF_PROPERTIES: {
            "source": said["source"],
            **{name: value for name, value in data.items() if name != "quantity"},
        },
    }
    return event if said.get("time") is None else {**event, "occurred_at": said["time"]}


def _data(said: Any) -> dict[str, Any]:
    """The data of a CloudEvent that can be counted.

    :raises InvalidError: if it cannot.
    """
    if not isinstance(said, dict) or said.get("specversion") != "1.0":
        raise InvalidError("A CloudEvent has the “specversion” 1.0.", code="invalid_cloudevent")
    for name in (*_CE_NAMES, "source"):
        require_text(said, name)
    data = said.get("data")
    if "data_base64" in said or not isinstance(data, dict | None):
        raise InvalidError("“data” is a JSON object.", code="invalid_cloudevent")
    return data or {}


def _rows(lines: Sequence[str]) -> Iterator[tuple[str, list[str] | csv.Error]]:
    """Each row as it came, and its cells, or why it has none. Empty lines are left out."""
    header = next((line for line in lines if line.strip()), "")
    reader = csv.reader(iter(lines), delimiter=max(",;\t", key=header.count), strict=True)
    start = 0
    while start < len(lines):
        try:
            row: list[str] | csv.Error = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row = error
        raw, start = "".join(lines[start : reader.line_num]), reader.line_num
        if row:
            yield raw, row


def _columns(header: list[str] | csv.Error) -> list[str]:
    """The names of the columns; those of properties as they are, after `properties.`.

    :raises InvalidError: naming the columns that are missing, or make no sense.
    """
    if isinstance(header, csv.Error):
        raise InvalidError(f"The first row is not CSV: {header}.", code="invalid_columns")
    found = [name.strip() for name in header]
    missing = [name for name in _COLUMNS if name in _REQUIRED and name not in found]
    if missing:
        raise _no_columns(f"There is no column {', '.join(missing)}.", "missing_columns")
    names = [_column(name) for name in found]
    wrong = {
        found[place] or "without a name"
        for place, name in enumerate(names)
        if name in {"", _OF_PROPERTIES} or UNSTORABLE.search(name) or names.count(name) > 1
    }
    if wrong:
        listed = ", ".join(sorted(_shown(name) for name in wrong))
        raise _no_columns(f"A column makes no sense, or comes twice: {listed}.", "invalid_columns")
    return names


def _column(name: str) -> str:
    """A field as it is; of properties, `properties.` and the name."""
    prefix = f"{_OF_PROPERTIES}."
    if name in {*_COLUMNS, "", _OF_PROPERTIES, prefix}:
        return name.removesuffix(".")
    return name if name.startswith(prefix) else prefix + name


def _no_columns(sentence: str, code: str) -> InvalidError:
    return InvalidError(sentence, code=code, errors={"columns": [sentence]})


def _of_row(columns: Sequence[str], row: list[str] | csv.Error, raw: str) -> Any:
    """A row as an event of ours; an empty cell says nothing."""
    if isinstance(row, csv.Error):
        return _bad_row(f"The row is not CSV: {row}.", raw)
    if len(row) != len(columns):
        return _bad_row(f"The row has {len(row)} cells, the first one {len(columns)}.", raw)
    if UNSTORABLE.search(raw):
        return _bad_row("The row is not UTF-8, or holds NUL.", raw)
    event: dict[str, Any] = {}
    properties: dict[str, str] = {}
    for name, cell in zip(columns, row, strict=True):
        if name in _COLUMNS:
            event[name] = cell.strip()
        elif cell:
            properties[name.partition(".")[2]] = cell
    if not event.get("occurred_at"):
        event.pop("occurred_at", None)
    return {**event, _OF_PROPERTIES: properties}


def _bad_row(sentence: str, raw: str) -> Unreadable:
    return Unreadable("malformed_row", sentence, _shown(raw.rstrip("\r\n")))


def _shown(text: str) -> str:
    """A text with a mark in place of what cannot be stored."""
    return UNSTORABLE.sub("\ufffd", text)
