"""The registry of codes and the source agree: nothing is answered that is not explained."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.api.codes import DECLINES, PROBLEMS, Code
from billing.templatetags.prose import prose
from config import urls  # noqa: F401  # so that every shape is known
from tests.api import code_sources
from tests.api.calling import Caller


def test_every_code_that_is_answered_is_explained() -> None:
    answered = code_sources.answered()

    assert sorted(answered.keys() - PROBLEMS.keys()) == [], "write them into billing/api/codes.toml"
    assert sorted(PROBLEMS.keys() - answered.keys()) == [], "nothing answers them any more"
    assert sorted(code_sources.declined()) == sorted(DECLINES)


def test_every_code_is_registered_with_its_statuses() -> None:
    registered = {name: set(code.statuses) for name, code in PROBLEMS.items()}

    assert registered == code_sources.answered()


@pytest.mark.parametrize("codes", [PROBLEMS, DECLINES])
def test_codes_stand_in_order_and_in_sentences(codes: dict[str, Code]) -> None:
    assert list(codes) == sorted(codes)
    for code in codes.values():
        assert code.meaning.endswith("."), code.name
        assert code.remedy.endswith("."), code.name


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("credit_left", 409),
        ("unknown_seller", 400),
        ("tax_number_unconfirmed", 409),
        ("not_authenticated", 401),
        ("body_too_large", 413),
        ("null", 400),
        ("plan_retired", 409),
    ],
)
def test_codes_are_found_however_they_are_written(code: str, status: int) -> None:
    """In a loop, a table, put together, by DRF, as a default, by a field, by a service."""
    assert status in code_sources.answered()[code]


@pytest.mark.django_db
def test_each_code_is_explained_where_its_type_leads() -> None:
    problem = Caller().get("/plans").body
    address, _, fragment = problem["type"].partition("#")

    page = Client().get(address)

    assert (page.status_code, fragment) == (200, "not_authenticated")
    found = page.content.decode()
    for code in PROBLEMS.values():
        assert found.count(f'id="{code.name}"') == 1
        assert str(prose(code.meaning)) in found
        assert str(prose(code.remedy)) in found
    assert all(f'id="decline-{name}"' in found for name in DECLINES)


def test_what_is_code_in_a_sentence_is_marked_and_nothing_else_is_believed() -> None:
    assert prose("Send `<a>` & go.") == "Send <code>&lt;a&gt;</code> &amp; go."
