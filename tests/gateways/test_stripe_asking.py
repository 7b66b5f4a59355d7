"""What the payer is asked for at Stripe: 3-D Secure, pix; and the debit that needs no asking."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from billing import clock
from billing.core.lifecycle import ActionKind
from billing.core.money import Money
from billing.gateways.base import (
    Action,
    Charge,
    ChargeRequest,
    ChargeStatus,
    GatewayRejectedError,
    GatewayUnavailableError,
    MethodChange,
    MethodDetails,
    Setup,
    SetupRequest,
    SetupStatus,
)
from billing.gateways.stripe import charges
from billing.gateways.stripe.gateway import StripeGateway
from tests.gateways.cases import StandIn, StripeCase

pytestmark = pytest.mark.django_db

SHOP = "http://localhost/back"
ASKED = Action(ActionKind.PAGE)


@pytest.fixture
def case(stand_in: StandIn) -> StripeCase:
    return StripeCase(stand_in, "whsec_any")


@pytest.fixture
def gateway(case: StripeCase) -> StripeGateway:
    assert isinstance(case.gateway, StripeGateway)
    return case.gateway


@pytest.fixture
def client(gateway: StripeGateway) -> stripe.StripeClient:
    return gateway._client


@pytest.fixture
def asked(gateway: StripeGateway, case: StripeCase) -> Charge:
    """A charge whose bank wants the card's owner."""
    return gateway.charge(request_for(case.asking()))


def request_for(setup: Setup, reference: str = "a1") -> ChargeRequest:
    assert setup.method is not None
    amount = Money(1000, "BRL" if setup.method.kind == "pix" else "EUR")
    return ChargeRequest(
        reference,
        amount,
        setup.customer_external_id,
        setup.method.external_id,
        setup.method.kind,
    )


def set_up(gateway: StripeGateway, kind: str) -> Setup:
    return gateway.start_setup(SetupRequest("s1", "anon_1", None, None, kind, SHOP, SHOP))


def debit(gateway: StripeGateway, stand_in: StandIn, iban: str) -> Charge:
    started = set_up(gateway, "sepa_debit")
    stand_in.sign_mandate(started.url, iban)
    setup = gateway.fetch("setup", started.external_id)
    assert isinstance(setup, Setup)
    return gateway.charge(request_for(setup))


def test_a_bank_that_wants_the_owner_is_no_decline(gateway: StripeGateway, asked: Charge) -> None:
    assert asked == Charge("a1", asked.external_id, ChargeStatus.ACTION_REQUIRED, action=ASKED)
    assert gateway.fetch("charge", asked.external_id) == asked


def test_an_owner_who_fails_the_challenge_is_declined_softly(
    gateway: StripeGateway, asked: Charge, stand_in: StandIn
) -> None:
    page = gateway.resume(asked.external_id, return_url=SHOP).action
    assert page is not None
    assert stand_in.authenticate(page.url, "fail").startswith(SHOP)

    ended = gateway.fetch("charge", asked.external_id)

    assert isinstance(ended, Charge)
    assert ended.decline is not None
    assert (ended.status, ended.decline.is_hard) == (ChargeStatus.DECLINED, False)
    assert gateway.resume(asked.external_id, return_url=SHOP) == ended


def test_a_page_that_got_lost_on_its_way_is_found_again(
    gateway: StripeGateway, asked: Charge, stand_in: StandIn
) -> None:
    stand_in.fail("POST /v1/payment_intents/*/confirm", action="500", moment="after", times=3)

    going_on = gateway.resume(asked.external_id, return_url=SHOP)

    assert going_on.status is ChargeStatus.ACTION_REQUIRED
    assert going_on.action is not None
    assert going_on.action.url
    posts = [it for it in stand_in.requests() if it["path"].endswith("/confirm")]
    assert len({it["headers"]["idempotency-key"] for it in posts}) == 1


def test_trouble_before_there_was_a_page_is_no_answer(
    gateway: StripeGateway, asked: Charge, stand_in: StandIn
) -> None:
    stand_in.fail("POST /v1/payment_intents/*/confirm", action="500", times=3)

    with pytest.raises(GatewayUnavailableError):
        gateway.resume(asked.external_id, return_url=SHOP)
    assert gateway.fetch("charge", asked.external_id) == asked


def test_a_method_that_is_gone_cannot_go_on(
    gateway: StripeGateway, asked: Charge, client: stripe.StripeClient
) -> None:
    (method,) = client.v1.payment_methods.list(
        {"customer": str(client.v1.payment_intents.retrieve(asked.external_id).customer)}
    ).data
    client.v1.payment_methods.detach(method.id)

    with pytest.raises(GatewayRejectedError):
        gateway.resume(asked.external_id, return_url=SHOP)


def test_a_charge_that_came_first_is_not_withdrawn(
    gateway: StripeGateway, asked: Charge, case: StripeCase
) -> None:
    case.agree(gateway.resume(asked.external_id, return_url=SHOP))

    paid = Charge("a1", asked.external_id, ChargeStatus.SUCCEEDED)
    assert gateway.withdraw(asked.external_id) == paid


def test_a_withdrawal_whose_answer_is_lost_is_one(
    gateway: StripeGateway, asked: Charge, stand_in: StandIn
) -> None:
    stand_in.fail("POST /v1/payment_intents/*/cancel", action="503", moment="after", times=3)

    withdrawn = gateway.withdraw(asked.external_id)

    assert withdrawn.decline is not None
    assert withdrawn.decline.code == "withdrawn"
    assert gateway.fetch("charge", asked.external_id) == withdrawn


