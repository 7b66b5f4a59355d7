"""What is sent, for the OpenAPI document: an operation of the receiver's for each type."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, OpenApiWebhook, extend_schema

from billing.core import event_pages
from billing.core.event_types import TYPES, EventType


def _shape(known: EventType) -> dict[str, Any]:
    """drf-spectacular shows no examples of its own beside a schema that is given."""
    return {**event_pages.schema(known), "examples": [event_pages.example(known)]}


def _documented(known: EventType) -> OpenApiWebhook:
    return OpenApiWebhook(
        name=known.name,
        decorator=extend_schema(
            summary=known.says,
            description="See docs/notifications.md for verifying, order and retries.",
            request={"application/json": _shape(known)},
            responses={
                200: OpenApiResponse(description="Taken; so is any other 2xx."),
                410: OpenApiResponse(description="Gone: nothing is sent there any more."),
            },
        ),
    )


# The settings name each: drf-spectacular takes a list of names, and nothing else.
globals().update({known.constant: _documented(known) for known in TYPES.values()})
