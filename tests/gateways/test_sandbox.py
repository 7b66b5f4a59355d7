"""What only the sandbox does: outcomes by token, told from identifiers alone."""

from __future__ import annotations

import pytest

from billing.core.lifecycle import DisputeStatus
from billing.core.money import Money
from billing.gateways.base import (
    Charge,
    ChargeRequest,
    ChargeStatus,
    Dispute,
    GatewayRejectedError,
    GatewayUnavailableError,
    Refund,
    RefundRequest,
    SetupRequest,
)
from billing.gateways.sandbox.gateway import SandboxGateway, disputed


def charge(token: str, reference: str = "a.1") -> Charge:
    request = ChargeRequest(reference, Money(100, "JPY"), "cus.anon", token)
    return SandboxGateway().charge(request)


@pytest.mark.parametrize(
    ("token", "code", "is_hard"),
    [
        ("tok_declined", "card_declined", False),
        ("tok_insufficient_funds", "insufficient_funds", False),
        ("tok_expired", "expired_card", True),
    ],
)
def test_the_token_decides_the_decline(token: str, code: str, is_hard: bool) -> None:
    charged = charge(token)

    assert charged.status is ChargeStatus.DECLINED
    assert charged.decline is not None
    assert (charged.decline.code, charged.decline.is_hard) == (code, is_hard)


@pytest.mark.parametrize(
    ("token", "later"),
    [
        ("tok_processing", ChargeStatus.SUCCEEDED),
        ("tok_processing_declined", ChargeStatus.DECLINED),
    ],
)
def test_what_is_processing_is_over_by_the_time_it_is_fetched(
    token: str, later: ChargeStatus
) -> None:
    charged = charge(token)
    fetched = SandboxGateway().fetch("charge", charged.external_id)

    assert charged.status is ChargeStatus.PROCESSING
    assert isinstance(fetched, Charge)
    assert (fetched.reference, fetched.status) == ("a.1", later)


def test_it_can_be_silent_and_it_can_refuse() -> None:
    with pytest.raises(GatewayUnavailableError):
        charge("tok_unavailable")
    with pytest.raises(GatewayRejectedError):
        charge("tok_rejected")
    with pytest.raises(GatewayRejectedError):
        charge("tok_of_nobody")


def test_a_charge_that_took_nothing_is_not_refunded() -> None:
    charged = charge("tok_processing_declined")

    with pytest.raises(GatewayRejectedError):
        SandboxGateway().refund(RefundRequest("r", charged.external_id, Money(1, "JPY")))


@pytest.mark.parametrize(
    ("token", "now", "later"),
    [
        ("tok_ok", "SUCCEEDED", "SUCCEEDED"),
        ("tok_refund_declined", "DECLINED", "DECLINED"),
        ("tok_refund_processing", "PROCESSING", "SUCCEEDED"),
        ("tok_refund_processing_declined", "PROCESSING", "DECLINED"),
    ],
)
def test_the_charge_s_token_decides_what_becomes_of_its_refund(
    token: str, now: str, later: str
) -> None:
    charged = charge(token)
    made = SandboxGateway().refund(RefundRequest("r.1", charged.external_id, Money(1, "JPY")))
    fetched = SandboxGateway().fetch("refund", made.external_id)

    assert charged.status is ChargeStatus.SUCCEEDED
    assert isinstance(fetched, Refund)
    assert (made.status, fetched.status, fetched.reference) == (now, later, "r.1")
    assert (fetched.decline is not None) == (later == "DECLINED")


def test_refunds_can_be_silent_and_refused() -> None:
    for token, error in (
        ("tok_refund_unavailable", GatewayUnavailableError),
        ("tok_refund_rejected", GatewayRejectedError),
    ):
        with pytest.raises(error):
            SandboxGateway().refund(RefundRequest("r", charge(token).external_id, Money(1, "JPY")))


def test_a_dispute_is_told_from_its_identifier() -> None:
    charged = charge("tok_ok")
    told = [
        SandboxGateway().fetch("dispute", disputed(charged.external_id, Money(100, "JPY"), status))
        for status in DisputeStatus
    ]
    assert [each.status for each in told if isinstance(each, Dispute)] == list(DisputeStatus)
    assert {each.external_id for each in told if isinstance(each, Dispute)} == {
        f"dp.{charged.external_id}"
    }
    for garbage in (
        "dp",
        "dp.OPEN.x.JPY.ch.tok_ok.a",
        "dp.OPEN.1.XXX.ch.tok_ok.a",
        "dp.OPEN.1.JPY",
    ):
        assert SandboxGateway().fetch("dispute", garbage) is None


def test_a_set_up_remembers_a_customer_of_any_name() -> None:
    gateway = SandboxGateway()
    setup = gateway.start_setup(SetupRequest("s.1", "anon", customer_external_id="cus.a_1"))

    assert gateway.fetch("setup", setup.external_id) == setup
    assert setup.customer_external_id == "cus.a_1"
