"""Stripe's JSON into our facts: no network, no database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.core.lifecycle import ActionKind, DisputeStatus
from billing.core.money import Money
from billing.gateways.base import (
    Action,
    ChargeStatus,
    Decline,
    Dispute,
    MethodChange,
    MethodDetails,
    SetupStatus,
)
from billing.gateways.stripe import translate

ASKS = "authentication_required"
FUNDS = {"code": "card_declined", "decline_code": "insufficient_funds", "message": "No funds."}
CARD = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2031}
METHOD = {"id": "pm_1", "type": "card", "card": CARD, "customer": "cus_1"}
DETAILS = MethodDetails("pm_1", "card", "visa", "4242", 8, 2031)


def intent(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "pi_1", "status": status, "metadata": {"reference": "a1"}} | fields


def session(status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "cs_1",
        "status": status,
        "metadata": {"reference": "s1"},
        "customer": "cus_1",
        "url": "https://pay.example/cs_1",
    } | fields


def setup_intent(status: str, **fields: Any) -> dict[str, Any]:
    return intent(status, id="seti_1", customer="cus_1") | fields


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("succeeded", ChargeStatus.SUCCEEDED),
        ("processing", ChargeStatus.PROCESSING),
        ("requires_capture", ChargeStatus.PROCESSING),
        ("requires_confirmation", ChargeStatus.PROCESSING),
        ("requires_payment_method", ChargeStatus.PROCESSING),
        ("requires_action", ChargeStatus.ACTION_REQUIRED),
        ("canceled", ChargeStatus.DECLINED),
    ],
)
def test_every_state_of_a_payment_intent_is_a_charge(status: str, expected: ChargeStatus) -> None:
    charge = translate.charge(intent(status))

    assert (charge.reference, charge.external_id, charge.status) == ("a1", "pi_1", expected)
    assert (charge.decline is None) == (expected is not ChargeStatus.DECLINED)
    assert (charge.action is None) == (expected is not ChargeStatus.ACTION_REQUIRED)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FUNDS, "insufficient_funds"),
        (
            {"code": "payment_intent_authentication_failure"},
            "payment_intent_authentication_failure",
        ),
        (
            {"code": "payment_intent_payment_attempt_expired"},
            "payment_intent_payment_attempt_expired",
        ),
    ],
)
def test_a_payment_intent_that_wants_another_method_tells_its_last_error(
    error: dict[str, Any], code: str
) -> None:
    charge = translate.charge(intent("requires_payment_method", last_payment_error=error))

    assert (charge.status, charge.action) == (ChargeStatus.DECLINED, None)
    assert charge.decline is not None
    assert (charge.decline.code, charge.decline.is_hard) == (code, False)


@pytest.mark.parametrize("error", [{"code": ASKS}, {"code": "card_declined", "decline_code": ASKS}])
def test_a_payment_intent_whose_bank_wants_its_owner_asks_for_them(error: dict[str, Any]) -> None:
    charge = translate.charge(intent("requires_payment_method", last_payment_error=error))

    assert (charge.status, charge.decline) == (ChargeStatus.ACTION_REQUIRED, None)
    assert charge.action == Action(ActionKind.PAGE)


def test_a_payment_intent_that_was_given_up_is_withdrawn_however_it_failed_before() -> None:
    charge = translate.charge(intent("canceled", last_payment_error={"code": ASKS}))

    assert charge.decline is not None
    assert (charge.decline.code, charge.decline.is_hard) == ("withdrawn", False)


def test_a_payment_intent_that_waits_for_its_owner_has_a_page() -> None:
    told = {"redirect_to_url": {"url": "https://bank.example"}}
    charge = translate.charge(intent("requires_action", next_action=told))

    assert charge.action == Action(ActionKind.PAGE, "https://bank.example")


@pytest.mark.parametrize(("expires", "at"), [(1_800_000_000, 1_800_000_000), (None, 1_700_086_400)])
def test_pix_has_a_code_for_a_day_or_as_long_as_stripe_says(expires: int | None, at: int) -> None:
    code = {"data": "00020126", "expires_at": expires, "hosted_instructions_url": "https://pix"}
    waiting = intent(
        "requires_action", created=1_700_000_000, next_action={"pix_display_qr_code": code}
    )

    expected = datetime.fromtimestamp(at, UTC)
    assert translate.charge(waiting).action == Action(
        ActionKind.CODE, "https://pix", "00020126", expected
    )


def test_a_charge_that_is_not_ours_has_no_reference() -> None:
    assert translate.charge(intent("succeeded", metadata={})).reference == ""


def test_an_error_with_a_payment_intent_is_a_declined_charge() -> None:
    charge = translate.declined_charge("a1", FUNDS | {"payment_intent": intent("x")})

    assert (charge.external_id, charge.status) == ("pi_1", ChargeStatus.DECLINED)


def test_an_error_without_a_payment_intent_is_a_declined_charge_as_well() -> None:
    assert translate.declined_charge("a1", {}).external_id == ""
    nowhere = translate.declined_charge("a1", {"code": ASKS})
    assert nowhere.status is ChargeStatus.DECLINED


def test_an_error_that_asks_for_the_owner_is_a_charge_that_can_go_on() -> None:
    charge = translate.declined_charge("a1", {"code": ASKS, "payment_intent": intent("x")})

    assert charge == translate.charge(
        intent("requires_payment_method", last_payment_error={"code": ASKS})
    )


def test_an_intent_in_the_midst_of_it_is_not_tried_yet() -> None:
    assert not translate.is_tried(intent("requires_confirmation", last_payment_error=None))
    assert translate.is_tried(intent("requires_payment_method", last_payment_error=FUNDS))
    assert translate.is_tried(intent("canceled", last_payment_error=None))
    assert translate.is_tried(intent("requires_action", last_payment_error=None))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("succeeded", ChargeStatus.SUCCEEDED),
        ("pending", ChargeStatus.PROCESSING),
        ("requires_action", ChargeStatus.PROCESSING),
        ("failed", ChargeStatus.DECLINED),
        ("canceled", ChargeStatus.DECLINED),
    ],
)
def test_every_state_of_a_refund(status: str, expected: ChargeStatus) -> None:
    refund = translate.refund({"id": "re_1", "status": status, "metadata": {"reference": "r1"}})

    assert (refund.reference, refund.external_id, refund.status) == ("r1", "re_1", expected)
    assert (refund.decline is None) == (expected is not ChargeStatus.DECLINED)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("needs_response", DisputeStatus.OPEN),
        ("under_review", DisputeStatus.OPEN),
        ("won", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
        ("warning_needs_response", None),
        ("warning_under_review", None),
        ("warning_closed", None),
        ("prevented", None),
    ],
)
def test_every_state_of_a_dispute(status: str, expected: DisputeStatus | None) -> None:
    fields = {"id": "dp_1", "status": status, "amount": 1234, "currency": "eur"}
    more = {"payment_intent": "pi_1", "charge": "ch_1", "reason": "fraudulent"}
    told = Dispute("dp_1", "pi_1", Money(1234, "EUR"), DisputeStatus.OPEN, "fraudulent")

    found = translate.dispute({**fields, **more})

    assert found == (None if expected is None else replace(told, status=expected))


def test_a_dispute_of_a_charge_without_an_intent_names_the_charge() -> None:
    fields = {"id": "dp_1", "status": "lost", "amount": 500, "currency": "jpy", "charge": "ch_1"}
    found = translate.dispute(fields)
    assert found is not None
    assert (found.charge_external_id, found.amount) == ("ch_1", Money(500, "JPY"))


@pytest.mark.parametrize(
    ("status", "details", "due"),
    [
        ("needs_response", {"due_by": 1_700_000_000, "past_due": False}, True),
        ("needs_response", {"due_by": 1_700_000_000, "past_due": True}, False),
        ("needs_response", {"due_by": None, "past_due": False}, False),
        ("under_review", {"due_by": 1_700_000_000, "past_due": False}, False),
        ("lost", {"due_by": 1_700_000_000, "past_due": False}, False),
    ],
)
def test_a_dispute_can_be_answered_until_it_is_due(
    status: str, details: dict[str, Any], *, due: bool
) -> None:
    fields = {"id": "dp_1", "status": status, "amount": 500, "currency": "jpy", "charge": "ch_1"}

    found = translate.dispute({**fields, "evidence_details": details})

    assert found is not None
    assert found.evidence_due_at == (datetime.fromtimestamp(1_700_000_000, UTC) if due else None)


def test_a_failed_refund_says_why() -> None:
    refund = translate.refund(
        {"id": "re_1", "status": "failed", "failure_reason": "lost_or_stolen_card"}
    )

    assert refund.decline is not None
    assert refund.decline.code == "lost_or_stolen_card"


def test_a_card_is_redacted() -> None:
    extra = {"billing_details": {"name": "Alice"}, "card": CARD | {"fingerprint": "f"}}

    assert translate.method(METHOD | extra) == DETAILS


def test_a_direct_debit_has_no_brand_and_no_date() -> None:
    fields = {"id": "pm_2", "type": "sepa_debit", "sepa_debit": {"last4": "3000", "country": "DE"}}

    assert translate.method(fields) == MethodDetails("pm_2", "sepa_debit", last4="3000")


def test_a_method_without_a_customer_is_gone() -> None:
    assert translate.method_change(METHOD) == MethodChange("pm_1", DETAILS)
    assert translate.method_change(METHOD | {"customer": None}) == MethodChange("pm_1", None)


def test_a_set_up_that_succeeded_has_its_method() -> None:
    setup = translate.setup(setup_intent("succeeded"), METHOD)

    assert (setup.status, setup.method) == (SetupStatus.COMPLETED, DETAILS)
    assert setup.customer_external_id == "cus_1"


def test_a_set_up_that_only_a_page_could_finish_is_declined() -> None:
    setup = translate.setup(setup_intent("requires_action"), None)

    assert setup.status is SetupStatus.DECLINED
    assert setup.decline is not None
    assert setup.decline.code == "authentication_required"


def test_a_set_up_with_a_page_of_its_own_stays_open() -> None:
    action = {"redirect_to_url": {"url": "https://bank.example"}}

    setup = translate.setup(setup_intent("requires_action", next_action=action), None)

    assert (setup.status, setup.url) == (SetupStatus.OPEN, "https://bank.example")


def test_a_set_up_that_was_refused_says_why() -> None:
    setup = translate.setup(setup_intent("requires_payment_method", last_setup_error=FUNDS), None)

    assert (setup.status, setup.decline) == (
        SetupStatus.DECLINED,
        Decline("insufficient_funds", "No funds."),
    )


def test_a_set_up_that_was_given_up_has_expired() -> None:
    assert translate.setup(setup_intent("canceled"), None).status is SetupStatus.EXPIRED


def test_an_open_visit_has_its_page_whatever_became_of_a_card_on_it() -> None:
    refused = setup_intent("requires_payment_method", last_setup_error=FUNDS)

    setup = translate.checkout(session("open"), refused, None)

    assert (setup.status, setup.decline) == (SetupStatus.OPEN, None)
    assert setup.url == "https://pay.example/cs_1"


def test_a_completed_visit_has_its_method_and_no_page() -> None:
    setup = translate.checkout(session("complete"), setup_intent("succeeded"), METHOD)

    assert (setup.status, setup.method, setup.url) == (SetupStatus.COMPLETED, DETAILS, "")
    assert (setup.external_id, setup.reference) == ("cs_1", "s1")


def test_a_visit_is_found_by_its_client_reference_too() -> None:
    setup = translate.checkout(
        session("expired", metadata=None, client_reference_id="s9"), None, None
    )

    assert (setup.status, setup.reference) == (SetupStatus.EXPIRED, "s9")
