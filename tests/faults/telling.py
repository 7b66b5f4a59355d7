"""What Stripe tells us, as it would reach us: read from its events, signed, verified, stored."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings

from billing import tasks
from billing.gateways.base import Notification
from billing.models import GatewayEvent
from billing.services import gateway_events
from tests.faults.conftest import Stripe
from tests.faults.shop import Shop
from tests.gateways.cases import stripe_signature


def told(stripe: Stripe) -> list[Notification]:
    """Every notification that Stripe has sent, or would have, oldest first."""
    events = stripe.till.client.v1.events.list({"limit": 100}).data
    return [_read(stripe, json.dumps(event.to_dict())) for event in reversed(events)]


def _read(stripe: Stripe, body: str) -> Notification:
    secret = settings.STRIPE_WEBHOOK_SECRET
    headers = stripe_signature(body, secret, datetime.now(UTC))  # each delivery is signed anew
    return stripe.gateway.parse_event(body.encode(), headers)


def hear(shop: Shop, notifications: Iterable[Notification]) -> None:
    """Be told; whoever was told handles it, whether or not it is new."""
    for one in notifications:
        gateway_events.receive(one, gateway="stripe", now=shop.now)
        event = GatewayEvent.objects.get(gateway="stripe", event_id=one.event_id)
        tasks.handle_gateway_event(event_id=str(event.pk))
