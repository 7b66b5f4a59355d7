"""How we speak to Stripe: where, as whom, how patiently, and what its errors mean to us."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, Final, cast

import stripe
from django.conf import settings

from billing.gateways.base import (
    GatewayRejectedError,
    GatewayUnavailableError,
    GatewayUnreachableError,
)
from billing.gateways.stripe.reach import WatchedClient, listening

# Seconds to connect, and to wait for an answer. Stripe's own SDK would wait for 80.
PATIENT: Final = (5.0, 25.0)
BRIEF: Final = (2.0, 5.0)
_PAGE: Final = 100  # the most that Stripe lists at once

# What we read, and where it is in the SDK.
READABLE: Final[Mapping[str, str]] = {
    "balance_transaction": "balance_transactions",
    "charge": "charges",
    "checkout.session": "checkout.sessions",
    "coupon": "coupons",
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "payment_intent": "payment_intents",
    "payment_method": "payment_methods",
    "payout": "payouts",
    "price": "prices",
    "product": "products",
    "refund": "refunds",
    "setup_intent": "setup_intents",
    "subscription": "subscriptions",
    "tax_rate": "tax_rates",
}


def build(
    *, timeouts: tuple[float, float] = PATIENT, max_network_retries: int = 2
) -> stripe.StripeClient:
    """A client by the settings. It may be shared between threads."""
    _aim_the_globals()
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={
            "api": _at(stripe.DEFAULT_API_BASE),
            "connect": _at(stripe.DEFAULT_CONNECT_API_BASE),
            "files": _at(stripe.DEFAULT_UPLOAD_API_BASE),
            "meter_events": _at(stripe.DEFAULT_METER_EVENTS_API_BASE),
        },
        stripe_version=settings.STRIPE_API_VERSION,
        max_network_retries=max_network_retries,
        http_client=WatchedClient(timeout=timeouts),
    )


def retrieve(client: stripe.StripeClient, object_type: str, object_id: str) -> stripe.StripeObject:
    """One object of a readable type, as Stripe has it now.

    :raises stripe.StripeError: as the SDK does.
    """
    service = attrgetter(READABLE[object_type])(client.v1)
    return cast("stripe.StripeObject", service.retrieve(object_id))


def every(put: Callable[..., Any], **params: Any) -> Iterator[dict[str, Any]]:
    """What a list of Stripe's holds, asked for page by page as it is read.

    :raises GatewayError: as `answers` does, at the page that fails.
    """
    with answers():
        page = put({"limit": _PAGE} | params)
    while True:
        yield from (thing.to_dict() for thing in page.data)
        if not page.has_more:
            return
        with answers():
            page = page.next_page()


def once(key: str) -> stripe.RequestOptions:
    """Do it once, however often it is asked under this key."""
    return {"idempotency_key": key}


@contextmanager
def answers(*, is_repeated: bool = False) -> Iterator[None]:
    """Turn Stripe's errors into ours, with no more of their text than is safe to log.

    Whatever does not prove that nothing happened is `GatewayUnavailableError`. So is a refused
    key: it says nothing about the payment, and the same question will do once the key is mended.
    A key reused with other parameters, likewise: the first request may well have taken the money.

    :param is_repeated: whether it may have been sent before: then that it was not heard this time
        proves nothing either.
    """
    with listening() as ear:
        try:
            yield
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            raise GatewayRejectedError(f"Stripe refuses: {_summary(error)}") from None
        except stripe.StripeError as error:
            if ear.is_deaf_to(error) and not is_repeated:
                raise GatewayUnreachableError(
                    f"Stripe was not reached: {_summary(error)}"
                ) from None
            raise GatewayUnavailableError(f"Stripe gave no answer: {_summary(error)}") from None


def is_missing(error: stripe.InvalidRequestError) -> bool:
    """Whether there is no such object."""
    return error.code == "resource_missing"


def fields(error: stripe.StripeError) -> Mapping[str, Any]:
    """The error object of Stripe's answer, empty if it has none."""
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _summary(error: stripe.StripeError) -> str:
    parts = [type(error).__name__, error.http_status, error.code, fields(error).get("param")]
    if error.request_id:
        parts.append(error.request_id)
    return " ".join(str(part) for part in parts if part)


def _at(host: str) -> str:
    """One of Stripe's own hosts, or the one that stands in for all of them."""
    is_stripe = settings.STRIPE_API_BASE == stripe.DEFAULT_API_BASE
    return host if is_stripe else str(settings.STRIPE_API_BASE)


def _aim_the_globals() -> None:
    """Point the SDK's module globals where the client points.

    dj-stripe speaks through them; were one forgotten, a test would reach the real host. The SDK's
    logger writes whole bodies and messages below WARNING.
    """
    stripe.api_base = _at(stripe.DEFAULT_API_BASE)
    stripe.connect_api_base = _at(stripe.DEFAULT_CONNECT_API_BASE)
    stripe.upload_api_base = _at(stripe.DEFAULT_UPLOAD_API_BASE)
    stripe.meter_events_api_base = _at(stripe.DEFAULT_METER_EVENTS_API_BASE)
    stripe.api_key = settings.STRIPE_SECRET_KEY
    stripe.api_version = settings.STRIPE_API_VERSION
    stripe.max_network_retries = 0
    stripe.default_http_client = stripe.RequestsClient(timeout=BRIEF)
    logging.getLogger("stripe").setLevel(logging.WARNING)
