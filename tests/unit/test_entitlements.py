from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from billing.core import books, entitlements
from billing.core.dunning import DunningPolicy
from billing.core.entitlements import Reason, Standing
from billing.core.lifecycle import SubscriptionStatus
from billing.core.proration import WHOLE, Share
from tests.terms import seed_terms

NOW = datetime(2026, 4, 20, tzinfo=UTC)
POLICY = DunningPolicy(grace_days=7)
TERMS = seed_terms(
    "180", "400", "1.80", features={"sso": True, "audit": False}, limits={"projects": "3"}
)


def standing(status: SubscriptionStatus, **fields: Any) -> Standing:
    return Standing(**{"status": status, "terms": TERMS, "share": WHOLE, **fields})


@pytest.mark.parametrize(
    ("given", "is_granted", "reason"),
    [
        (None, False, Reason.NO_SUBSCRIPTION),
        (
            standing(SubscriptionStatus.TRIALING, trial_end=NOW + timedelta(seconds=1)),
            True,
            Reason.TRIAL,
        ),
        (
            standing(SubscriptionStatus.TRIALING, trial_end=NOW),
            False,
            Reason.PAYMENT_METHOD_REQUIRED,
        ),
        (standing(SubscriptionStatus.INCOMPLETE), False, Reason.PAYMENT_METHOD_REQUIRED),
        (standing(SubscriptionStatus.ACTIVE), True, Reason.SUBSCRIBED),
        (
            standing(SubscriptionStatus.PAST_DUE, past_due_at=NOW - timedelta(days=6)),
            True,
            Reason.GRACE_PERIOD,
        ),
        (
            standing(SubscriptionStatus.PAST_DUE, past_due_at=NOW - timedelta(days=7)),
            False,
            Reason.PAST_DUE,
        ),
        (standing(SubscriptionStatus.PAUSED), False, Reason.PAUSED),
        (standing(SubscriptionStatus.CANCELED), False, Reason.CANCELED),
    ],
)
def test_access(given: Standing | None, is_granted: bool, reason: Reason) -> None:
    answer = entitlements.access(given, policy=POLICY, now=NOW)
    assert (answer.is_granted, answer.reason) == (is_granted, reason)


def test_an_allowance_is_no_wall() -> None:
    given = standing(SubscriptionStatus.ACTIVE, share=Share(19, 30))
    answer = entitlements.check("api_calls", given, used=Decimal(300), policy=POLICY, now=NOW)
    assert answer.is_granted
    assert answer.reason == Reason.ABOVE_ALLOWANCE
    assert answer.limit == Fraction(760, 3)
    assert answer.remaining == 0


@pytest.mark.parametrize(("used", "is_granted"), [("2", True), ("3", False)])
def test_a_limit_is_a_wall(used: str, is_granted: bool) -> None:
    given = standing(SubscriptionStatus.ACTIVE)
    answer = entitlements.check("projects", given, used=Decimal(used), policy=POLICY, now=NOW)
    assert answer.is_granted == is_granted
    assert answer.remaining == 3 - int(used)


@pytest.mark.parametrize(("feature", "is_granted"), [("sso", True), ("audit", False), ("x", False)])
def test_a_switch_is_on_or_off(feature: str, is_granted: bool) -> None:
    given = standing(SubscriptionStatus.ACTIVE)
    answer = entitlements.check(feature, given, used=Decimal(0), policy=POLICY, now=NOW)
    assert answer.is_granted == is_granted
    assert answer.remaining is None


def test_without_access_nothing_is_granted() -> None:
    given = standing(SubscriptionStatus.INCOMPLETE)
    answer = entitlements.check("sso", given, used=Decimal(0), policy=POLICY, now=NOW)
    assert (answer.is_granted, answer.reason) == (False, Reason.PAYMENT_METHOD_REQUIRED)


def test_names_come_once_and_in_order() -> None:
    assert entitlements.names(TERMS) == ["sso", "audit", "projects", "api_calls"]


def test_what_may_change_an_answer_is_a_kind_of_fact() -> None:
    assert entitlements.MOVING <= books.KINDS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (standing(SubscriptionStatus.TRIALING, trial_end=NOW + timedelta(days=1)), 1),
        (standing(SubscriptionStatus.TRIALING, trial_end=NOW), None),
        (standing(SubscriptionStatus.PAST_DUE, past_due_at=NOW - timedelta(days=5)), 2),
        (standing(SubscriptionStatus.ACTIVE, period_end=NOW + timedelta(days=3)), 3),
        (
            standing(
                SubscriptionStatus.PAST_DUE,
                past_due_at=NOW - timedelta(days=5),
                period_end=NOW + timedelta(days=1),
            ),
            1,
        ),
        (standing(SubscriptionStatus.CANCELED), None),
        (standing(SubscriptionStatus.PAUSED), None),
    ],
)
def test_when_time_alone_may_change_an_answer(given: Standing, expected: int | None) -> None:
    found = entitlements.next_change(given, policy=POLICY, now=NOW)
    assert found == (None if expected is None else NOW + timedelta(days=expected))


def test_what_is_told_of_an_answer() -> None:
    share = Share(19, 30, "days")
    given = standing(
        SubscriptionStatus.ACTIVE, share=share, period_end=datetime(2026, 5, 1, tzinfo=UTC)
    )
    answer = entitlements.check("api_calls", given, used=Decimal("100.50"), policy=POLICY, now=NOW)
    assert entitlements.said(answer) == {
        "granted": True,
        "reason": "subscribed",
        "limit": "253.333333333333",
        "used": "100.5",
        "remaining": "152.833333333333",
        "resets_at": "2026-05-01T00:00:00Z",
    }
