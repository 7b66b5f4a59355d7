"""`/tokens`: made, shown once, rotated, ended; and what is told of them, and to whom."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from billing import clock
from billing.models import ApiRequest, ApiToken
from billing.services import erasure, tokens
from customers.models import Customer
from tests import builders
from tests.api.calling import Answer, Caller, caller
from tests.threads import at_once

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 4, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the clock, which stands at `TODAY` before."""

    def set_clock(now: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: now)

    set_clock(TODAY)
    return set_clock


def _body(**fields: Any) -> dict[str, Any]:
    return {"name": "shop", "role": "operator", **fields}


def _of(customer: Customer, **fields: Any) -> dict[str, Any]:
    return _body(role="customer", customer=str(customer.pk), **fields)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _works(made: Answer) -> bool:
    return Caller(made.body["token"]).get("/plans").status == 200


def test_a_token_is_made_and_shown_once(operator: Caller) -> None:
    made = operator.post("/tokens", _body())

    text = made.body["token"]
    assert text.startswith(made.body["prefix"])
    assert made.body["prefix"].startswith("bsr_")
    assert made.headers["Cache-Control"] == "no-store"
    assert (made.body["role"], made.body["status"]) == ("operator", "active")
    read = operator.get(f"/tokens/{made.body['id']}")
    assert read.body == {name: value for name, value in made.body.items() if name != "token"}
    assert text not in str(operator.get("/tokens").body)
    assert text not in str(list(ApiToken.objects.values()))
    assert Caller(text).post("/features", {"code": "sso"}).status == 201


def test_its_scope_is_what_was_asked_for(operator: Caller, alice: Customer) -> None:
    made = operator.post("/tokens", _of(alice, read_only=True))

    theirs = Caller(made.body["token"])
    assert (made.body["customer"], made.body["read_only"]) == (str(alice.pk), True)
    assert theirs.get(f"/customers/{alice.pk}").status == 200
    assert theirs.patch(f"/customers/{alice.pk}", {"city": "London"}).code == "read_only_token"
    assert theirs.get("/journal").code == "operator_only"


def test_who_made_and_revoked_it_is_kept(operator: Caller) -> None:
    made = operator.post("/tokens", _body())
    operator.delete(f"/tokens/{made.body['id']}")

    token = ApiToken.objects.get(pk=made.body["id"])
    name = f"test ({operator.token[:10]}…)" if operator.token else ""
    assert (token.created_by, token.revoked_by) == (name, name)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (_body(name=""), "blank"),
        (_body(name="x" * 121), "max_length"),
        ({"name": "shop"}, "required"),
        (_body(role="admin"), "invalid_choice"),
        (_body(role="customer"), "required"),
        (_body(read_only="yes"), "invalid_request"),
        (_body(expires_at="2020-01-01T00:00:00Z"), "expires_in_past"),
        (_body(scope="all"), "unknown_field"),
    ],
)
def test_what_makes_no_sense_is_refused(operator: Caller, body: Any, code: str) -> None:
    answer = operator.post("/tokens", body)

    assert (answer.status, answer.code) == (400, code)
    assert ApiToken.objects.count() == 1


def test_an_operators_token_is_no_customers(operator: Caller, alice: Customer) -> None:
    assert operator.post("/tokens", _of(alice) | {"role": "operator"}).status == 400


def test_nobody_is_behind_an_erased_customer(operator: Caller, alice: Customer) -> None:
    erasure.erase(alice.pk, by="test", now=clock.now())

    assert operator.post("/tokens", _of(alice)).code == "customer_erased"


def test_it_is_refused_from_its_expiry_on(operator: Caller, at: Callable[[datetime], None]) -> None:
    made = operator.post("/tokens", _body(expires_at=_instant(TODAY + DAY)))
    theirs = Caller(made.body["token"])
    at(TODAY + DAY - timedelta(seconds=1))
    assert theirs.get("/plans").status == 200

    at(TODAY + DAY)

    assert theirs.get("/plans").status == 401
    assert operator.get(f"/tokens/{made.body['id']}").body["status"] == "expired"


def test_unknown_expired_and_revoked_are_told_the_same(
    operator: Caller, at: Callable[[datetime], None]
) -> None:
    expired = operator.post("/tokens", _body(expires_at=_instant(TODAY + DAY)))
    revoked = operator.post("/tokens", _body())
    operator.delete(f"/tokens/{revoked.body['id']}")
    at(TODAY + DAY)
    texts = [expired.body["token"], revoked.body["token"], revoked.body["token"][:-1] + "_"]

    answers = [Caller(text).get("/plans") for text in [*texts, "bsr_unknown", "bsr_\0", "x"]]

    assert {answer.status for answer in answers} == {401}
    assert len({str(answer.body) for answer in answers}) == 1


