"""System checks: what must not go live."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def test_clocks_are_for_sandboxes(**_: Any) -> list[CheckMessage]:
    """Nobody may move time where real money moves."""
    if settings.TEST_CLOCKS and settings.STRIPE_LIVE_MODE:
        return [
            Error(
                "TEST_CLOCKS is on beside a live Stripe key.",
                hint="Unset TEST_CLOCKS in production.",
                id="billing.E001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def webhook_secret_is_a_secret(**_: Any) -> list[CheckMessage]:
    """An empty or short secret verifies what anybody can forge."""
    if len(settings.STRIPE_WEBHOOK_SECRET) < 32:
        return [
            checks.Warning(
                "STRIPE_WEBHOOK_SECRET is shorter than Stripe's own.",
                hint="Copy the endpoint's signing secret (whsec_…) from Stripe's dashboard.",
                id="billing.W001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def webhooks_lead_outward(**_: Any) -> list[CheckMessage]:
    """Whoever may add an endpoint must not reach what is inside."""
    if settings.WEBHOOK_PRIVATE_TARGETS and settings.SECURE:
        return [
            Error(
                "WEBHOOK_PRIVATE_TARGETS is on beside SECURE.",
                hint="Unset WEBHOOK_PRIVATE_TARGETS on a server.",
                id="billing.E002",
            )
        ]
    return []
