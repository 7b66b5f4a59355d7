"""PayPal as a gateway, as far as the contract does not say it: setting up, charging, refunding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, Final, cast

import pytest
import requests
from pytest_django import Settings
from uuid_utils.compat import uuid7

from billing import clock
from billing.core.money import Money
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    ChargeStatus,
    GatewayRejectedError,
    GatewayUnavailableError,
    MethodChange,
    MethodDetails,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.paypal import charges, search, setups
from billing.gateways.paypal.client import Client, Fields, RefusedError
from billing.gateways.paypal.gateway import PayPalGateway, build
from paypal_sandbox.core import Sandbox
from paypal_sandbox.server import Server
from tests.gateways.cases import PayPalStandIn, paypal_account

NUMBERS: Final = count(1)
HOUR: Final = 3600
TEN: Final = Money(1000, "EUR")


@pytest.fixture
def gateway(paypal: PayPalStandIn) -> PayPalGateway:
    built = build()
    assert built is not None
    return built


class Aged:
    """A stand-in whose clock can be put forward, and the gateway at it."""

    def __init__(self, url: str, later: Callable[[float], None]) -> None:
        self.stand_in, self.later = PayPalStandIn(url), later
        self.gateway = PayPalGateway(paypal_account(url))


@pytest.fixture
def aged() -> Iterator[Aged]:
    ahead = [0.0]
    sandbox = Sandbox(clock=lambda: clock.now().timestamp() + ahead[0])
    server = Server(sandbox, "127.0.0.1", 0)
    thread = server.start()
    yield Aged(server.url, lambda seconds: ahead.__setitem__(0, seconds))
    server.stop()
    thread.join()


def visit(reference: str = "s1") -> SetupRequest:
    return SetupRequest(
        reference,
        "anon_1",
        kind="paypal",
        success_url="http://localhost/done",
        cancel_url="http://localhost/back",
    )


def asked(token: str = "vault_good", reference: str = "", amount: Money = TEN) -> ChargeRequest:
    return ChargeRequest(reference or f"a{next(NUMBERS)}", amount, "cus", token, "paypal")


def test_without_a_client_id_there_is_no_gateway(settings: Settings) -> None:
    settings.PAYPAL_CLIENT_ID = ""
    assert build() is None


def test_the_page_is_where_the_payer_agrees(paypal: PayPalStandIn, gateway: PayPalGateway) -> None:
    started = gateway.start_setup(visit())
    assert (started.reference, started.status) == ("s1", SetupStatus.OPEN)
    assert started.url.startswith(f"{paypal.url}/agreements/approve?")
    assert gateway.start_setup(visit()) == started
    assert gateway.fetch("setup", started.external_id) == replace(started, reference="")

    assert paypal.agree(started.url).startswith("http://localhost/done")

    setup = gateway.fetch("setup", started.external_id)
    assert isinstance(setup, Setup)
    assert setup.method is not None
    method = MethodDetails(setup.method.external_id, "paypal", "paypal", "")
    customer = started.customer_external_id
    assert setup == Setup("", started.external_id, SetupStatus.COMPLETED, customer, method=method)
    assert gateway.fetch("setup_token", started.external_id) == setup
    assert gateway.charge(asked(method.external_id)).status is ChargeStatus.SUCCEEDED


def test_a_customer_who_is_known_is_named(paypal: PayPalStandIn, gateway: PayPalGateway) -> None:
    first = gateway.start_setup(visit("s1"))
    again = replace(visit("s2"), customer_external_id=first.customer_external_id)

    assert gateway.start_setup(again).customer_external_id == first.customer_external_id
    told = [one["params"]["customer"] for one in paypal.requests() if "customer" in one["params"]]
    assert told == [{"merchant_customer_id": "anon_1"}, {"id": first.customer_external_id}]


def test_a_payment_token_that_is_there_already_will_do(gateway: PayPalGateway) -> None:
    first = gateway.start_setup(SetupRequest("s1", "anon_1", token="vault_good"))
    assert first.method is not None
    token = first.method.external_id

    again = gateway.start_setup(SetupRequest("s2", "anon_1", token=token))

    assert again == replace(first, reference="s2")
    assert again.external_id == token
    assert gateway.fetch("setup", token) == replace(again, reference="")


def test_an_exchange_that_paypal_has_forgotten_leads_to_the_only_token(aged: Aged) -> None:
    started = aged.gateway.start_setup(visit())
    aged.stand_in.agree(started.url)
    setup = aged.gateway.fetch("setup", started.external_id)

    aged.later(4 * HOUR)

    assert aged.gateway.fetch("setup", started.external_id) == setup
    second = SetupRequest("s2", "anon_1", started.customer_external_id, token="vault_good")
    aged.gateway.start_setup(second)
    with pytest.raises(GatewayUnavailableError, match="which payment token"):
        aged.gateway.fetch("setup", started.external_id)


def test_paypal_is_asked_for_nothing_but_accounts_at_paypal(gateway: PayPalGateway) -> None:
    with pytest.raises(GatewayRejectedError, match="no card"):
        gateway.start_setup(replace(visit(), kind="card"))


def test_a_set_up_of_nobody_is_nothing(gateway: PayPalGateway) -> None:
    assert gateway.fetch("setup", "5C991763VB2781612") is None
    assert gateway.fetch("setup_token", "") is None


def test_a_token_that_was_deleted_is_gone_and_declined_for_good(
    paypal: PayPalStandIn, gateway: PayPalGateway
) -> None:
    assert isinstance(gateway.fetch("payment_token", "vault_good"), MethodChange)
    issued = requests.post(
        f"{paypal.url}/v1/oauth2/token",
        {"grant_type": "client_credentials"},
        auth=("client", "secret"),
        timeout=5,
    ).json()
    requests.delete(
        f"{paypal.url}{setups.PAYMENT_TOKENS}/vault_good",
        headers={"Authorization": f"Bearer {issued['access_token']}"},
        timeout=5,
    )

    assert gateway.fetch("payment_token", "vault_good") == MethodChange("vault_good", None)
    assert gateway.fetch("payment_method", "vault_good") is None
    declined = gateway.charge(asked("vault_good"))
    assert declined.decline is not None
    assert declined.decline.code == "AGREEMENT_ALREADY_CANCELLED"
    assert declined.decline.is_hard


@pytest.mark.parametrize(
    ("token", "code", "is_hard"),
    [
        ("vault_declined", "INSTRUMENT_DECLINED", False),
        ("vault_insufficient", "PAYER_CANNOT_PAY", False),
        ("vault_closed", "PAYER_ACCOUNT_LOCKED_OR_CLOSED", True),
        ("vault_of_nobody", "TOKEN_ID_NOT_FOUND", True),
    ],
)
def test_what_paypal_refuses_is_declined_and_leaves_no_id(
    gateway: PayPalGateway, token: str, code: str, is_hard: bool
) -> None:
    charged = gateway.charge(asked(token, "a1"))

    assert (charged.reference, charged.external_id) == ("a1", "")
    assert charged.status is ChargeStatus.DECLINED
    assert charged.decline is not None
    assert (charged.decline.code, charged.decline.is_hard) == (code, is_hard)


@pytest.mark.parametrize("amount", [Money(1000, "KWD"), Money(150, "TWD"), Money(1, "HUF")])
def test_what_paypal_cannot_take_is_refused_here(
    paypal: PayPalStandIn, gateway: PayPalGateway, amount: Money
) -> None:
    with pytest.raises(GatewayRejectedError, match=amount.currency):
        gateway.charge(asked(amount=amount))
    assert paypal.requests() == []


@pytest.mark.parametrize(
    ("end", "status"),
    [("completed", ChargeStatus.SUCCEEDED), ("declined", ChargeStatus.DECLINED)],
)
def test_a_payment_that_waits_ends_one_way_or_the_other(
    paypal: PayPalStandIn, gateway: PayPalGateway, end: str, status: ChargeStatus
) -> None:
    charged = gateway.charge(asked("vault_pending", "a1"))
    assert (charged.reference, charged.status) == ("a1", ChargeStatus.PROCESSING)
    with pytest.raises(GatewayRejectedError, match="PENDING_CAPTURE"):
        gateway.refund(RefundRequest("r1", charged.external_id, TEN))

    paypal.control("captures/settle", capture=charged.external_id, status=end)

    ended = gateway.fetch("charge", charged.external_id)
    assert isinstance(ended, Charge)
    assert (ended.reference, ended.status) == ("a1", status)
    assert (ended.decline is not None) is (status is ChargeStatus.DECLINED)
    assert gateway.fetch("capture", charged.external_id) == ended


def test_an_order_tells_of_its_payment(paypal: PayPalStandIn, gateway: PayPalGateway) -> None:
    charged = gateway.charge(asked())
    capture = Client(paypal_account(paypal.url)).find(charges.CAPTURES, charged.external_id)
    assert capture is not None
    order_id = capture["supplementary_data"]["related_ids"]["order_id"]

    assert gateway.fetch("checkout-order", order_id) == charged
    assert gateway.fetch("checkout-order", "nothing") is None


def test_a_refund_that_waits_may_fail(paypal: PayPalStandIn, gateway: PayPalGateway) -> None:
    charged = gateway.charge(asked("vault_refund_pending"))
    refund = gateway.refund(RefundRequest("r1", charged.external_id, TEN))
    assert (refund.reference, refund.status) == ("r1", ChargeStatus.PROCESSING)

    paypal.control("refunds/settle", refund=refund.external_id, status="failed")

    failed = gateway.fetch("refund", refund.external_id)
    assert isinstance(failed, Refund)
    assert (failed.reference, failed.status) == ("r1", ChargeStatus.DECLINED)
    assert failed.decline is not None


def test_a_charge_without_an_id_has_nothing_to_refund(
    paypal: PayPalStandIn, gateway: PayPalGateway
) -> None:
    with pytest.raises(GatewayRejectedError, match="took no money"):
        gateway.refund(RefundRequest("r1", "", TEN))
    with pytest.raises(GatewayRejectedError, match="404"):
        gateway.refund(RefundRequest("r2", "8F148933LY9388354", TEN))


def test_a_charge_is_found_once_paypal_has_forgotten_its_key(aged: Aged) -> None:
    request = asked(reference=str(uuid7()))
    aged.stand_in.fail("POST /v2/checkout/orders", action="cut", moment="after")
    with pytest.raises(GatewayUnavailableError):
        aged.gateway.charge(request)

    aged.later(7 * HOUR)

    found = aged.gateway.charge(replace(request, is_repeated=True))
    assert (found.reference, found.status) == (request.reference, ChargeStatus.SUCCEEDED)
    assert aged.gateway.fetch("charge", found.external_id) == found
    assert aged.stand_in.moved(request.reference, "T0003") == 1


def test_a_charge_that_the_search_does_not_show_yet_is_known_by_its_key(aged: Aged) -> None:
    request = asked()
    first = aged.gateway.charge(request)
    aged.stand_in.control("reporting", lag=3 * HOUR)

    assert aged.gateway.charge(replace(request, is_repeated=True)) == first


def test_a_second_payment_of_an_invoice_is_the_first_one(aged: Aged) -> None:
    request = asked()
    first = aged.gateway.charge(request)
    aged.later(7 * HOUR)

    assert aged.gateway.charge(request) == first
    aged.stand_in.control("reporting", lag=30 * HOUR)
    with pytest.raises(GatewayUnavailableError, match="does not show"):
        aged.gateway.charge(request)
    assert len([one for one in aged.stand_in.requests() if one["status"] == 201]) == 1


def test_what_cannot_be_looked_for_is_not_sent_again(
    paypal: PayPalStandIn, gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any) -> Fields:
        raise RefusedError("PayPal refuses: 403 NOT_AUTHORIZED", 403, "")

    monkeypatch.setattr(Client, "get", forbidden)

    with pytest.raises(GatewayUnavailableError, match="403 NOT_AUTHORIZED"):
        gateway.charge(replace(asked(), is_repeated=True))
    assert paypal.requests() == []


def test_a_refund_is_found_once_paypal_has_forgotten_its_key(aged: Aged) -> None:
    charged = aged.gateway.charge(asked())
    request = RefundRequest("r1", charged.external_id, Money(300, "EUR"))
    made = aged.gateway.refund(request)
    tokens_too = 46 * 24 * HOUR
    aged.later(tokens_too)
    aged.stand_in.control("tokens/expire")

    assert aged.gateway.refund(replace(request, is_repeated=True)) == made
    assert aged.gateway.refund(request) == made  # PayPal says that the invoice id was used
    assert aged.stand_in.moved("r1", "T1107") == 1


class Answers:
    """A client that has one answer to everything."""

    def __init__(self, answer: Fields, found: Fields | None = None) -> None:
        self._answer, self._found = answer, found

    def post(self, *_: Any) -> Fields:
        return self._answer

    def find(self, *_: Any) -> Fields | None:
        return self._found


def test_an_order_that_waits_for_the_payer_is_declined() -> None:
    client = cast("Client", Answers({"id": "O-1", "status": "PAYER_ACTION_REQUIRED"}))

    charged = charges.charge(client, asked(reference="a1"))

    assert (charged.reference, charged.status) == ("a1", ChargeStatus.DECLINED)
    assert charged.decline is not None
    assert (charged.decline.code, charged.decline.is_hard) == ("PAYER_ACTION_REQUIRED", False)


def test_an_order_of_which_too_little_is_told_is_read_again() -> None:
    capture = {"id": "C-1", "status": "COMPLETED"}
    whole = {"purchase_units": [{"payments": {"captures": [capture]}}]}
    client = cast("Client", Answers({"id": "O-1", "status": "COMPLETED"}, whole))

    assert charges.charge(client, asked(reference="a1")) == Charge(
        "a1", "C-1", ChargeStatus.SUCCEEDED
    )


def test_an_order_that_nothing_came_of_yet_is_no_answer() -> None:
    with pytest.raises(GatewayUnavailableError, match="made up its mind"):
        charges.charge(cast("Client", Answers({"id": "O-1", "status": "APPROVED"})), asked())


def test_a_search_begins_when_its_reference_was_made(
    paypal: PayPalStandIn, gateway: PayPalGateway
) -> None:
    client = Client(paypal_account(paypal.url))
    for reference in (str(uuid7()), "a1", "00000000-0000-7000-8000-000000000000"):
        assert list(search.transactions(client, reference, "EUR", search.PAYMENT)) == []

    asked_for = [one["params"]["start_date"] for one in paypal.requests() if one["method"] == "GET"]
    now = clock.now()
    assert asked_for[0] >= search.instant(now - timedelta(hours=2))
    assert len(asked_for) == 2 + 36  # three years, which is as far as PayPal remembers
