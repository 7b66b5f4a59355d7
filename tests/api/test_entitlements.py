"""Checks made for the hot path: one, many at once, and only what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from customers.models import Customer
from tests.api.calling import Caller, caller
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    """On a plan with a switch and a wall, which she may use."""
    world.at("2026-03-28 09:00")
    world.sells("Team", "10.00", features={"sso": True}, limits={"api_calls": "3"})
    alice = world.signs_up("alice", "Team")
    world.adds_card(alice)
    return alice


def test_an_answer_names_its_state(world: World, operator: Caller, alice: Customer) -> None:
    path = f"/customers/{alice.pk}/entitlements/api_calls"
    first = operator.get(path)
    assert first.headers["Cache-Control"] == "private, max-age=1"

    again = operator.get(path, if_none_match=first.headers["ETag"])
    assert (again.status, again.body) == (304, None)
    assert again.headers["ETag"] == first.headers["ETag"]

    world.uses(alice, 1)
    changed = operator.get(path, if_none_match=first.headers["ETag"])
    assert (changed.status, changed.body["used"]) == (200, "1")
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("names", ["*", '"x", {etag}', "W/{etag}"])
def test_what_names_a_state(operator: Caller, alice: Customer, names: str) -> None:
    path = f"/customers/{alice.pk}/entitlements/sso"
    etag = operator.get(path).headers["ETag"]

    assert operator.get(path, if_none_match=names.format(etag=etag)).status == 304
    assert operator.get(path, if_none_match='"another"').status == 200


def test_single_objects_are_told_only_when_they_changed(operator: Caller, alice: Customer) -> None:
    path = f"/customers/{alice.pk}"
    etag = operator.get(path).headers["ETag"]
    assert operator.get(path, if_none_match=etag).status == 304

    operator.patch(path, {"name": "Alice"})
    assert operator.get(path, if_none_match=etag).status == 200


def test_many_at_once_are_answered_as_each_is(
    world: World, operator: Caller, alice: Customer
) -> None:
    bob = world.customer("bob")
    world.uses(alice, 3)
    asked = [
        (str(alice.pk), "api_calls"),
        ("alice", "sso"),
        ("bob", "sso"),
        (str(bob.pk), "api_calls"),
        ("alice", "teleport"),
    ]

    answers = _check(operator, *asked)

    assert [(each["customer"], each["feature"]) for each in answers] == asked
    assert [each["reason"] for each in answers] == [
        "limit_reached",
        "subscribed",
        "no_subscription",
        "no_subscription",
        "not_in_plan",
    ]
    for (name, feature), answer in zip(asked, answers, strict=True):
        customer = bob if name in {"bob", str(bob.pk)} else alice
        one = operator.get(f"/customers/{customer.pk}/entitlements/{feature}").body
        assert answer == {"customer": name, **one}


def test_nothing_is_granted_to_who_cannot_be_known(
    as_alice: Caller, as_charlie: Caller, operator: Caller
) -> None:
    for who, name in ((as_charlie, "alice"), (operator, "nobody")):
        [answer] = _check(who, (name, "sso"))
        assert (answer["granted"], answer["reason"]) == (False, "unknown_customer")
    assert _check(as_alice, ("alice", "sso"))[0]["reason"] == "subscribed"


def test_a_token_that_only_reads_may_check(alice: Customer) -> None:
    reader = caller(alice, is_read_only=True)
    assert _check(reader, ("alice", "sso"))[0]["granted"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"checks": []},
        {"checks": [{"customer": "alice", "feature": "sso"}] * 101},
        {"checks": [{"customer": "alice"}]},
        {"checks": "alice"},
        {},
    ],
)
def test_bad_questions(operator: Caller, body: Any) -> None:
    assert operator.post("/entitlement-checks", body).status == 400


def test_checks_read_little_however_many_they_are(
    world: World,
    operator: Caller,
    alice: Customer,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    world.signs_up("bob", "Team")
    world.uses(alice, 1)
    path = f"/customers/{alice.pk}/entitlements/api_calls"
    operator.get(path)  # the terms are known from here on

    with django_assert_num_queries(3):  # the token, the standing, the count
        operator.get(path)
    with django_assert_num_queries(3):
        _check(operator, *[(name, "api_calls") for name in ("alice", "bob") * 50])


def test_a_fact_is_seen_at_once(world: World, operator: Caller, alice: Customer) -> None:
    path = f"/customers/{alice.pk}/entitlements/api_calls"
    world.uses(alice, 2)
    assert operator.get(path).body["remaining"] == "1"
    world.uses(alice, 1)
    assert operator.get(path).body["reason"] == "limit_reached"
    world.cancels(alice, "now")
    assert operator.get(path).body["reason"] == "canceled"


def test_every_version_of_a_plan_grants_its_own(world: World, operator: Caller) -> None:
    world.at("2026-03-28 09:00")
    plan = world.sells("Team", "10.00", limits={"seats": "5"})
    world.adds_card(world.signs_up("alice", "Team"))
    operator.patch(f"/plans/{plan.pk}", {"limits": {"seats": "7"}})
    plan.refresh_from_db()
    world.adds_card(world.signs_up("bob", "Team"))

    answers = _check(operator, ("alice", "seats"), ("bob", "seats"))
    assert [each["limit"] for each in answers] == ["5", "7"]


def _check(who: Caller, *asked: tuple[str, str]) -> list[dict[str, Any]]:
    body = {"checks": [{"customer": name, "feature": feature} for name, feature in asked]}
    found: list[dict[str, Any]] = who.post("/entitlement-checks", body).body["entitlements"]
    return found
