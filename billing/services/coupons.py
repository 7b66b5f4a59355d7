"""Redeeming coupons: within their limits, also when two take the last one at once."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q

from billing.core.errors import ConflictError, InvalidError
from billing.models import Redemption, Subscription
from billing.queries import agreements
from billing.services import journal
from plans.models import Coupon, PlanVersion
from plans.services import coupon_named


def redeem(
    subscription: Subscription, code: str, *, on: PlanVersion, by: str, now: datetime
) -> Redemption:
    """Put a coupon to work on a subscription, in a transaction of the caller's.

    The limit is kept by the row itself: of two that take the last redemption at once, the second
    waits for the first and then finds none left.

    :param on: the version of the plan that it shall hold for.
    :param now: the customer's present.
    :raises ConflictError: if there is no such coupon to redeem, it does not fit, or is used up.
    """
    coupon = coupon_named(code)
    if coupon is None or coupon.retired_at is not None:
        raise ConflictError(f"There is no coupon {code!r} to redeem.", code="unknown_coupon")
    _require_fit(coupon, on, now)
    if Redemption.objects.filter(coupon=coupon, subscription=subscription).exists():
        raise ConflictError("The coupon is redeemed already.", code="coupon_redeemed")
    left = Q(max_redemptions=None) | Q(redemptions__lt=F("max_redemptions"))
    taken = Coupon.objects.filter(left, pk=coupon.pk).update(redemptions=F("redemptions") + 1)
    if not taken:
        raise ConflictError("All redemptions of the coupon are used up.", code="coupon_used_up")
    redemption = Redemption.objects.create(
        coupon=coupon,
        subscription=subscription,
        periods_left=agreements.periods_of(coupon),
        created_by=by,
        created_at=now,
    )
    journal.post(
        journal.Fact(
            kind="COUPON_REDEEMED",
            key=f"redemption:{redemption.pk}",
            customer_id=subscription.customer_id,
            occurred_at=now,
            context={
                "subscription": str(subscription.pk),
                "coupon": coupon.code,
                "percent_off": _text(coupon.percent_off),
                "amount_off": _text(coupon.amount_off),
                "currency": coupon.currency,
                "duration": coupon.duration,
                "periods": coupon.periods,
                "by": by,
            },
        )
    )
    return redemption


def find(code: str) -> Coupon:
    """A coupon that may be redeemed, for a preview of it.

    :raises InvalidError: if there is none.
    """
    coupon = coupon_named(code)
    if coupon is None or coupon.retired_at is not None:
        raise InvalidError(f"There is no coupon {code!r}.", code="unknown_coupon")
    return coupon


def _require_fit(coupon: Coupon, on: PlanVersion, now: datetime) -> None:
    if coupon.expires_at is not None and coupon.expires_at <= now:
        raise ConflictError("The coupon has expired.", code="coupon_expired")
    currency = on.parsed.currency
    if coupon.currency not in {"", currency}:
        raise ConflictError(
            f"The coupon is in {coupon.currency}, the subscription in {currency}.",
            code="currency_mismatch",
        )
    if coupon.plan_ids and on.plan_id not in coupon.plan_ids:
        raise ConflictError("The coupon is for other plans.", code="coupon_for_other_plans")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
