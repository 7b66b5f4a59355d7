"""PayPal's notifications: proven to be PayPal's, and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from billing.gateways.base import BadSignatureError, Notification
from billing.gateways.options import option
from billing.gateways.paypal import signatures
from billing.gateways.paypal.client import Fields
from billing.gateways.paypal.signatures import Certificates, Sealed

# Where a resource keeps its id, if not under `id`.
_IDS: Final[Mapping[str, str]] = {"dispute": "dispute_id"}


def parse(body: bytes, headers: Mapping[str, str], certificates: Certificates) -> Notification:
    """Verify PayPal's signature and read the event; the resource in it is only named.

    :raises BadSignatureError: if it is not PayPal's, too old, or unreadable.
    """
    sealed = Sealed.from_headers(headers)
    signatures.verify(body, sealed, option("PAYPAL_WEBHOOK_ID"), certificates)
    try:
        return _read(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadSignatureError("PayPal's notification cannot be read.") from None


def resource(event: Fields) -> tuple[str, str]:
    """What an event is about: its type in PayPal's words, and its id; empty where it has none."""
    kind, about = str(event.get("resource_type") or ""), event.get("resource")
    if not isinstance(about, Mapping):
        return kind, ""
    return kind, str(about.get(_IDS.get(kind, "id")) or "")


def _read(event: Fields) -> Notification:
    object_type, object_id = resource(event)
    occurred_at = datetime.fromisoformat(_required(event["create_time"]))
    if occurred_at.tzinfo is None:
        raise ValueError
    return Notification(
        event_id=_required(event["id"]),
        kind=_required(event["event_type"]),
        object_type=object_type,
        object_id=object_id,
        occurred_at=occurred_at,
    )


def _required(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value
