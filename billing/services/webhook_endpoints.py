"""Receivers of notifications: who is told of what, signed by which secret."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from billing.core import event_types, webhook_urls
from billing.core.errors import ConflictError, InvalidError
from billing.models import Delivery, DeliveryTry, WebhookEndpoint
from billing.services import locks, outgoing, webhook_secrets

logger = logging.getLogger(__name__)

FIELDS: Final = ("url", "types", "description", "is_enabled")
OVERLAP_HOURS: Final = 24
MAX_OVERLAP_HOURS: Final = 7 * 24


@transaction.atomic
def create(
    url: str, *, types: Sequence[str] = (), description: str = "", by: str, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint. Its secret comes back this once only.

    :param types: names or patterns like `invoice.*`; none is all.
    :raises InvalidError: if the URL is none that we send to, or there is no such type.
    """
    require_url(url)
    require_types(types)
    secret = webhook_secrets.new()
    endpoint = WebhookEndpoint.objects.create(
        url=url,
        types=_tidy(types),
        description=description,
        secret=webhook_secrets.sealed(secret),
        created_by=by,
        created_at=now,
    )
    return endpoint, secret


@transaction.atomic
def update(
    endpoint_id: UUID,
    changes: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    expected_version: int | None = None,
) -> WebhookEndpoint:
    """Change an endpoint. One that is enabled again is sent what waits, from the start.

    :param changes: of `FIELDS`.
    :raises NotFoundError: if there is none.
    :raises InvalidError: as `create` does.
    :raises ConflictError: with code `version_mismatch` if it has changed since it was seen.
    """
    endpoint = locks.webhook_endpoint(endpoint_id)
    _require_version(endpoint, expected_version)
    if "url" in changes:
        require_url(changes["url"])
    require_types(changes.get("types", ()))
    if changes.get("is_enabled", endpoint.is_enabled) != endpoint.is_enabled:
        (_enable if changes["is_enabled"] else _disable)(endpoint, now)
    for name in ("url", "description"):
        setattr(endpoint, name, changes.get(name, getattr(endpoint, name)))
    endpoint.types = _tidy(changes.get("types", endpoint.types))
    _save(endpoint, by=by, now=now)
    return endpoint


@transaction.atomic
def rotate_secret(
    endpoint_id: UUID, *, overlap_hours: int = OVERLAP_HOURS, by: str, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret, which comes back this once only.

    :param overlap_hours: for how long the one before signs, too; up to seven days.
    :raises NotFoundError: if there is none.
    :raises InvalidError: if that is longer.
    """
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        sentence = f"From 0 to {MAX_OVERLAP_HOURS} hours."
        raise InvalidError(sentence, code="invalid_overlap", errors={"overlap_hours": [sentence]})
    endpoint = locks.webhook_endpoint(endpoint_id)
    secret = webhook_secrets.new()
    former, until = endpoint.secret, now + timedelta(hours=overlap_hours)
    has_overlap = overlap_hours > 0
    endpoint.former_secret = former if has_overlap else ""
    endpoint.former_secret_until = until if has_overlap else None
    endpoint.secret = webhook_secrets.sealed(secret)
    _save(endpoint, by=by, now=now)
    return endpoint, secret


@transaction.atomic
def delete(endpoint_id: UUID, *, expected_version: int | None = None) -> None:
    """Forget an endpoint with all that was sent to it.

    :raises NotFoundError: if there is none.
    :raises ConflictError: with code `version_mismatch` if it has changed since it was seen.
    """
    endpoint = locks.doomed_webhook_endpoint(endpoint_id)
    _require_version(endpoint, expected_version)
    DeliveryTry.objects.filter(delivery__endpoint=endpoint).delete()
    Delivery.objects.filter(endpoint=endpoint).delete()
    endpoint.delete()


@transaction.atomic
def send_test(endpoint_id: UUID, *, now: datetime) -> Delivery:
    """Write a test notification for an endpoint.

    :raises NotFoundError: if there is none.
    :raises ConflictError: with code `endpoint_disabled` if nothing is sent there.
    """
    endpoint = locks.webhook_endpoint(endpoint_id)
    require_enabled(endpoint)
    return outgoing.write_test(endpoint, now=now)


def disable(endpoint: WebhookEndpoint, reason: str, *, now: datetime) -> None:
    """Leave an endpoint alone, of our own accord; operators are told by mail.

    In a transaction of the caller's, who holds the lock on it.
    """
    _disable(endpoint, now)
    endpoint.disabled_reason = reason
    endpoint.version += 1
    endpoint.save()
    logger.error("Webhook endpoint %s is disabled: %s", endpoint.pk, reason)


def reseal(*, now: datetime) -> None:
    """Encrypt under today's key what was encrypted under one before; forget what signs no more."""
    for pk in WebhookEndpoint.objects.values_list("pk", flat=True):
        with transaction.atomic():
            endpoint = locks.webhook_endpoint(pk)
            before = (endpoint.secret, endpoint.former_secret)
            if endpoint.former_secret_until is not None and endpoint.former_secret_until <= now:
                endpoint.former_secret, endpoint.former_secret_until = "", None
            endpoint.secret = webhook_secrets.resealed(endpoint.secret)
            if endpoint.former_secret:
                endpoint.former_secret = webhook_secrets.resealed(endpoint.former_secret)
            if before != (endpoint.secret, endpoint.former_secret):
                endpoint.save(update_fields=["secret", "former_secret", "former_secret_until"])


def require_url(url: str) -> None:
    """Refuse where nothing is sent to.

    :raises InvalidError: with a code that says why.
    """
    found = webhook_urls.fault(url, allows_private=settings.WEBHOOK_PRIVATE_TARGETS)
    if found is not None:
        raise InvalidError(found.sentence, code=found.code, errors={"url": [found.sentence]})


def require_enabled(endpoint: WebhookEndpoint) -> None:
    """Refuse to send where nothing is sent.

    :raises ConflictError: with code `endpoint_disabled`.
    """
    if not endpoint.is_enabled:
        raise ConflictError("The endpoint is disabled.", code="endpoint_disabled")


def require_types(types: Sequence[str]) -> None:
    """Refuse what is neither a type nor a pattern of types.

    :raises InvalidError: with code `unknown_type`.
    """
    unknown = [text for text in types if not event_types.is_pattern(text)]
    if unknown:
        sentence = f"There is no type {', '.join(unknown)}."
        raise InvalidError(sentence, code="unknown_type", errors={"types": [sentence]})


def _tidy(types: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(types))


def _require_version(endpoint: WebhookEndpoint, expected: int | None) -> None:
    if expected is not None and endpoint.version != expected:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")


def _enable(endpoint: WebhookEndpoint, _now: datetime) -> None:
    endpoint.is_enabled, endpoint.failing_since_at = True, None
    endpoint.disabled_at, endpoint.disabled_reason, endpoint.reported_at = None, "", None
    Delivery.objects.pending().filter(endpoint=endpoint).update(due_at=None, tries=0)


def _disable(endpoint: WebhookEndpoint, now: datetime) -> None:
    endpoint.is_enabled, endpoint.disabled_at = False, now


def _save(endpoint: WebhookEndpoint, *, by: str, now: datetime) -> None:
    endpoint.version += 1
    endpoint.updated_by, endpoint.updated_at = by, now
    endpoint.save()
