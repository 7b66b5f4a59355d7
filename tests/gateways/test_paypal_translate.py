"""PayPal's words in ours: amounts, declines, refunds, disputes. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from billing.core.lifecycle import DisputeStatus
from billing.core.money import Money
from billing.gateways.base import (
    ChargeStatus,
    Dispute,
    GatewayRejectedError,
    GatewayUnavailableError,
)
from billing.gateways.paypal import currencies, declines, translate

# currency, minor, what PayPal calls it (or that it refuses), why
AMOUNTS: Final = [
    ("USD", 1099, "10.99", "two decimals"),
    ("EUR", 1, "0.01", "two decimals"),
    ("GBP", 100_000_000, "1000000.00", "two decimals"),
    ("JPY", 500, "500", "no decimals on either side"),
    ("HUF", 104_500, "1045", "two decimals in ISO 4217 and none at PayPal"),
    ("HUF", 104_550, None, "half a forint is none at PayPal"),
    ("TWD", 80_000, "800", "two decimals in ISO 4217 and none at PayPal"),
    ("TWD", 80_045, None, "cents of a Taiwan dollar are none at PayPal"),
    ("BRL", 990, "9.90", "in-country accounts only"),
    ("CNY", 990, "9.90", "in-country accounts only"),
    ("MYR", 990, "9.90", "in-country accounts only"),
    ("KWD", 5120, None, "PayPal takes none with three decimals"),
    ("TND", 1000, None, "PayPal takes none with three decimals"),
    ("INR", 1000, None, "not on PayPal's list"),
    ("RUB", 1000, None, "not on PayPal's list any more"),
    ("ISK", 5, None, "not on PayPal's list"),
]


@pytest.mark.parametrize(("currency", "minor", "written", "why"), AMOUNTS)
def test_an_amount_is_what_paypal_calls_it_or_refused(
    currency: str, minor: int, written: str | None, why: str
) -> None:
    amount = Money(minor, currency)
    if written is None:
        with pytest.raises(GatewayRejectedError, match=currency):
            currencies.to_paypal(amount)
    else:
        told = {"currency_code": currency, "value": written}
        assert currencies.to_paypal(amount) == told, why
        assert currencies.from_paypal(told) == amount, why


def test_paypal_takes_these_and_no_others() -> None:
    listed = (
        "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB "
        "TWD USD"
    )
    assert frozenset(listed.split()) == currencies.CURRENCIES


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"currency_code": "EUR"},
        {"currency_code": "EUR", "value": "ten"},
        {"currency_code": "EUR", "value": "NaN"},
        {"currency_code": "EUR", "value": "Infinity"},
        {"currency_code": "EUR", "value": "1.005"},
        {"currency_code": "XXQ", "value": "1.00"},
    ],
)
def test_what_is_no_amount_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(GatewayRejectedError):
        currencies.from_paypal(fields)


@pytest.mark.parametrize(
    ("issue", "is_hard"),
    [
        ("AGREEMENT_ALREADY_CANCELLED", True),
        ("BILLING_AGREEMENT_NOT_FOUND", True),
        ("COMPLIANCE_VIOLATION", True),
        ("PAYER_ACCOUNT_LOCKED_OR_CLOSED", True),
        ("TOKEN_ID_NOT_FOUND", True),
        ("INSTRUMENT_DECLINED", False),
        ("PAYER_ACCOUNT_RESTRICTED", False),
        ("PAYER_ACTION_REQUIRED", False),
        ("PAYER_CANNOT_PAY", False),
        ("TRANSACTION_REFUSED", False),
        ("PAYEE_ACCOUNT_RESTRICTED", False),
        ("TRANSACTION_RECEIVING_LIMIT_EXCEEDED", False),
    ],
)
def test_a_decline_is_final_or_not(issue: str, is_hard: bool) -> None:
    decline = declines.by_issue(issue)

    assert declines.is_decline(issue)
    assert (decline.code, decline.is_hard) == (issue, is_hard)
    assert decline.message.endswith(".")


@pytest.mark.parametrize("issue", ["", "DUPLICATE_INVOICE_ID", "AMOUNT_MISMATCH", "OF_TOMORROW"])
def test_not_every_refusal_is_a_decline(issue: str) -> None:
    assert not declines.is_decline(issue)
    assert not declines.by_issue(issue).is_hard


@pytest.mark.parametrize(
    ("told", "code", "is_hard"),
    [
        ({"processor_response": {"response_code": "9520"}}, "9520", True),
        ({"processor_response": {"response_code": "5120"}}, "5120", False),
        ({"processor_response": {"response_code": "5400"}}, "5400", False),
        ({"status_details": {"reason": "ECHECK"}}, "ECHECK", False),
        ({}, "DECLINED", False),
    ],
)
def test_a_capture_that_took_nothing_says_why(
    told: dict[str, Any], code: str, is_hard: bool
) -> None:
    charge = translate.charge({"id": "C-1", "custom_id": "a1", "status": "DECLINED"} | told)

    assert (charge.reference, charge.status) == ("a1", ChargeStatus.DECLINED)
    assert charge.decline is not None
    assert (charge.decline.code, charge.decline.is_hard) == (code, is_hard)


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("COMPLETED", ChargeStatus.SUCCEEDED),
        ("PARTIALLY_REFUNDED", ChargeStatus.SUCCEEDED),
        ("REFUNDED", ChargeStatus.SUCCEEDED),
        ("PENDING", ChargeStatus.PROCESSING),
        ("OF_TOMORROW", ChargeStatus.PROCESSING),
        ("FAILED", ChargeStatus.DECLINED),
    ],
)
def test_a_capture_has_a_status_of_ours(status: str, ours: ChargeStatus) -> None:
    assert translate.charge({"id": "C-1", "status": status}).status is ours


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("COMPLETED", ChargeStatus.SUCCEEDED),
        ("PENDING", ChargeStatus.PROCESSING),
        ("FAILED", ChargeStatus.DECLINED),
        ("CANCELLED", ChargeStatus.DECLINED),
    ],
)
def test_a_refund_has_a_status_of_ours(status: str, ours: ChargeStatus) -> None:
    refund = translate.refund({"id": "R-1", "custom_id": "r1", "status": status})

    assert (refund.reference, refund.status) == ("r1", ours)
    assert (refund.decline is not None) is (ours is ChargeStatus.DECLINED)


def test_what_names_nothing_is_no_answer() -> None:
    with pytest.raises(GatewayUnavailableError):
        translate.charge({"status": "COMPLETED"})


def told_dispute(**changes: Any) -> dict[str, Any]:
    return {
        "dispute_id": "PP-D-1",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "reason": "UNAUTHORISED",
        "dispute_amount": {"currency_code": "EUR", "value": "10.00"},
        "disputed_transactions": [{"seller_transaction_id": "C-1", "buyer": {"name": "Jane"}}],
        "seller_response_due_date": "2026-05-11T10:00:00.000Z",
    } | changes


def test_a_dispute_waits_for_the_seller() -> None:
    due = datetime(2026, 5, 11, 10, tzinfo=UTC)

    assert translate.dispute(told_dispute()) == Dispute(
        "PP-D-1", "C-1", Money(1000, "EUR"), DisputeStatus.OPEN, "UNAUTHORISED", due
    )


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("RESOLVED_BUYER_FAVOUR", DisputeStatus.LOST),
        ("ACCEPTED", DisputeStatus.LOST),
        ("RESOLVED_SELLER_FAVOUR", DisputeStatus.WON),
        ("RESOLVED_WITH_PAYOUT", DisputeStatus.WON),
        ("CANCELED_BY_BUYER", DisputeStatus.WON),
        ("DENIED", DisputeStatus.WON),
        ("NONE", DisputeStatus.WON),
    ],
)
def test_a_dispute_ends_for_one_side(outcome: str, status: DisputeStatus) -> None:
    ended = told_dispute(status="RESOLVED", dispute_outcome={"outcome_code": outcome})
    dispute = translate.dispute(ended)

    assert dispute is not None
    assert (dispute.status, dispute.evidence_due_at) == (status, None)


@pytest.mark.parametrize(
    "status", ["OPEN", "WAITING_FOR_BUYER_RESPONSE", "UNDER_REVIEW", "OTHER", "OF_TOMORROW"]
)
def test_a_dispute_is_open_while_others_are_waited_for(status: str) -> None:
    dispute = translate.dispute(told_dispute(status=status))

    assert dispute is not None
    assert (dispute.status, dispute.evidence_due_at) == (DisputeStatus.OPEN, None)


def test_a_dispute_about_no_payment_is_none() -> None:
    assert translate.dispute(told_dispute(disputed_transactions=[])) is None