def test_tokens_that_begin_alike_are_told_apart() -> None:
    (first, text), (other, _) = (tokens.issue(name, now=TODAY) for name in ("a", "b"))
    ApiToken.objects.filter(pk=other.pk).update(prefix=first.prefix)

    assert tokens.authenticate(text, now=TODAY) == first
    assert tokens.authenticate(f"{text[:10]}{'x' * 33}", now=TODAY) is None


def test_one_from_before_expiry_and_rotation_is_taken() -> None:
    text = "bsr_" + "a" * 43
    ApiToken.objects.create(
        name="old", prefix=text[:10], digest=tokens.digest(text), role="OPERATOR", created_at=TODAY
    )

    assert Caller(text).get("/journal").status == 200


def test_revoking_again_is_the_same_as_once(operator: Caller) -> None:
    made = operator.post("/tokens", _body())
    path = f"/tokens/{made.body['id']}"

    first, again = operator.delete(path), operator.delete(path)

    assert (first.status, again.status) == (204, 204)
    assert not _works(made)
    assert operator.get(path).body["status"] == "revoked"


def test_a_token_may_revoke_itself(as_alice: Caller) -> None:
    [mine] = as_alice.get("/tokens").body["tokens"]

    assert as_alice.delete(f"/tokens/{mine['id']}").status == 204
    assert as_alice.get("/tokens").status == 401


def test_a_rotated_token_and_its_successor_overlap(
    operator: Caller, alice: Customer, at: Callable[[datetime], None]
) -> None:
    old = operator.post("/tokens", _of(alice, read_only=True))

    new = operator.post(f"/tokens/{old.body['id']}/rotate", {})

    assert _works(old)
    assert _works(new)
    for name in ("name", "role", "customer", "read_only", "expires_at"):
        assert new.body[name] == old.body[name]
    assert new.body["predecessor"] == old.body["id"]
    ending = operator.get(f"/tokens/{old.body['id']}").body
    assert (ending["status"], ending["revoked_at"]) == ("active", _instant(TODAY + DAY))
    at(TODAY + DAY)
    assert not _works(old)
    assert _works(new)


def test_without_an_overlap_the_old_one_ends_at_once(operator: Caller) -> None:
    old = operator.post("/tokens", _body())

    new = operator.post(f"/tokens/{old.body['id']}/rotate", {"overlap_seconds": 0})

    assert not _works(old)
    assert _works(new)


@pytest.mark.parametrize("seconds", [-1, 30 * 86_400 + 1, "soon", None])
def test_an_overlap_has_its_bounds(operator: Caller, seconds: Any) -> None:
    old = operator.post("/tokens", _body())

    answer = operator.post(f"/tokens/{old.body['id']}/rotate", {"overlap_seconds": seconds})

    assert answer.status == 400
    assert ApiToken.objects.count() == 2


def test_the_successor_lives_as_long_as_the_old_one_was_given(
    operator: Caller, at: Callable[[datetime], None]
) -> None:
    old = operator.post("/tokens", _body(expires_at=_instant(TODAY + 90 * DAY)))
    at(TODAY + 80 * DAY)

    new = operator.post(f"/tokens/{old.body['id']}/rotate", {"overlap_seconds": 30 * 86_400})

    assert new.body["expires_at"] == _instant(TODAY + 170 * DAY)
    at(TODAY + 90 * DAY)
    assert not _works(old)  # the overlap lets nobody live longer


def test_a_successor_whose_text_was_lost_is_revoked_and_the_old_one_rotated_again(
    operator: Caller,
) -> None:
    old = operator.post("/tokens", _body())
    path = f"/tokens/{old.body['id']}/rotate"
    lost = operator.post(path, {})
    assert operator.post(path, {}).code == "already_rotated"

    operator.delete(f"/tokens/{lost.body['id']}")
    found = operator.post(path, {"overlap_seconds": 0})

    assert found.status == 201
    assert (_works(old), _works(lost), _works(found)) == (False, False, True)
    assert operator.post(path, {}).code == "token_ended"


def test_a_customers_token_manages_those_of_that_customer_only(
    operator: Caller, as_alice: Caller, as_charlie: Caller, alice: Customer
) -> None:
    mine = as_alice.post("/tokens", {"name": "mine", "role": "customer"})
    assert (mine.status, mine.body["customer"]) == (201, str(alice.pk))
    assert as_alice.get("/tokens").body["total"] == 2
    [operators] = operator.get("/tokens?role=operator").body["tokens"]

    for somebody, path in ((as_charlie, mine.body["id"]), (as_alice, operators["id"])):
        assert somebody.get(f"/tokens/{path}").status == 404
        assert somebody.delete(f"/tokens/{path}").status == 404
        assert somebody.post(f"/tokens/{path}/rotate", {}).status == 404
    assert _works(mine)


