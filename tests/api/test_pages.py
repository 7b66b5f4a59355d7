"""Lists in parts."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from billing.models import JournalEntry
from plans.models import Meter
from tests.api.calling import Caller
from tests.api.stage import set_stage

pytestmark = pytest.mark.django_db


def _meters(count: int) -> None:
    Meter.objects.bulk_create(Meter(code=f"m{i:03d}", name="m") for i in range(count))


def test_ten_come_unless_asked_otherwise(operator: Caller) -> None:
    _meters(12)

    body = operator.get("/meters").body

    assert (body["total"], body["limit"], body["offset"]) == (12, 10, 0)
    assert [meter["code"] for meter in body["meters"]] == [f"m{i:03d}" for i in range(10)]


def test_the_rest_comes_by_offset(operator: Caller) -> None:
    _meters(12)

    body = operator.get("/meters?limit=100&offset=10").body

    assert (body["total"], body["limit"], body["offset"]) == (12, 100, 10)
    assert [meter["code"] for meter in body["meters"]] == ["m010", "m011"]


def test_beyond_the_end_is_nothing(operator: Caller) -> None:
    body = operator.get("/meters?offset=5").body

    assert (body["total"], body["meters"]) == (0, [])


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=",
        "offset=-1",
        "offset=99999999999999999999",
        "page=2",
    ],
)
def test_bad_values_are_refused(operator: Caller, query: str) -> None:
    answer = operator.get(f"/meters?{query}")

    assert answer.status == 400
    assert list(answer.body["errors"]) == [query.partition("=")[0]]


def test_cursors_lead_there_and_back(operator: Caller) -> None:
    set_stage()
    newest_first = [
        str(pk) for pk in JournalEntry.objects.order_by("-pk").values_list("pk", flat=True)
    ]
    assert len(newest_first) > 4

    first = operator.get("/journal?limit=2").body
    second = operator.get(_path(first["next"])).body
    back = operator.get(_path(second["previous"])).body

    assert first["previous"] is None
    assert _ids(first) == newest_first[:2]
    assert _ids(second) == newest_first[2:4]
    assert _ids(back) == newest_first[:2]
    assert back["previous"] is None


def test_the_last_page_has_no_next(operator: Caller) -> None:
    set_stage()

    body = operator.get("/journal?limit=100").body

    assert (body["next"], body["previous"]) == (None, None)
    assert len(body["journal"]) == JournalEntry.objects.count()


def test_a_cursor_points_one_way(operator: Caller) -> None:
    one = "0198d5a2-0000-7000-8000-000000000001"

    assert operator.get(f"/journal?after={one}&before={one}").status == 400
    assert operator.get("/journal?after=x").status == 400


def _ids(body: dict[str, list[dict[str, str]]]) -> list[str]:
    return [entry["id"] for entry in body["journal"]]


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
