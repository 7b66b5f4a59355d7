"""Usage in every format, packed or not: the same events are the same usage."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from billing import clock
from billing.api.usage_formats import (
    CLOUD_EVENT,
    CLOUD_EVENTS,
    CSV,
    NDJSON,
    CloudEventParser,
    CloudEventsParser,
    CsvParser,
    JsonLinesParser,
    UsageJsonParser,
)
from billing.api.usage_reading import MAX_EVENTS, items
from billing.models import RejectedUsage, UsageEvent
from billing.services.usage import Report
from customers.models import Customer
from tests import builders
from tests.api.calling import Answer, Caller
from tests.api.reporting_usage import (
    FORMATS,
    SOURCE,
    as_cloud_event,
    as_csv,
    send,
    send_one,
)

PARSERS = {
    "application/json": UsageJsonParser(),
    NDJSON[0]: JsonLinesParser(),
    CLOUD_EVENTS: CloudEventsParser(),
    CSV: CsvParser(),
}
LINES = NDJSON[0]
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
# What a text may hold everywhere; cells are taken without the spaces around them.
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)
_NAMES = _TEXTS.map(str.strip).filter(bool)
_PROPERTIES = st.dictionaries(
    st.text("abcXYZ_é.", min_size=1, max_size=5).filter(lambda name: name.strip(".")),
    _TEXTS,
    max_size=3,
)
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": _NAMES,
            "customer": _NAMES,
            "meter": _NAMES,
            "quantity": st.decimals(0, 10**6, places=3).map(str),
            "occurred_at": st.datetimes().map(
                lambda at: f"2026-{at:%m}-{min(at.day, 28):02}T{at:%H:%M:%SZ}"
            ),
            "properties": _PROPERTIES.map(lambda said: {**said, "source": SOURCE}),
        }
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(autouse=True)
def _meters(request: pytest.FixtureRequest) -> None:
    if "operator" in request.fixturenames:
        request.getfixturevalue("alice")
        for code, aggregation, field in (
            ("api_calls", "SUM", ""),
            ("jobs", "COUNT", ""),
            ("peak", "MAX", ""),
            ("users", "UNIQUE", "user"),
        ):
            builders.make_meter(code, aggregation=aggregation, field=field)


def _event(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    event = {"id": event_id, "customer": "alice", "meter": "api_calls", "quantity": "1.5"}
    return {**event, "properties": {"source": SOURCE, "region": "eu"}, **fields}


def test_every_code_stands_in_the_table() -> None:
    files = ["services/metering.py", "api/usage_reading.py", "api/usage_formats.py"]
    texts = [(ROOT / "billing" / name).read_text(encoding="utf-8") for name in files]
    made = r"code=|_RefusedError\(\s*|Unreadable\(|TOO_OLD: Final = "
    said = rf'(?:{made})"([a-z_]+)"|"([a-z]+_columns)"'
    codes = {one or other for one, other in re.findall(said, "".join(texts))}

    assert {"too_old", "malformed_row", "unknown_meter", "missing_columns"} <= codes
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_the_pages_examples_are_read_alike() -> None:
    [event, cloud_event] = re.findall(
        r"^(\{(?:\"id\"|\"specversion\")[^`']*?\})'?$", PAGE, re.MULTILINE
    )
    [rows] = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)

    [plain] = items([UsageJsonParser().read(event.encode(), {})])
    [cloud] = items([CloudEventParser().read(cloud_event.encode(), {})])
    [row] = items(CsvParser().read(rows.encode(), {})["events"])

    assert isinstance(plain, Report)
    assert plain == row
    assert cloud == replace(plain, properties={"source": "gateway-1", "region": "eu"})


@given(_EVENTS)
def test_every_format_says_the_same_of_any_events(events: list[dict[str, Any]]) -> None:
    read = {
        media_type: items(parser.read(FORMATS[media_type](events), {})["events"])
        for media_type, parser in PARSERS.items()
    }

    assert all(isinstance(item, Report) for item in read[CSV])
    for found in read.values():
        assert found == read["application/json"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_packed", [False, True], ids=["as it is", "gzip"])
def test_the_same_events_count_the_same(
    operator: Caller, alice: Customer, *, is_packed: bool
) -> None:
    headers = {"content_encoding": "gzip"} if is_packed else {}
    for number, (media_type, write) in enumerate(FORMATS.items()):
        customer = builders.make_customer(f"c{number}")
        body = write(
            [
                _event(f"{meter}{n}", customer=f"c{number}", meter=meter, quantity=f"{n}.25",
                       properties={"user": f"u{n % 2}", "source": SOURCE})
                for meter in ("api_calls", "jobs", "peak", "users")
                for n in range(4)
            ]
        )  # fmt: skip

        answer = send(operator, gzip.compress(body) if is_packed else body, media_type, **headers)

        assert answer.body == {"accepted": 16, "duplicates": 0, "rejected": []}, media_type
        used = {
            meter: operator.get(f"/customers/{customer.pk}/usage?meter={meter}").body["quantity"]
            for meter in ("api_calls", "jobs", "peak")
        }
        assert used == {"api_calls": "7", "jobs": "4", "peak": "3.25"}
        stored = UsageEvent.objects.filter(customer=customer, meter__code="users")
        assert {event.properties["user"] for event in stored} == {"u0", "u1"}


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_in_all_formats_count_once(operator: Caller, alice: Customer) -> None:
    kinds = itertools.cycle([*FORMATS, CLOUD_EVENT, "binary"])

    def report(media_type: str) -> Answer:
        try:
            return send_one(Caller(operator.token), _event(), media_type)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(report, [next(kinds) for _ in range(50)]))

    assert [answer.status for answer in answers] == [202] * 50
    assert sum(answer.body["accepted"] for answer in answers) == 1
    assert sum(answer.body["duplicates"] for answer in answers) == 49
    assert UsageEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("media_type", [CLOUD_EVENT, "binary"])
def test_a_cloud_event(operator: Caller, alice: Customer, media_type: str) -> None:
    at = clock.now().replace(microsecond=0)

    answer = send_one(operator, _event("a b/ü", occurred_at=at.isoformat()), media_type)

    assert answer.body["accepted"] == 1
    event = UsageEvent.objects.get()
    assert (event.event_id, event.customer_id, event.meter.code) == ("a b/ü", alice.pk, "api_calls")
    assert (event.occurred_at, str(event.quantity.normalize())) == (at, "1.5")
    assert event.properties == {"source": "test", "region": "eu"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}], ids=["no", "null", "empty"])
def test_a_cloud_event_counts_one_without_data(operator: Caller, data: dict[str, Any]) -> None:
    said = {"specversion": "1.0", "id": "1", "source": "s", "subject": "alice", "type": "jobs"}
    more = {"datacontenttype": "application/json", "traceparent": "00-1"}

    answer = send(operator, json.dumps({**said, **more, **data}).encode(), CLOUD_EVENT)

    assert answer.body["accepted"] == 1
    assert UsageEvent.objects.get().properties == {"source": "s"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"specversion": "0.3"}, "invalid_cloudevent"),
        ({"data": [1]}, "invalid_cloudevent"),
        ({"data_base64": "e30="}, "invalid_cloudevent"),
        ({"source": None}, "required"),
        ({"subject": ""}, "required"),
        ({"time": "yesterday"}, "invalid_instant"),
        ({"data": {"quantity": "many"}}, "invalid_quantity"),
    ],
)
def test_a_cloud_event_with_a_fault(operator: Caller, change: dict[str, Any], code: str) -> None:
    said = {**as_cloud_event(_event()), **change}

    alone = send(operator, json.dumps(said).encode(), CLOUD_EVENT)
    batch = send(operator, json.dumps([said, as_cloud_event(_event("e2"))]).encode(), CLOUD_EVENTS)

    assert (alone.status, alone.code) == (400, code)
    assert [(row["index"], row["code"]) for row in batch.body["rejected"]] == [(0, code)]
    assert batch.body["rejected"][0]["id"] == "e1"
    assert batch.body["accepted"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_line_that_is_none_stops_no_other(operator: Caller) -> None:
    lines = [
        b"\xef\xbb\xbf" + json.dumps(_event("e0")).encode() + b"\r",
        b"",
        b'{"id": "e1",',
        b'  {"id": "\xff"}',
        b'["e3"]',
        json.dumps(_event("e4")).encode(),
        b'{"id": "e5", "id": "e5"}',
        b'{"id": "\\u0000"}',
    ]

    answer = send(operator, b"\n".join(lines), LINES).body

    assert answer["accepted"] == 2
    assert [(row["index"], row["code"]) for row in answer["rejected"]] == [
        (1, "malformed_json"),
        (2, "malformed_json"),
        (3, "invalid_request"),
        (5, "malformed_json"),
        (6, "malformed_json"),
    ]
    assert answer["rejected"][0]["detail"].startswith("The line is not JSON as we take it")
    kept = RejectedUsage.objects.order_by("index").values_list("event", flat=True)
    assert list(kept) == [
        '{"id": "e1",',
        '  {"id": "\ufffd"}',
        ["e3"],
        '{"id": "e5", "id": "e5"}',
        '{"id": "\\u0000"}',
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
def test_csv_as_spreadsheets_write_it(operator: Caller, delimiter: str, bom: bytes) -> None:
    events = [_event(properties={"region": "eu; north,\t“a”\r\nb"}), _event("e2", properties={})]

    assert send(operator, bom + as_csv(events, delimiter), CSV).body["accepted"] == 2

    found = UsageEvent.objects.order_by("event_id").values_list("properties", flat=True)
    assert list(found) == [{"region": "eu; north,\t“a”\r\nb"}, {}]


@pytest.mark.django_db(transaction=True)
def test_a_bad_row_stops_no_other(operator: Caller) -> None:
    rows = [
        b" meter ,id,customer,quantity,user,properties.region",
        b"api_calls,e0,alice,1,=1+1,eu",
        b"api_calls,e1,alice,1,ann",
        b'api_calls,e2,alice,1,"ann"x,eu',
        b"",
        b"api_calls,e3,alice,1,\xff,eu",
        b"api_calls,e4,alice,many,ann,eu",
        b"teleports,e5,alice,1,ann,eu",
        b"api_calls,e6, alice ,1,\x00,eu",
        b"api_calls,e7, alice ,1,,eu",
        b'api_calls,e8,alice,1,"never closed,eu',
    ]

    answer = send(operator, b"\r\n".join(rows), CSV).body

    assert answer["accepted"] == 2
    assert [(row["index"], row["id"], row["code"]) for row in answer["rejected"]] == [
        (1, None, "malformed_row"),
        (2, None, "malformed_row"),
        (3, None, "malformed_row"),
        (4, "e4", "invalid_quantity"),
        (5, "e5", "unknown_meter"),
        (6, None, "malformed_row"),
        (8, None, "malformed_row"),
    ]
    assert "5 cells, the first one 6" in answer["rejected"][0]["detail"]
    assert UsageEvent.objects.get(event_id="e0").properties == {"user": "=1+1", "region": "eu"}
    assert UsageEvent.objects.get(event_id="e7").properties == {"region": "eu"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("header", "code", "named"),
    [
        ("id,customer", "missing_columns", "meter, quantity"),
        ("", "missing_columns", "id, customer, meter, quantity"),
        ("id,customer,meter,quantity,", "invalid_columns", "without a name"),
        ("id,customer,meter,quantity,id", "invalid_columns", "id"),
        ("id,customer,meter,quantity,a,properties.a", "invalid_columns", "properties.a"),
        ("id,customer,meter,quantity,properties", "invalid_columns", "properties"),
        ('id,customer,meter,quantity,"a"b', "invalid_columns", "not CSV"),
        ("id,customer,meter,quantity,\udcff", "invalid_columns", "�"),
    ],
)
def test_columns_that_make_no_sense(
    *, operator: Caller, header: str, code: str, named: str
) -> None:
    body = f"{header}\ne1,alice,api_calls,1\n".encode(errors="surrogateescape")

    answer = send(operator, body, CSV)

    assert (answer.status, answer.code) == (400, code)
    assert named in answer.body["detail"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("media_type", [LINES, CLOUD_EVENTS, CSV])
@pytest.mark.parametrize("count", [0, MAX_EVENTS + 1])
def test_none_and_too_many_are_refused(operator: Caller, media_type: str, count: int) -> None:
    body = FORMATS[media_type]([_event(str(number)) for number in range(count)])

    answer = send(operator, body + b"\n", media_type)

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.body["errors"] == {"events": ["A list of 1 to 5,000 events."]}
