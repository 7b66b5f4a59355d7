"""Which of Stripe's silences prove that nothing happened."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
import requests
import stripe
from pytest_django import Settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from billing.core.money import Money
from billing.gateways import network
from billing.gateways.base import (
    ChargeRequest,
    GatewayUnavailableError,
    GatewayUnreachableError,
    SetupRequest,
)
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import reach
from billing.gateways.stripe.gateway import StripeGateway
from tests.gateways.cases import StandIn

REQUEST: Final = ChargeRequest("a1", Money(1000, "EUR"), "cus_1", "pm_1")
_NOWHERE: Final = HTTPConnection("127.0.0.1", 1)
REFUSED: Final = requests.ConnectionError(
    MaxRetryError(None, "/v1", NewConnectionError(_NOWHERE, "refused"))  # type: ignore[arg-type]
)
BROKEN: Final = requests.ConnectionError(ProtocolError("Connection aborted."))
LATE: Final = requests.exceptions.ReadTimeout("no answer")
CROWDED: Final[Any] = (b'{"error": {"code": "rate_limit"}}', 429, {})
LOCKED: Final[Any] = (b'{"error": {"code": "lock_timeout"}}', 429, {"stripe-should-retry": "true"})
BROKE: Final[Any] = (b'{"error": {"type": "api_error"}}', 500, {})


@pytest.fixture
def gateway(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    """One that waits for nothing long."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    return StripeGateway(clients.build(timeouts=(0.5, 0.5)))


@pytest.fixture
def closed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    """One at a door that nobody is behind."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{unused.getsockname()[1]}"
    return StripeGateway()


def raised(gateway: StripeGateway, request: ChargeRequest = REQUEST) -> type[Exception]:
    with pytest.raises(GatewayUnavailableError) as caught:
        gateway.charge(request)
    return caught.type


def test_a_closed_door_is_not_reached_at_once(closed: StripeGateway) -> None:
    assert raised(closed) is GatewayUnreachableError
    with pytest.raises(GatewayUnreachableError):
        closed.start_setup(SetupRequest("s1", "anon_1", token="pm_card_visa"))
    with pytest.raises(GatewayUnreachableError):
        closed.fetch("charge", "pi_1")


def test_a_name_that_nobody_knows_is_not_reached(
    closed: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert raised(closed) is GatewayUnreachableError


def test_what_may_have_been_sent_before_may_have_happened(closed: StripeGateway) -> None:
    assert raised(closed, replace(REQUEST, is_repeated=True)) is GatewayUnavailableError


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"action": "429"}, GatewayUnreachableError),
        ({"action": "429", "moment": "after"}, GatewayUnreachableError),
        ({"action": "cut"}, GatewayUnavailableError),
        ({"action": "cut", "moment": "after"}, GatewayUnavailableError),
        ({"action": "slow", "delay": 0.8}, GatewayUnavailableError),
        ({"action": "500"}, GatewayUnavailableError),
    ],
)
def test_only_what_was_turned_away_unheard_is_certain(
    gateway: StripeGateway, stand_in: StandIn, fault: dict[str, Any], expected: type[Exception]
) -> None:
    stand_in.fail("POST /v1/payment_intents", times=3, **fault)

    assert raised(gateway) is expected


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        ([REFUSED], GatewayUnreachableError),
        ([requests.exceptions.ConnectTimeout()], GatewayUnreachableError),
        ([CROWDED], GatewayUnreachableError),
        ([requests.exceptions.ProxyError()] * 3, GatewayUnavailableError),
        ([requests.exceptions.SSLError()], GatewayUnavailableError),
        ([LATE, REFUSED], GatewayUnavailableError),
        ([BROKEN, CROWDED], GatewayUnavailableError),
        ([BROKE, REFUSED], GatewayUnavailableError),
        ([LOCKED, LOCKED, LOCKED], GatewayUnavailableError),
        ([LOCKED, REFUSED], GatewayUnavailableError),
    ],
)
def test_one_try_that_may_have_been_heard_is_enough(
    gateway: StripeGateway,
    monkeypatch: pytest.MonkeyPatch,
    tries: Sequence[Any],
    expected: type[Exception],
) -> None:
    left = list(tries)

    def answered(self: Any, method: str, *_: Any) -> Any:
        found = left.pop(0)
        if isinstance(found, Exception):
            self._handle_request_error(found)
        return found

    monkeypatch.setattr(stripe.RequestsClient, "request", answered)

    assert raised(gateway) is expected
    assert left == []


def test_what_one_call_left_in_doubt_says_nothing_about_the_next(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    stand_in.fail("POST /v1/payment_intents", action="500")
    assert raised(gateway) is GatewayUnavailableError
    stand_in.fail("POST /v1/payment_intents", action="429")

    assert raised(gateway, replace(REQUEST, reference="a2")) is GatewayUnreachableError


def test_outside_of_a_call_nothing_is_noted() -> None:
    with reach.listening() as ear:
        pass
    reach._note("post")

    assert not ear.may_have_heard
    assert not network.never_left(None)
    assert not network.never_left(ValueError())
