"""What Stripe's errors mean to us. The errors are made here: no network."""

from __future__ import annotations

import logging

import pytest
import stripe
from pytest_django import Settings

from billing.gateways.base import GatewayRejectedError, GatewayUnavailableError
from billing.gateways.stripe import client

UNAVAILABLE = [
    stripe.APIConnectionError("cut"),  # type: ignore[no-untyped-call]
    stripe.RateLimitError("slow down", http_status=429),
    stripe.APIError("oops", http_status=500),
    stripe.APIError("in progress", http_status=409),
    stripe.IdempotencyError("other parameters", http_status=400),
    stripe.AuthenticationError("Invalid API Key provided: sk_test_…", http_status=401),
    stripe.PermissionError("not allowed", http_status=403),
]


@pytest.mark.parametrize("error", UNAVAILABLE, ids=lambda error: type(error).__name__)
def test_what_proves_nothing_is_no_answer(error: stripe.StripeError) -> None:
    with pytest.raises(GatewayUnavailableError), client.answers():
        raise error


def test_an_invalid_request_is_refused() -> None:
    with pytest.raises(GatewayRejectedError), client.answers():
        raise stripe.InvalidRequestError("No such", "customer")  # type: ignore[no-untyped-call]


def test_stripes_own_words_stay_out_of_our_errors() -> None:
    with pytest.raises(GatewayUnavailableError) as caught, client.answers():
        raise stripe.AuthenticationError("Invalid API Key provided: sk_test_1234", http_status=401)

    assert "sk_test" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_everything_that_speaks_to_stripe_is_aimed_at_the_same_place(
    settings: Settings,
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"

    client.build()

    assert stripe.api_base == stripe.upload_api_base == stripe.connect_api_base
    assert stripe.api_base == stripe.meter_events_api_base == "http://127.0.0.1:1"
    assert stripe.api_key == settings.STRIPE_SECRET_KEY
    assert stripe.api_version == settings.STRIPE_API_VERSION


def test_the_sdk_never_logs_bodies() -> None:
    client.build()

    assert not logging.getLogger("stripe").isEnabledFor(logging.INFO)