def test_no_token_makes_one_that_may_do_more(
    as_alice: Caller, alice: Customer, at: Callable[[datetime], None]
) -> None:
    other = builders.make_customer("bob")
    assert as_alice.post("/tokens", _body()).code == "operator_only"
    assert as_alice.post("/tokens", _of(other)).status == 404
    reader = caller(alice, is_read_only=True)
    assert reader.post("/tokens", _of(alice)).code == "read_only_token"
    assert reader.post("/tokens", _of(alice, read_only=True)).code == "read_only_token"

    short, text = tokens.issue("short", now=TODAY, customer=alice, expires_at=TODAY + DAY)
    brief = Caller(text)
    assert brief.post("/tokens", _of(alice)).body["expires_at"] == _instant(TODAY + DAY)
    later = _of(alice, expires_at=_instant(TODAY + 2 * DAY))
    assert brief.post("/tokens", later).code == "outlives_token"
    eternal = as_alice.post("/tokens", _of(alice)).body["id"]
    assert brief.post(f"/tokens/{eternal}/rotate", {}).body["expires_at"] == _instant(TODAY + DAY)
    renewed = brief.post(f"/tokens/{short.pk}/rotate", {})
    assert renewed.body["expires_at"] == _instant(TODAY + DAY)


def test_lists_are_narrowed_down(
    operator: Caller, alice: Customer, at: Callable[[datetime], None]
) -> None:
    operator.post("/tokens", _of(alice, name="a", read_only=True))
    operator.post("/tokens", _of(builders.make_customer("bob"), name="b"))
    gone = operator.post("/tokens", _of(alice, name="c", expires_at=_instant(TODAY + DAY)))
    ended = operator.post("/tokens", _of(alice, name="d", expires_at=_instant(TODAY + 3 * DAY)))
    operator.delete(f"/tokens/{ended.body['id']}")
    at(TODAY + 5 * DAY)

    def named(query: str) -> list[str]:
        found = operator.get(f"/tokens?{query}").body["tokens"]
        return sorted(token["name"] for token in found)

    assert named(f"customer={alice.pk}") == ["a", "c", "d"]
    assert named("role=operator") == ["test"]
    assert named("read_only=true") == ["a"]
    assert named("status=active") == ["a", "b", "test"]
    assert (named("status=expired"), named("status=revoked")) == (["c"], ["d"])
    assert {gone.body["status"], ended.body["status"]} == {"active"}


def test_a_repetition_makes_no_second_token_and_tells_no_text(operator: Caller) -> None:
    made = operator.post("/tokens", _body(), idempotency_key="k1")
    again = operator.post("/tokens", _body(), idempotency_key="k1")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.body == {**made.body, "token": None}
    assert ApiToken.objects.filter(name="shop").count() == 1
    path = f"/tokens/{made.body['id']}/rotate"
    new = operator.post(path, {}, idempotency_key="k2")
    assert operator.post(path, {}, idempotency_key="k2").body == {**new.body, "token": None}
    kept = "".join(ApiRequest.objects.values_list("body", flat=True))
    assert made.body["token"] not in kept
    assert new.body["token"] not in kept


def test_when_it_was_used_is_noted_once_a_minute(at: Callable[[datetime], None]) -> None:
    token, text = tokens.issue("test", now=TODAY)

    def used(now: datetime) -> datetime | None:
        at(now)
        assert Caller(text).get("/plans").status == 200
        token.refresh_from_db()
        return token.last_used_at

    assert token.last_used_at is None
    assert used(TODAY) == TODAY
    assert used(TODAY + timedelta(seconds=59)) == TODAY
    assert used(TODAY + timedelta(seconds=60)) == TODAY + timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_noting_its_use_waits_for_nobody() -> None:
    token, text = tokens.issue("test", now=TODAY)

    with transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(name="held")
        [answer] = at_once(lambda: Caller(text).get("/plans"))

    assert isinstance(answer, Answer)
    assert answer.status == 200
    token.refresh_from_db()
    assert token.last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_failing_to_note_its_use_fails_no_request(caplog: pytest.LogCaptureFixture) -> None:
    token, text = tokens.issue("test", now=TODAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE billing_apitoken ADD CONSTRAINT never CHECK (last_used_at IS NULL)"
        )
    try:
        with caplog.at_level(logging.WARNING):
            assert Caller(text).get("/plans").status == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE billing_apitoken DROP CONSTRAINT never")

    assert [record.getMessage() for record in caplog.records] == [
        f"That token {token.pk} was used is not noted: IntegrityError."
    ]


@pytest.mark.django_db(transaction=True)
def test_of_those_who_rotate_at_once_one_does(operator: Caller) -> None:
    old = operator.post("/tokens", _body())
    path = f"/tokens/{old.body['id']}/rotate"

    answers = at_once(*(lambda: Caller(operator.token).post(path, {}) for _ in range(8)))

    found = [answer for answer in answers if isinstance(answer, Answer)]
    assert sorted(answer.status for answer in found) == [201] + [409] * 7
    assert ApiToken.objects.filter(predecessor=old.body["id"]).count() == 1
