"""Mails what customers were told, and operators what needs them, each thing once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final, TypeAlias
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from billing.core.dunning import DunningStatus
from billing.models import CustomerNotice, DunningNotice, WebhookEndpoint
from customers.models import User

logger = logging.getLogger(__name__)

_Claim: TypeAlias = "QuerySet[DunningNotice] | QuerySet[CustomerNotice] | QuerySet[WebhookEndpoint]"

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


def untold(now: datetime) -> QuerySet[CustomerNotice]:
    """What is to be mailed beside dunning, oldest first; likewise."""
    present = Coalesce(F("customer__test_clock__now"), Value(now))
    return (
        CustomerNotice.objects.filter(mailed_at=None, customer__details__isnull=False)
        .exclude(customer__details__email="")
        .alias(present=present)
        .filter(created_at__gte=F("present") - STALE_AFTER)
        .order_by("created_at")
    )


def mail(notice_id: int, *, now: datetime) -> bool:
    """Send one dunning notice, unless it has been sent, has become idle, or was just tried in vain.

    It is claimed before it is sent, so that no two workers send it. A worker that dies in between
    leaves it claimed: it is never mailed, rather than mailed twice, and still stands on the
    customer's page. One that cannot be sent is given back, for the sweeper to try again later.
    """
    rows = unmailed(now).select_related("run__customer__details")
    notice = rows.filter(pk=notice_id).first()
    if notice is None:
        return False
    message = EmailMessage(notice.subject, notice.text, to=[notice.run.customer.details.email])
    return _send(message, DunningNotice.objects.filter(pk=notice_id), now=now)


def tell(notice_id: UUID, *, now: datetime) -> bool:
    """Send one other notice, as `mail` does."""
    notice = untold(now).select_related("customer__details").filter(pk=notice_id).first()
    if notice is None:
        return False
    message = EmailMessage(notice.subject, notice.text, to=[notice.customer.details.email])
    return _send(message, CustomerNotice.objects.filter(pk=notice_id), now=now)


def unreported() -> QuerySet[WebhookEndpoint]:
    """Endpoints that we disabled and of which operators are to be told, oldest first."""
    rows = WebhookEndpoint.objects.exclude(disabled_reason="").filter(reported_at=None)
    return rows.order_by("disabled_at")


def report(endpoint_id: UUID, *, now: datetime) -> bool:
    """Mail operators that an endpoint was disabled, as `mail` does."""
    endpoint = unreported().filter(pk=endpoint_id).first()
    if endpoint is None:
        return False
    page = reverse("admin:billing_webhookendpoint_change", args=[endpoint.pk])
    text = (
        f"{endpoint.disabled_reason}\n\nNothing is sent there any more. What waits is kept, and"
        f" goes out once it is enabled again:\n{settings.PUBLIC_URL}{page}"
    )
    message = EmailMessage("A webhook endpoint was disabled", text, to=operators())
    rows = WebhookEndpoint.objects.filter(pk=endpoint_id)
    return _send(message, rows, now=now, mark="reported_at")


def operators() -> list[str]:
    """Whom to mail when something needs an operator."""
    named: list[str] = settings.OPERATOR_EMAILS
    superusers = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    return named or list(superusers.values_list("email", flat=True))


def _send(message: EmailMessage, claim: _Claim, *, now: datetime, mark: str = "mailed_at") -> bool:
    """Send it, unless somebody has; `mark` is the column that says so."""
    notice = claim.get()
    key = f"bursar:notice:{notice.pk}"
    if cache.get(key) or not claim.filter(**{mark: None}).update(**{mark: now}):
        return False
    try:
        message.send()
    except (OSError, SMTPException, ValueError) as error:  # ValueError: no header, or no address
        claim.update(**{mark: None})
        cache.set(key, 1, timeout=_PAUSE_SECONDS)
        # What a mail server says may name the address.
        logger.warning("Notice %s could not be mailed: %s.", notice.pk, type(error).__name__)
        return False
    return True
