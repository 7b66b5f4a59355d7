"""How we speak to PayPal: tokens, and which silences prove that nothing happened."""

from __future__ import annotations

import json
import logging
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
import requests
from pytest_django import Settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from billing import clock
from billing.core.money import Money
from billing.gateways.base import (
    ChargeRequest,
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
    SetupRequest,
)
from billing.gateways.network import never_left
from billing.gateways.paypal import client as clients
from billing.gateways.paypal.client import Account, Client, EarlierError, RefusedError
from billing.gateways.paypal.gateway import PayPalGateway
from tests.gateways.cases import PayPalStandIn, paypal_account

REQUEST: Final = ChargeRequest("a1", Money(1000, "EUR"), "cus", "vault_good", "paypal")
ORDERS: Final = "POST /v2/checkout/orders"
TOKEN: Final = "POST /v1/oauth2/token"
_NOWHERE: Final = HTTPConnection("127.0.0.1", 1)
REFUSED: Final = requests.ConnectionError(
    MaxRetryError(None, "/v2", NewConnectionError(_NOWHERE, "refused"))  # type: ignore[arg-type]
)


@pytest.fixture
def gateway(paypal: PayPalStandIn) -> PayPalGateway:
    return PayPalGateway(paypal_account(paypal.url))


@pytest.fixture
def closed() -> PayPalGateway:
    """One at a door that nobody is behind."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return PayPalGateway(paypal_account(f"http://127.0.0.1:{unused.getsockname()[1]}"))


def raised(gateway: PayPalGateway, request: ChargeRequest = REQUEST) -> type[Exception]:
    with pytest.raises(GatewayUnavailableError) as caught:
        gateway.charge(request)
    return caught.type


def asked(paypal: PayPalStandIn, path: str) -> list[dict[str, Any]]:
    return [one for one in paypal.requests() if f"{one['method']} {one['path']}" == path]


def answering(status: int, body: object) -> Any:
    """What `requests.request` gives back, whatever is asked."""
    response = requests.Response()
    response.status_code = status
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda *_, **__: response


def test_paypal_is_where_the_settings_say(settings: Settings) -> None:
    settings.PAYPAL_API_BASE = ""
    assert Account.from_settings().base == "https://api-m.paypal.com"
    settings.PAYPAL_API_BASE = "https://api-m.sandbox.paypal.com/"
    assert Account.from_settings().base == "https://api-m.sandbox.paypal.com"


def test_a_closed_door_is_not_reached(closed: PayPalGateway) -> None:
    assert raised(closed) is GatewayUnreachableError
    with pytest.raises(GatewayUnreachableError):
        closed.start_setup(SetupRequest("s1", "anon_1", token="vault_good"))
    with pytest.raises(GatewayUnreachableError):
        closed.fetch("charge", "C-1")


def test_what_may_have_been_sent_before_may_have_happened(closed: PayPalGateway) -> None:
    assert raised(closed, replace(REQUEST, is_repeated=True)) is GatewayUnavailableError


def test_once_it_was_sent_a_closed_door_proves_nothing(
    gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: Any) -> Any:
        raise EarlierError("PayPal was asked before: 422 DUPLICATE_INVOICE_ID")

    def shut(*_: Any) -> Any:
        raise GatewayUnreachableError("PayPal was not reached")

    monkeypatch.setattr(Client, "post", taken)
    monkeypatch.setattr(Client, "get", shut)

    assert raised(gateway) is GatewayUnavailableError


@pytest.mark.parametrize(
    ("action", "moment", "error"),
    [
        ("429", "before", GatewayUnreachableError),
        ("500", "before", GatewayUnavailableError),
        ("502", "before", GatewayUnavailableError),
        ("503", "after", GatewayUnavailableError),
        ("cut", "before", GatewayUnavailableError),
        ("cut", "after", GatewayUnavailableError),
    ],
)
def test_only_being_turned_away_proves_that_nothing_happened(
    paypal: PayPalStandIn,
    gateway: PayPalGateway,
    *,
    action: str,
    moment: str,
    error: type[Exception],
) -> None:
    paypal.fail(ORDERS, action=action, moment=moment)
    assert raised(gateway) is error

    gateway.charge(REQUEST)

    assert paypal.moved("a1", "T0003") == 1


def test_an_answer_that_is_late_is_none(
    paypal: PayPalStandIn, gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "TIMEOUTS", (0.5, 0.2))
    paypal.fail(ORDERS, action="slow", delay=0.5)

    assert raised(gateway) is GatewayUnavailableError


def test_what_never_left_and_what_may_have() -> None:
    assert never_left(REFUSED)
    assert never_left(requests.exceptions.ConnectTimeout("not in time"))
    assert not never_left(requests.exceptions.ReadTimeout("no answer"))
    assert not never_left(requests.ConnectionError(ProtocolError("Connection aborted.")))
    assert not never_left(requests.exceptions.ProxyError("no proxy"))


@pytest.mark.parametrize("action", ["429", "500", "cut"])
def test_without_a_token_nothing_was_asked(
    paypal: PayPalStandIn, gateway: PayPalGateway, action: str
) -> None:
    paypal.fail(TOKEN, action=action)

    assert raised(gateway) is GatewayUnreachableError
    assert asked(paypal, ORDERS) == []


def test_a_client_that_paypal_does_not_know_says_nothing_about_the_payment(
    paypal: PayPalStandIn,
) -> None:
    stranger = PayPalGateway(Account(paypal.url, "client", ""))

    with pytest.raises(GatewayUnavailableError, match="401 invalid_client") as caught:
        stranger.charge(REQUEST)
    assert caught.type is GatewayUnavailableError


def test_one_token_does_for_many_calls(paypal: PayPalStandIn, gateway: PayPalGateway) -> None:
    for _ in range(3):
        gateway.fetch("charge", "C-1")

    assert len(asked(paypal, TOKEN)) == 1


def test_a_token_is_renewed_before_it_runs_out(
    paypal: PayPalStandIn, gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.fetch("charge", "C-1")
    began = clock.now()
    for seconds, tokens in ((32_000, 1), (32_345, 2)):
        later = began + timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda later=later: later)
        gateway.fetch("charge", "C-1")
        assert len(asked(paypal, TOKEN)) == tokens


def test_a_token_that_is_refused_is_renewed_once(
    paypal: PayPalStandIn, gateway: PayPalGateway
) -> None:
    gateway.fetch("charge", "C-1")
    paypal.control("tokens/expire")

    assert gateway.charge(REQUEST).external_id
    assert len(asked(paypal, TOKEN)) == 2
    assert [one["status"] for one in asked(paypal, ORDERS)] == [401, 201]


def test_refused_with_a_new_token_too_says_nothing_about_the_payment(
    gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = answering(401, {"name": "AUTHENTICATION_FAILURE"})
    monkeypatch.setattr(requests, "request", refused)

    with pytest.raises(GatewayUnavailableError, match="401 AUTHENTICATION_FAILURE") as caught:
        gateway.charge(REQUEST)
    assert caught.type is GatewayUnavailableError


@pytest.mark.parametrize(
    ("status", "issue", "error"),
    [
        (400, "INVALID_PARAMETER_SYNTAX", RefusedError),
        (403, "PERMISSION_DENIED", RefusedError),
        (404, "INVALID_RESOURCE_ID", RefusedError),
        (422, "CURRENCY_NOT_SUPPORTED_FOR_COUNTRY", RefusedError),
        (409, "PREVIOUS_REQUEST_IN_PROGRESS", EarlierError),
        (422, "DUPLICATE_INVOICE_ID", EarlierError),
        (422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED", EarlierError),
        (415, "", GatewayUnavailableError),
        (302, "", GatewayUnavailableError),
    ],
)
def test_what_paypal_says_no_with(
    paypal: PayPalStandIn,
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: int,
    issue: str,
    error: type[Exception],
) -> None:
    client = Client(paypal_account(paypal.url))
    assert client.find("/v2/payments/captures", "C-1") is None  # and has a token now
    body = {"name": "NO", "details": [{"issue": issue, "description": "x"}], "debug_id": "d1"}
    monkeypatch.setattr(requests, "request", answering(status, body))

    with pytest.raises((GatewayRejectedError, GatewayUnavailableError)) as caught:
        client.post("/v2/checkout/orders", {}, "k")
    assert caught.type is error
    assert " ".join(filter(None, [str(status), "NO", issue, "d1"])) in str(caught.value)


@pytest.mark.parametrize("body", [b"<h1>Hello</h1>", b"", b"[]", b"null", b"1"])
def test_an_answer_that_cannot_be_read_is_none(
    gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(requests, "request", answering(201, body))
    assert raised(gateway) is GatewayUnavailableError

    monkeypatch.setattr(requests, "request", answering(503, body))
    assert raised(gateway) is GatewayUnavailableError


def test_an_answer_that_names_nothing_is_none(
    gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "request", answering(201, {"status": "COMPLETED"}))

    with pytest.raises(GatewayUnavailableError):
        gateway.start_setup(SetupRequest("s1", "anon_1", token="vault_good"))


def test_errors_and_logs_repeat_nothing_that_was_sent_or_said(
    gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.fetch("charge", "C-1")
    said = {
        "name": "jane@example.org",
        "message": "Jane Doe cannot pay.",
        "details": [{"issue": "Jane Doe", "value": "jane@example.org"}],
        "debug_id": "1 High Street",
    }
    monkeypatch.setattr(requests, "request", answering(422, said))

    with pytest.raises(GatewayRejectedError) as caught:
        gateway.charge(REQUEST)

    assert str(caught.value) == "PayPal refuses: 422"
    told = caplog.text + repr(paypal_account("http://x"))
    assert all(word not in told for word in ("a-secret-of-ours", "Bearer", "Jane", "jane"))
