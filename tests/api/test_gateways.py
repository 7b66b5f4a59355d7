"""`/gateways`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from billing.gateways.base import Capabilities, KindTerms
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import GatewayRoute, JournalEntry
from tests.api.calling import Caller
from tests.api.stage import NOW, set_stage
from tests.offering import offer

pytestmark = pytest.mark.django_db


@dataclass
class Other(SandboxGateway):
    """A second one, for cards in euro and pix."""

    name = "other"
    capabilities = Capabilities(
        "Other & Sons",
        {"card": KindTerms(), "pix": KindTerms(frozenset({"BRL"}), is_pushed=True)},
        currencies=frozenset({"EUR", "CHF", "BRL"}),
        priority=20,
    )


def test_one_that_nobody_has_touched(operator: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, SandboxGateway(), Other())

    answer = operator.get("/gateways")

    assert (answer.body["total"], answer.body["limit"], answer.body["offset"]) == (2, 10, 0)
    assert [row["name"] for row in answer.body["gateways"]] == ["other", "sandbox"]
    assert answer.body["gateways"][0] == {
        "name": "other",
        "title": "Other & Sons",
        "enabled": True,
        "priority": 20,
        "weight": 1,
        "currencies": [],
        "countries": [],
        "methods": [],
        "fails_over": False,
        "kinds": [
            {"kind": "card", "currencies": ["BRL", "CHF", "EUR"], "is_pushed": False},
            {"kind": "pix", "currencies": ["BRL"], "is_pushed": True},
        ],
        "abilities": ["asks_payer"],
        "breaker": {"state": "closed", "failures": 0, "opened_at": None, "probe_at": None},
        "version": 1,
        "updated_by": "",
        "updated_at": None,
    }
    one = operator.get("/gateways/sandbox")
    assert one.body == answer.body["gateways"][1]
    assert one.body["kinds"] == [{"kind": "card", "currencies": None, "is_pushed": False}]
    assert one.headers["ETag"] == '"1"'
    assert not GatewayRoute.objects.exists()


def test_what_is_set_is_shown_and_written_down(operator: Caller) -> None:
    change = {
        "enabled": False,
        "priority": 5,
        "weight": 3,
        "currencies": ["EUR", "USD", "EUR"],
        "countries": ["GB"],
        "methods": ["card"],
        "fails_over": True,
    }

    answer = operator.patch("/gateways/sandbox", change, If_Match='"1"')

    assert answer.status == 200
    assert {name: answer.body[name] for name in change} == {
        **change,
        "currencies": ["EUR", "USD"],
    }
    assert (answer.body["version"], answer.headers["ETag"]) == (2, '"2"')
    assert answer.body["updated_by"].startswith("test (bsr_")
    assert answer.body["updated_at"] is not None
    assert operator.get("/gateways/sandbox").body == answer.body
    fact = JournalEntry.objects.get(kind="GATEWAY_CHANGED")
    assert fact.context["before"]["currencies"] == []
    assert fact.context["after"]["currencies"] == ["EUR", "USD"]
    assert (fact.context["before"]["is_enabled"], fact.context["after"]["is_enabled"]) == (
        True,
        False,
    )

    again = operator.patch("/gateways/sandbox", {"enabled": True})

    assert {name: answer.body[name] for name in change if name != "enabled"} == {
        name: again.body[name] for name in change if name != "enabled"
    }


def test_who_saw_another_version_changes_nothing(operator: Caller) -> None:
    operator.patch("/gateways/sandbox", {"priority": 1})

    answer = operator.patch("/gateways/sandbox", {"priority": 2}, If_Match='"1"')

    assert (answer.status, answer.code) == (412, "version_mismatch")
    assert operator.get("/gateways/sandbox").body["priority"] == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({}, "required", "body"),
        ({"currencies": ["EURO"]}, "unknown_currency", "currencies.0"),
        ({"countries": ["UK"]}, "unknown_country", "countries.0"),
        ({"methods": ["card", "cowrie"]}, "unknown_method", "methods"),
        ({"weight": 0}, "min_value", "weight"),
        ({"priority": 40_000}, "max_value", "priority"),
        ({"enabled": "yes"}, "invalid_request", "enabled"),
        ({"currencies": "EUR"}, "not_a_list", "currencies"),
        ({"title": "Mine"}, "unknown_field", "title"),
    ],
)
def test_what_makes_no_sense(
    operator: Caller, change: dict[str, Any], code: str, field: str
) -> None:
    answer = operator.patch("/gateways/sandbox", change)

    assert (answer.status, answer.code) == (400, code)
    assert list(answer.body["errors"]) == [field]
    assert not JournalEntry.objects.exists()


def test_what_is_not_configured_is_not_there(operator: Caller) -> None:
    assert operator.get("/gateways/abacus").status == 404
    assert operator.patch("/gateways/abacus", {"priority": 1}).status == 404
    assert not GatewayRoute.objects.exists()


def test_it_is_in_force_for_the_next_charge(operator: Caller) -> None:
    stage = set_stage()
    operator.patch("/gateways/sandbox", {"currencies": ["EUR"]})

    refused = operator.post("/charges", {"invoice_id": str(stage.invoice.pk)})

    assert (refused.status, refused.code) == (409, "no_gateway")
    assert "sandbox does not take this currency" in refused.body["detail"]
    operator.patch("/gateways/sandbox", {"currencies": []})
    assert operator.post("/charges", {"invoice_id": str(stage.invoice.pk)}).status == 202


def test_one_that_does_not_answer_is_left_alone(operator: Caller) -> None:
    GatewayRoute.objects.create(name="sandbox", failures=5, opened_at=NOW, probe_at=NOW)

    assert operator.get("/gateways/sandbox").body["breaker"] == {
        "state": "open",
        "failures": 5,
        "opened_at": "2026-04-01T09:00:00Z",
        "probe_at": "2026-04-01T09:00:00Z",
    }