def test_whoever_comes_second_hears_what_the_first_brought_about(
    gateway: StripeGateway, asked: Charge, case: StripeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intent was read before somebody else finished it, and confirmed or cancelled after."""
    stale = charges._read(gateway._client, asked.external_id)
    case.agree(gateway.resume(asked.external_id, return_url=SHOP))
    paid = Charge("a1", asked.external_id, ChargeStatus.SUCCEEDED)
    read = charges._read

    for again in (lambda it: gateway.resume(it, return_url=SHOP), gateway.withdraw):
        readings = iter([stale])
        monkeypatch.setattr(charges, "_read", lambda *of, it=readings: next(it, None) or read(*of))
        assert again(asked.external_id) == paid
    assert case.taken("a1") == 1


def test_a_charge_that_nobody_knows_is_neither_resumed_nor_withdrawn(
    gateway: StripeGateway,
) -> None:
    with pytest.raises(GatewayRejectedError):
        gateway.resume("pi_of_nobody", return_url=SHOP)
    with pytest.raises(GatewayRejectedError):
        gateway.withdraw("pi_of_nobody")


def test_pix_is_set_up_without_asking_anybody(gateway: StripeGateway, stand_in: StandIn) -> None:
    setup = set_up(gateway, "pix")

    assert setup.method is not None
    assert setup.method == MethodDetails(f"pix:{setup.customer_external_id}:s1", "pix")
    assert [request["path"] for request in stand_in.requests()] == ["/v1/customers"]
    change = gateway.fetch("payment_method", setup.method.external_id)
    assert change == MethodChange(setup.method.external_id, setup.method)
    assert gateway.fetch("setup", setup.external_id) == setup
    for object_type, name in (("setup", "pix:"), ("setup", "pix:cus_1"), ("charge", "pix:c:s")):
        assert gateway.fetch(object_type, name) is None
    assert len(stand_in.requests()) == 1


def test_pix_asks_with_a_code(gateway: StripeGateway, stand_in: StandIn) -> None:
    request = request_for(set_up(gateway, "pix"))
    charge = gateway.charge(request)

    assert charge.status is ChargeStatus.ACTION_REQUIRED
    assert charge.action is not None
    assert (charge.action.kind, bool(charge.action.code)) == (ActionKind.CODE, True)
    assert charge.action.url.startswith(stand_in.url)
    assert charge.action.expires_at is not None
    assert abs(charge.action.expires_at - clock.now() - timedelta(days=1)) < timedelta(minutes=1)
    assert gateway.charge(request) == charge
    assert gateway.resume(charge.external_id, return_url=SHOP) == charge
    assert gateway.fetch("charge", charge.external_id) == charge


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("succeeded", None), ("expired", "payment_intent_payment_attempt_expired")],
)
def test_pix_is_paid_or_runs_out(
    gateway: StripeGateway, stand_in: StandIn, outcome: str, code: str | None
) -> None:
    charge = gateway.charge(request_for(set_up(gateway, "pix")))
    stand_in.control("payments/settle", payment_intent=charge.external_id, status=outcome)

    ended = gateway.fetch("charge", charge.external_id)

    assert isinstance(ended, Charge)
    expected = ChargeStatus.DECLINED if code else ChargeStatus.SUCCEEDED
    assert (ended.status, ended.action) == (expected, None)
    assert (ended.decline.code if ended.decline else None) == code


def test_a_debit_by_mandate_is_on_its_way_and_not_withdrawn(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    charge = debit(gateway, stand_in, "AT61 1904 3002 3457 3201")

    assert charge == Charge("a1", charge.external_id, ChargeStatus.PROCESSING)
    assert gateway.withdraw(charge.external_id) == charge
    stand_in.control("payments/settle", payment_intent=charge.external_id, status="succeeded")
    ended = gateway.fetch("charge", charge.external_id)
    assert ended == Charge("a1", charge.external_id, ChargeStatus.SUCCEEDED)


def test_a_debit_that_bounces_is_declined(gateway: StripeGateway, stand_in: StandIn) -> None:
    charge = debit(gateway, stand_in, "AT98 1904 3000 0222 2227")
    stand_in.control(
        "payments/settle",
        payment_intent=charge.external_id,
        status="failed",
        failure_code="insufficient_funds",
    )

    ended = gateway.fetch("charge", charge.external_id)

    assert isinstance(ended, Charge)
    assert ended.decline is not None
    assert (ended.status, ended.decline.code) == (ChargeStatus.DECLINED, "insufficient_funds")


def test_a_bank_account_is_known_by_its_last_digits(
    gateway: StripeGateway, stand_in: StandIn
) -> None:
    started = set_up(gateway, "sepa_debit")
    assert started.status is SetupStatus.OPEN
    stand_in.sign_mandate(started.url, "AT61 1904 3002 3457 3201")

    setup = gateway.fetch("setup", started.external_id)

    assert isinstance(setup, Setup)
    assert setup.method is not None
    assert (setup.method.kind, setup.method.last4) == ("sepa_debit", "3201")


def test_a_kind_that_is_not_offered_is_refused(gateway: StripeGateway, stand_in: StandIn) -> None:
    with pytest.raises(GatewayRejectedError):
        set_up(gateway, "boleto")
    assert stand_in.requests() == []
