"""Stripe's notifications: proven to be Stripe's, and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe
from django.conf import settings

from billing.gateways.base import BadSignatureError, Notification

_TOLERANCE: Final = 300  # seconds, as Stripe advises
_HEADER: Final = "stripe-signature"


def parse(body: bytes, headers: Mapping[str, str]) -> Notification:
    """Verify Stripe's signature, not more than five minutes old, and read the event.

    An event about something without an id (a balance) has an empty `object_id`.

    :raises BadSignatureError: if it is not Stripe's, too old, or unreadable.
    """
    _verify(body, next((v for k, v in headers.items() if k.lower() == _HEADER), ""))
    try:
        event = json.loads(body)
        about = event["data"]["object"]
        return Notification(
            event_id=_required(event["id"]),
            kind=_required(event["type"]),
            object_type=str(about.get("object") or ""),
            object_id=str(about.get("id") or ""),
            occurred_at=datetime.fromtimestamp(int(event["created"]), UTC),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
        raise BadSignatureError("Stripe's notification cannot be read.") from None


def _required(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _verify(body: bytes, signature: str) -> None:
    """Say what is wrong, and quote nothing of it."""
    try:
        stripe.WebhookSignature.verify_header(
            body, signature, settings.STRIPE_WEBHOOK_SECRET, _TOLERANCE
        )
    except stripe.SignatureVerificationError as error:
        is_old = "tolerance" in str(error)
        what = "is too old" if is_old else "does not match"
        raise BadSignatureError(f"Stripe's signature {what}.") from None
    except (ValueError, TypeError):
        raise BadSignatureError("Stripe's notification cannot be read.") from None
