"""Every answer has everything the installed SDK declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, get_args

import pytest
import stripe
from stripe._object_classes import OBJECT_CLASSES

from stripe_sandbox.sdk import operations, shapes
from tests.stripe_sandbox.conftest import KEY

# Told only of what is gone, and of what was updated.
NOT_ALWAYS = (".deleted", "event.data.previous_attributes")

Make = Callable[[stripe.V1Services, stripe.Customer], stripe.StripeObject]


def charge_of(api: stripe.V1Services, alice: stripe.Customer) -> stripe.PaymentIntent:
    return api.payment_intents.create(
        {
            "amount": 1250,
            "currency": "usd",
            "customer": alice.id,
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
            "expand": ["latest_charge.balance_transaction"],
        }
    )


def product_of(api: stripe.V1Services) -> stripe.Product:
    return api.products.create({"name": "Honey"})


def feature_of(api: stripe.V1Services) -> stripe.entitlements.Feature:
    return api.entitlements.features.create({"name": "Hive", "lookup_key": "hive"})


def dispute_of(api: stripe.V1Services, alice: stripe.Customer) -> stripe.Dispute:
    api.payment_intents.create(
        {
            "amount": 1250,
            "currency": "usd",
            "customer": alice.id,
            "payment_method": "pm_card_createDispute",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    return api.disputes.list().data[0]


def setup_of(api: stripe.V1Services, alice: stripe.Customer) -> stripe.SetupIntent:
    wish: Any = {
        "customer": alice.id,
        "payment_method": "pm_sepa_success",
        "payment_method_types": ["sepa_debit"],
        "mandate_data": {"customer_acceptance": {"type": "offline"}},
        "confirm": True,
        "expand": ["mandate"],
    }
    return api.setup_intents.create(wish)


def payout_of(api: stripe.V1Services) -> stripe.Payout:
    api.payment_intents.create(
        {
            "amount": 1250,
            "currency": "usd",
            "payment_method": "pm_card_bypassPending",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    return api.payouts.create({"amount": 100, "currency": "usd"})


MAKERS: dict[str, Make] = {
    "account": lambda api, _: api.accounts.retrieve_current(),
    "mandate": lambda api, alice: setup_of(api, alice)["mandate"],
    "payout": lambda api, _: payout_of(api),
    "dispute": dispute_of,
    "file": lambda api, _: api.files.create({"purpose": "pci_document", "file": BytesIO(b"x")}),
    "balance_transaction": lambda api, alice: charge_of(api, alice)["latest_charge"][
        "balance_transaction"
    ],
    "charge": lambda api, alice: charge_of(api, alice)["latest_charge"],
    "checkout.session": lambda api, alice: api.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": alice.id, "success_url": "http://shop/ok"}
    ),
    "customer": lambda _, alice: alice,
    "entitlements.feature": lambda api, _: feature_of(api),
    "event": lambda api, _: api.events.list().data[0],
    "payment_intent": charge_of,
    "payment_method": lambda api, alice: api.payment_methods.attach(
        "pm_card_visa", {"customer": alice.id}
    ),
    "price": lambda api, _: api.prices.create(
        {
            "currency": "usd",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product": product_of(api).id,
        }
    ),
    "product": lambda api, _: product_of(api),
    "product_feature": lambda api, _: api.products.features.create(
        product_of(api).id, {"entitlement_feature": feature_of(api).id}
    ),
    "refund": lambda api, alice: api.refunds.create({"payment_intent": charge_of(api, alice).id}),
    "setup_attempt": lambda api, alice: api.setup_attempts.list(
        {
            "setup_intent": api.setup_intents.create(
                {
                    "customer": alice.id,
                    "payment_method": "pm_card_visa",
                    "payment_method_types": ["card"],
                    "confirm": True,
                }
            ).id
        }
    ).data[0],
    "setup_intent": lambda api, alice: api.setup_intents.create({"customer": alice.id}),
    "test_helpers.test_clock": lambda api, _: api.test_helpers.test_clocks.create(
        {"frozen_time": 1_800_000_000}
    ),
    "webhook_endpoint": lambda api, _: api.webhook_endpoints.create(
        {"url": "http://127.0.0.1:1/", "enabled_events": ["*"]}
    ),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_declared_attribute_is_there(
    kind: str, api: stripe.V1Services, alice: stripe.Customer
) -> None:
    body = MAKERS[kind](api, alice).to_dict()

    assert body["object"] == kind
    assert list(gaps(shapes._class_of(kind), body, kind)) == []


def gaps(declared: type, body: dict[str, Any], path: str) -> Iterator[str]:
    """Name what is declared and missing, or null though it must not be, at every depth."""
    inner: dict[str, type] = getattr(declared, "_inner_class_types", {})
    for name, hint in inspect.get_annotations(declared).items():
        here = f"{path}.{name}"
        if name.startswith("_") or name.isupper() or here.endswith(NOT_ALWAYS):
            continue
        if name not in body or (body[name] is None and type(None) not in get_args(hint)):
            yield here
        elif name in inner:
            for value in body[name] if isinstance(body[name], list) else [body[name]]:
                if isinstance(value, dict) and "object" not in value:
                    yield from gaps(inner[name], value, here)


def test_every_kind_the_sdk_knows_has_a_skeleton() -> None:
    kinds = set(OBJECT_CLASSES) - {"list", "search_result", "file_upload"}

    for kind in kinds:
        if not kind.startswith("v2."):
            assert shapes.complete(kind, {"id": "x"})["id"] == "x"


def test_every_operation_the_sdk_knows_has_its_parameters() -> None:
    known = operations._modules_by_path()

    found = [
        operations.parameters(method, path)
        for modules in known.values()
        for module in modules
        for method, path in operations._operations(module)
    ]

    assert len(known) > 300
    assert all(isinstance(record.fields, dict) for record in found)


def test_the_sdk_need_not_know_an_operation() -> None:
    with pytest.raises(LookupError, match="/v1/unheard_of"):
        operations.parameters("POST", "/v1/unheard_of")


def test_a_deleted_customer_leaves_only_a_marker(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    api.customers.delete(alice.id)

    gone = api.customers.retrieve(alice.id)

    assert gone.to_dict() == {"id": alice.id, "object": "customer", "deleted": True}
    assert KEY not in str(gone)
