"""Limits hold across processes, are told in every answer, and need no Redis to let people in."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import OperationalError
from django.test import Client
from limits import parse
from pytest_django import Settings

from billing import clock
from billing.api import rate_limits
from billing.core import rate_classes
from billing.core.rate_classes import RateClass
from billing.models import ApiRequest
from billing.services import tokens
from customers.models import Customer
from plans.models import Feature
from supervisor import home as homes
from supervisor import servers, valkey
from tests.api.calling import Answer, Caller, caller
from tests.processes import in_processes

pytestmark = pytest.mark.django_db

TOLD: Final = (rate_limits.LIMIT, rate_limits.REMAINING, rate_limits.RESET)
Limit = Callable[..., None]


@pytest.fixture
def limit(settings: Settings) -> Limit:
    """Sets limits: `limit(read="3/minute")`."""

    return partial(_set_limits, settings)


@pytest.fixture
def _forgetful() -> Iterator[None]:
    """Whoever failed to reach Redis here is not who others count by."""
    yield
    rate_limits._counter.cache_clear()


def _set_limits(settings: Settings, **given: str) -> None:
    found = {RateClass(name): parse(text) for name, text in given.items()}
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, **found}


def _somewhere() -> str:
    """An address from which nobody has called yet."""
    return ".".join(str(part) for part in (10, *secrets.token_bytes(3)))


def _get(address: str, path: str = "/api/v1/plans", **headers: str) -> Any:
    return Client(raise_request_exception=False).get(path, REMOTE_ADDR=address, headers=headers)


def _numbers(answer: Answer) -> list[int]:
    return [int(answer.headers[name]) for name in TOLD]


def test_every_answer_tells_how_many_are_left(operator: Caller, limit: Limit) -> None:
    limit(read="3/minute")
    began = int(clock.now().timestamp())

    answers = [operator.get("/plans") for _ in range(5)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    told = [_numbers(answer) for answer in answers]
    assert [(most, left) for most, left, _ in told] == [(3, 2), (3, 1), (3, 0), (3, 0), (3, 0)]
    assert {began + 59 < resets_at <= began + 62 for _, _, resets_at in told} == {True}
    assert answers[3].code == "rate_limited"
    assert 55 <= int(answers[3].headers["Retry-After"]) <= 60
    assert "Retry-After" not in answers[2].headers


@pytest.mark.django_db(transaction=True)
def test_a_new_window_begins_with_its_first_call(operator: Caller, limit: Limit) -> None:
    limit(read="1/second")
    assert operator.get("/plans").status == 200
    refused = operator.get("/plans")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")

    deadline = time.monotonic() + 5
    while operator.get("/plans").status == 429 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert time.monotonic() < deadline


def test_each_token_and_class_has_its_own(operator: Caller, alice: Customer, limit: Limit) -> None:
    limit(read="1/minute", write="2/minute", check="3/minute", usage="4/minute", report="5/minute")
    event = {"id": "1", "customer": "alice", "meter": "calls", "quantity": "1"}
    calls = [
        ("1", operator.get("/customers")),
        ("2", operator.post("/features", {"code": "sso"})),
        ("2", operator.delete("/coupons/none")),
        ("3", operator.get(f"/customers/{alice.pk}/entitlements")),
        ("3", operator.get(f"/customers/{alice.pk}/entitlements/sso")),
        ("4", operator.post("/usage-events", event)),
        ("5", operator.get("/reports/mrr")),
        ("5", operator.get("/exports/journal")),
        ("5", operator.get(f"/customers/{alice.pk}/export")),
        ("1", caller(alice).get("/customers")),
    ]

    assert [answer.headers[rate_limits.LIMIT] for _, answer in calls] == [most for most, _ in calls]
    assert 429 not in {answer.status for _, answer in calls}
    assert operator.get("/plans").status == 429


def test_a_post_that_only_reads_counts_as_reading(operator: Caller, limit: Limit) -> None:
    limit(read="7/minute")

    assert operator.post("/invoice-previews", {}).headers[rate_limits.LIMIT] == "7"


def test_without_a_valid_token_the_address_counts(operator: Caller, limit: Limit) -> None:
    limit(anonymous="3/minute")
    address = _somewhere()
    valid = f"Bearer {operator.token}"

    guesses = [_get(address, Authorization=f"Bearer bsr_{n}") for n in range(2)]
    nowhere = _get(address, "/api/v1/nowhere", Authorization=valid)
    more = [_get(address, Authorization="Bearer bsr_x"), _get(address), _get(address, "/api/x")]

    assert [answer.status_code for answer in guesses] == [401, 401]
    assert nowhere.status_code == 404
    assert [answer.status_code for answer in more] == [429, 429, 429]
    assert [answer.json()["code"] for answer in more] == ["rate_limited"] * 3
    assert (
        _get(address, "/api/docs/").status_code == _get(address, "/api/schema/").status_code == 429
    )
    assert _get(address, Authorization=valid).status_code == 200
    assert _get(_somewhere()).status_code == 401


@pytest.mark.parametrize(
    ("proxies", "passed", "who"),
    [
        (0, "{a}", "proxy"),  # whoever writes that header is believed by nobody
        (1, "{a}", "a"),
        (1, "{a}, {b}", "b"),
        (2, "{a}, {b}", "a"),
        (2, "{a}", "proxy"),  # it came past one of them
        (1, "nonsense", "proxy"),
    ],
)
def test_proxies_say_who_calls_where_they_are_trusted(
    settings: Settings, proxies: int, passed: str, who: str
) -> None:
    _set_limits(settings, anonymous="1/hour")
    addresses = {name: _somewhere() for name in ("proxy", "a", "b")}
    settings.TRUSTED_PROXIES = proxies
    assert _get(addresses["proxy"], X_Forwarded_For=passed.format(**addresses)).status_code == 401

    settings.TRUSTED_PROXIES = 0
    found = {name: _get(address).status_code for name, address in addresses.items()}

    assert found == {name: 429 if name == who else 401 for name in addresses}


def test_an_ipv6_network_is_one_address(limit: Limit) -> None:
    limit(anonymous="1/minute")
    network = ":".join(["2001", "db8", secrets.token_hex(2), secrets.token_hex(2)])

    assert _get(f"{network}::1").status_code == 401
    assert _get(f"{network}:1:2:3:4%eth0").status_code == 429
    address = _somewhere()
    assert _get(f"::ffff:{address}").status_code == 401
    assert _get(address).status_code == 429


def test_a_call_too_many_does_not_use_up_its_key(operator: Caller, limit: Limit) -> None:
    limit(write="0/minute")
    assert operator.post("/features", {"code": "sso"}, idempotency_key="k1").status == 429
    assert ApiRequest.objects.count() == 0

    limit(write="10/minute")

    assert operator.post("/features", {"code": "sms"}, idempotency_key="k1").status == 201
    assert Feature.objects.get().code == "sms"


@pytest.mark.crooked_books
def test_every_kind_of_answer_tells_it(
    operator: Caller, alice: Customer, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: Exception) -> Callable[..., Any]:
        def failing(*_: Any, **__: Any) -> Any:
            raise error

        return failing

    feature, key = {"code": "sso"}, {"idempotency_key": "k1"}
    answers = [
        operator.post("/features", feature, **key),
        operator.post("/features", feature, **key),
        operator.post("/features", {"code": "sms"}, **key),
        operator.post("/features", feature),
        operator.post("/features", {}),
        operator.post("/features", "{"),
        operator.post("/features", feature, content_type="text/plain"),
        operator.send("HEAD", "/plans", None),
        operator.send("OPTIONS", "/plans", None),
        operator.get("/exports/journal?format=jsonl"),
        operator.get(f"/customers/{alice.pk}"),
        operator.get("/coupons/none"),
        operator.get("/nowhere"),
        operator.get("/api/nowhere"),
        operator.get("/api/schema/?format=json"),
        operator.get("/api/docs/"),
        caller(alice).get("/journal"),
        Caller().get("/plans"),
        Caller("bsr_x").get("/plans"),
    ]
    with monkeypatch.context() as patch:
        patch.setattr("billing.api.meters.page", fail(RuntimeError()))
        answers.append(operator.get("/meters"))
        patch.setattr("billing.api.meters.page", fail(OperationalError()))
        answers.append(operator.get("/meters"))
        patch.setattr("billing.services.tokens.authenticate", fail(OperationalError()))
        answers.append(operator.get("/meters"))
    limit(read="0/minute")
    answers.append(operator.get("/plans"))

    statuses = {answer.status for answer in answers}
    assert statuses == {200, 201, 400, 401, 403, 404, 405, 409, 415, 422, 429, 500, 503}
    for answer in answers:
        most, left, _ = _numbers(answer)
        assert 0 <= left <= most


def test_pages_tell_nothing_of_it() -> None:
    assert rate_limits.LIMIT not in Client().get("/healthz").headers


@pytest.mark.django_db(transaction=True)
def test_with_many_processes_exactly_the_limit_passes(
    limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(read="50/hour")
    monkeypatch.setattr(rate_limits, "_STEP", 10)  # however busy this machine is
    rate_limits._counter.cache_clear()
    _, text = tokens.issue("test", now=clock.now())

    def hammer() -> tuple[int, list[tuple[int, int]]]:
        answers = [Caller(text).get("/plans") for _ in range(20)]
        return os.getpid(), [(a.status, int(a.headers[rate_limits.REMAINING])) for a in answers]

    found = in_processes(*[hammer] * 6)

    assert len({pid for pid, _ in found}) == 6
    seen = [one for _, answers in found for one in answers]
    assert Counter(status for status, _ in seen) == {200: 50, 429: 70}
    assert sorted(left for status, left in seen if status == 200) == list(range(50))
    rate_limits._counter.cache_clear()


@pytest.mark.usefixtures("_forgetful")
def test_when_redis_is_killed_calls_pass_and_one_line_says_so(
    operator: Caller, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _set_limits(settings, read="2/minute")
    with homes.claim(tmp_path / "home") as home:
        cache = valkey.at(home, durable=False)
        settings.REDIS_URL = f"{cache.url}?db=1"
        with servers.manned(home, servers.Embedded(None, cache).services()):
            statuses = [operator.get("/plans").status for _ in range(3)]
            assert statuses == [200, 200, 429]
        caplog.clear()
        answers = [operator.get("/plans") for _ in range(5)]

    assert {answer.status for answer in answers} == {200}
    assert {tuple(_numbers(answer)[:2]) for answer in answers} == {(2, 2)}
    [line] = caplog.records
    assert line.getMessage() == "Redis does not answer, calls pass uncounted: ConnectionError."


@pytest.mark.usefixtures("_forgetful")
def test_a_redis_that_is_silent_holds_up_one_call_shortly(
    operator: Caller, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://:secret@127.0.0.1:{silent.getsockname()[1]}/1"
        counter = rate_limits._counter(settings.REDIS_URL)
        began = time.monotonic()
        assert counter.hit(parse("1/minute"), "somebody") is None
        took = time.monotonic() - began
        assert [counter.hit(parse("1/minute"), "somebody") for _ in range(20)] == [None] * 20
        assert operator.get("/plans").status == 200
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()

    assert took < 0.25
    [line] = caplog.records
    assert line.getMessage() == "Redis does not answer, calls pass uncounted: TimeoutError."


@pytest.mark.usefixtures("_forgetful")
def test_after_a_few_seconds_redis_is_asked_again(
    operator: Caller, limit: Limit, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(read="1/minute")
    usual = settings.REDIS_URL
    present = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: present)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    counter = rate_limits._counter(settings.REDIS_URL)
    assert [operator.get("/plans").status for _ in range(3)] == [200] * 3

    monkeypatch.setattr(counter, "_storage", rate_limits.Counter(usual)._storage)
    assert [operator.get("/plans").status for _ in range(3)] == [200] * 3
    present += 6

    assert [operator.get("/plans").status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("given", [{"reads": "1/minute"}, {"READ": "1/minute"}, {"": "1/minute"}])
def test_a_class_that_there_is_not_stops_the_start(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not a valid RateClass"):
        rate_classes.complete(given)


def test_what_is_not_set_has_its_default() -> None:
    found = rate_classes.complete({"read": "1/minute"})

    assert found == {**rate_classes.DEFAULTS, RateClass.READ: "1/minute"}
    assert set(found) == set(RateClass)
