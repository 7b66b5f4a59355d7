"""What customers are told by mail beside dunning: written down here, mailed by `notices`."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse

from billing.core.lifecycle import LIVE, ActionKind
from billing.models import CustomerNotice, PaymentAttempt, PaymentMethod, Subscription
from billing.models.notice import NoticeKind

_FINISH: Final = {
    ActionKind.PAGE: "Your bank asks you to confirm this payment yourself. Please finish it here:",
    ActionKind.CODE: "Please pay it with the code that you find here:",
    ActionKind.TRANSFER: "Please transfer the amount. Account and reference stand here:",
}


def action_required(attempt: PaymentAttempt, *, now: datetime) -> None:
    """A payment waits for its payer: say so, with a link to finish.

    In a transaction of the caller's. Saying it again changes nothing.
    """
    invoice = attempt.invoice
    url = f"{settings.PUBLIC_URL}{reverse('invoice', args=[invoice.pk])}"
    until = f"\n\nIt waits until {attempt.expires_at:%d %B %Y}." if attempt.expires_at else ""
    what = _FINISH[ActionKind(attempt.action["kind"])]
    owed = f"{attempt.amount} is to be paid for invoice {invoice.number}."
    CustomerNotice.objects.bulk_create(
        [
            CustomerNotice(
                customer_id=invoice.customer_id,
                kind=NoticeKind.ACTION_REQUIRED,
                about=f"attempt:{attempt.pk}",
                subject=f"Invoice {invoice.number}: your payment waits for you",
                text=f"{owed}\n\n{what}\n{url}{until}",
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def nothing_required(attempt: PaymentAttempt) -> None:
    """It does not wait for its payer any more: what they were not told yet would confuse them."""
    CustomerNotice.objects.filter(
        kind=NoticeKind.ACTION_REQUIRED, about=f"attempt:{attempt.pk}", mailed_at=None
    ).delete()


def expiring_methods(*, now: datetime, limit: int = 500) -> int:
    """Tell customers whose default payment method expires soon; how many were told now.

    A card is good until the end of its month. Each is told once of each date.
    """
    soon = now + timedelta(days=settings.EXPIRY_NOTICE_DAYS)
    months = {(at.year, at.month) for at in (now, soon) if _ends(at) <= soon}
    told = 0
    live = Subscription.objects.filter(customer=OuterRef("customer"), status__in=LIVE)
    for year, month in sorted(months):
        rows = PaymentMethod.objects.expiring(year, month).filter(
            Exists(live), customer__test_clock=None
        )
        known = CustomerNotice.objects.filter(
            kind=NoticeKind.METHOD_EXPIRING,
            customer=OuterRef("customer"),
            about__endswith=f":{year}-{month:02}",
        )
        found = list(rows.exclude(Exists(known)).order_by("pk")[:limit])
        told += len(
            CustomerNotice.objects.bulk_create(
                [_expiring(method, now) for method in found], ignore_conflicts=True
            )
        )
    return told


def _ends(at: datetime) -> datetime:
    """The end of its month."""
    last = calendar.monthrange(at.year, at.month)[1]
    return at.replace(day=last, hour=23, minute=59, second=59)


def _expiring(method: PaymentMethod, now: datetime) -> CustomerNotice:
    url = f"{settings.PUBLIC_URL}{reverse('payment_methods')}"
    until = f"{method.exp_month:02}/{method.exp_year}"
    return CustomerNotice(
        customer_id=method.customer_id,
        kind=NoticeKind.METHOD_EXPIRING,
        about=f"method:{method.pk}:{method.exp_year}-{method.exp_month:02}",
        subject=f"{method} expires soon",
        text=f"{method} is good until {until}.\n\nPlease add another payment method here:\n{url}",
        created_at=now,
    )
