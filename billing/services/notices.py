"""Mails what customers were told about unpaid invoices, once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce

from billing.core.dunning import DunningStatus
from billing.models import DunningNotice

logger = logging.getLogger(__name__)

# After so long it would only confuse: it stays on the page, unmailed.
STALE_AFTER: Final = timedelta(days=3)
_PAUSE_SECONDS: Final = 15 * 60


def unmailed(now: datetime) -> QuerySet[DunningNotice]:
    """Those to mail, oldest first; by the present of the customer, who may have a clock."""
    present = Coalesce(F("run__customer__test_clock__now"), Value(now))
    rows = DunningNotice.objects.filter(mailed_at=None).exclude(run__status=DunningStatus.RECOVERED)
    return (
        rows.exclude(run__customer__details__email="")
        .filter(run__customer__details__isnull=False)
        .alias(present=present)
        .filter(created_at__gte=F("present") - STALE_AFTER)
        .order_by("created_at")
    )


def mail(notice_id: int, *, now: datetime) -> bool:
    """Send one notice, unless it has been sent, has become idle, or was just tried in vain.

    It is claimed before it is sent, so that no two workers send it. A worker that dies in between
    leaves it claimed: it is never mailed, rather than mailed twice, and still stands on the
    customer's page. One that cannot be sent is given back, for the sweeper to try again later.
    """
    key = f"bursar:notice:{notice_id}"
    rows = unmailed(now).select_related("run__customer__details")
    notice = rows.filter(pk=notice_id).first()
    if notice is None or cache.get(key):
        return False
    claim = DunningNotice.objects.filter(pk=notice_id)
    if not claim.filter(mailed_at=None).update(mailed_at=now):
        return False
    message = EmailMessage(notice.subject, notice.text, to=[notice.run.customer.details.email])
    try:
        message.send()
    except (OSError, SMTPException, ValueError) as error:  # ValueError: no header, or no address
        claim.update(mailed_at=None)
        cache.set(key, 1, timeout=_PAUSE_SECONDS)
        # What a mail server says may name the address.
        logger.warning("Notice %s could not be mailed: %s.", notice_id, type(error).__name__)
        return False
    return True
