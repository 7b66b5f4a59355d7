"""Declines: which are final, and what is said of them."""

from __future__ import annotations

import pytest

from billing.gateways.base import Decline
from billing.gateways.stripe import declines


@pytest.mark.parametrize(
    "code",
    [
        "account_closed",
        "expired_card",
        "fraudulent",
        "incorrect_number",
        "invalid_account",
        "lost_card",
        "pickup_card",
        "revocation_of_authorization",
        "stolen_card",
    ],
)
def test_a_card_that_will_never_work_is_a_hard_decline(code: str) -> None:
    assert declines.decline({"code": "card_declined", "decline_code": code}).is_hard


@pytest.mark.parametrize(
    "code",
    [
        "a_code_of_tomorrow",
        "authentication_required",
        "do_not_honor",
        "generic_decline",
        "insufficient_funds",
        "processing_error",
        "try_again_later",
    ],
)
def test_what_may_work_another_time_is_a_soft_decline(code: str) -> None:
    assert not declines.decline({"code": "card_declined", "decline_code": code}).is_hard


def test_the_networks_advice_decides() -> None:
    error = {"decline_code": "do_not_honor", "advice_code": "do_not_try_again"}

    assert declines.decline(error).is_hard


def test_the_code_stands_in_for_a_missing_decline_code() -> None:
    error = {"code": "expired_card", "message": "Your card has expired."}

    assert declines.decline(error) == Decline(
        "expired_card", "Your card has expired.", is_hard=True
    )


def test_a_decline_without_a_reason_is_generic() -> None:
    assert declines.decline(None).code == "generic_decline"


def test_what_stripe_says_is_cut_to_what_we_can_keep() -> None:
    found = declines.decline({"code": "x" * 300, "message": "y" * 900})

    assert (len(found.code), len(found.message)) == (64, 500)
