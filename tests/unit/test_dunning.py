"""Dunning by the day: what is due, what is said, and policies that make no sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import dunning
from billing.core.dunning import Due, DunningPolicy, FinalAct, Notice
from billing.core.errors import InvalidError

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
POLICY = DunningPolicy(
    name="strict",
    retry_after_days=(1, 3),
    grace_days=5,
    notices=(Notice(0, "First", "a"), Notice(4, "Second", "b"), Notice(8, "Third", "c")),
    final_act=FinalAct.CANCEL,
    final_after_days=10,
)


def after(days: float) -> datetime:
    return NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("given_so_far", "days", "due"),
    [
        (0, 0, Due(1, is_final=False)),
        (1, 3.99, Due(None, is_final=False)),
        (1, 4, Due(2, is_final=False)),
        (0, 9, Due(3, is_final=False)),
        (3, 9.99, Due(None, is_final=False)),
        (3, 10, Due(None, is_final=True)),
        (1, 30, Due(3, is_final=True)),
    ],
)
def test_what_is_due_of_a_run(given_so_far: int, days: float, due: Due) -> None:
    found = dunning.due(POLICY, started_at=NOW, given=given_so_far, now=after(days))
    assert found == due


@pytest.mark.parametrize(("given_so_far", "days"), [(0, 0), (1, 4), (2, 8), (3, 10)])
def test_when_something_is_due_next(given_so_far: int, days: int) -> None:
    assert dunning.next_at(POLICY, started_at=NOW, given=given_so_far) == after(days)


@given(st.lists(st.integers(0, 20), unique=True, max_size=6), st.integers(1, 30))
def test_looking_when_something_is_due_always_finds_it(days: list[int], last: int) -> None:
    notices = tuple(Notice(day, "s", "t") for day in sorted(days) if day <= last)
    policy = DunningPolicy(notices=notices, final_after_days=last)
    given_so_far, seen = 0, []
    for _ in range(len(notices) + 1):
        at = dunning.next_at(policy, started_at=NOW, given=given_so_far)
        due = dunning.due(policy, started_at=NOW, given=given_so_far, now=at)
        assert due.position is not None or due.is_final
        if due.position is not None:
            seen.append(due.position)
            given_so_far = due.position
        if due.is_final:
            break
    assert seen == list(range(1, len(notices) + 1))
    assert at == after(last)


def test_a_policy_survives_being_stored() -> None:
    assert DunningPolicy.from_json(POLICY.to_json()) == POLICY


def test_grace_ends_on_its_day() -> None:
    assert dunning.grace_ends(POLICY, NOW) == after(5)
    assert dunning.has_grace(POLICY, past_due_at=NOW, now=after(4.99))
    assert not dunning.has_grace(POLICY, past_due_at=NOW, now=after(5))


def test_placeholders_are_filled_and_nothing_is_run() -> None:
    text = "{number}: {amount.minor} {0} {__class__} {{number}} {number!r} {unknown}"
    assert dunning.fill(text, {"number": "{amount}", "amount": "5"}) == (
        "{amount}: {amount.minor} {0} {__class__} {{amount}} {number!r} {unknown}"
    )


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"name": " "}, "name", "From 1 to 64 characters."),
        ({"retry_after_days": (0,)}, "retry_after_days", "From 1 to 365 days each."),
        ({"retry_after_days": (1,) * 31}, "retry_after_days", "At most 30 retries."),
        ({"grace_days": -1}, "grace_days", "From 0 to 365 days."),
        ({"final_after_days": 366}, "final_after_days", "From 1 to 365 days."),
        (
            {"notices": (Notice(11, "s", "t"),)},
            "notices",
            "A notice is given from day 0 to the last day.",
        ),
        (
            {"notices": (Notice(1, "s\r\nBcc: x@example.org", "t"),)},
            "notices",
            "A subject is one line of up to 200 characters.",
        ),
        ({"notices": (Notice(1, "s", " "),)}, "notices", "A text has up to 5,000 characters."),
        ({"notices": (Notice(1, "s", "{name}"),)}, "notices", "There is no placeholder {name}."),
        (
            {"notices": (Notice(1, "s", "t"), Notice(1, "u", "v"))},
            "notices",
            "One notice a day at most.",
        ),
    ],
)
def test_a_policy_that_makes_no_sense_says_where(
    fields: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        dunning.require_sound(replace(POLICY, **fields))
    assert refused.value.code == "invalid_policy"
    assert refused.value.errors == {field: [sentence]}


def test_a_sound_policy_is_taken() -> None:
    dunning.require_sound(POLICY)
    dunning.require_sound(DunningPolicy())
