"""What is JSON and what isn't."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.api.parsing import MAX_BODY, loads
from billing.core.errors import InvalidError
from tests.api.calling import Caller


def test_decimals_stay_exact() -> None:
    parsed = loads(b'{"a": 0.1, "b": 3, "c": 1e2, "d": "x", "e": [true, null]}')

    assert parsed == {"a": Decimal("0.1"), "b": 3, "c": Decimal("1e2"), "d": "x", "e": [True, None]}
    assert isinstance(parsed["a"], Decimal)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": 1,}', "line 1, column 9"),
        (b'{"a": 1\n "b": 2}', "line 2, column 2"),
        (b"", "line 1, column 1"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1, "a": 2}', "'a' comes twice"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' comes twice"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'{"a": "\\u0000"}', "cannot be stored"),
        (b'{"\\ud800": 1}', "cannot be stored"),
        (b'{"a": ' + b"9" * 41 + b"}", "more than 40 digits"),
        (b'{"a": 1.' + b"9" * 40 + b"}", "more than 40 digits"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        loads(body)

    assert refusal.value.code == "malformed_json"
    assert reason in refusal.value.detail


def test_a_pair_of_halves_is_a_character() -> None:
    assert loads(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.django_db
def test_a_malformed_body_is_answered_400(operator: Caller) -> None:
    answer = operator.post("/meters", '{"code": "api_calls",}')

    assert (answer.status, answer.code) == (400, "malformed_json")
    assert "line 1, column 22" in answer.body["detail"]


@pytest.mark.django_db
def test_a_body_that_is_too_large_is_answered_413(operator: Caller) -> None:
    answer = operator.post("/meters", b" " * (MAX_BODY + 1))

    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["[]", '"text"', "1", "null"])
def test_a_body_that_is_no_object_is_answered_400(operator: Caller, body: str) -> None:
    answer = operator.post("/meters", body)

    assert answer.status == 400
    assert answer.body["errors"].keys() == {"body"}


@pytest.mark.django_db
def test_no_body_misses_what_is_required(operator: Caller) -> None:
    answer = operator.post("/meters")

    assert (answer.status, answer.code) == (400, "required")
    assert answer.body["errors"] == {"code": ["This field is required."]}
