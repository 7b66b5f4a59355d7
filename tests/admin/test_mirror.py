"""dj-stripe's mirrors are shown as they are, without secrets, and cannot be written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from billing.admin.mirror import without_secrets
from tests.admin.conftest import CLIENT_SECRET, Story
from tests.admin.urls_of import add, change, changelist, delete, registered

pytestmark = pytest.mark.django_db

SHOWN = {
    "Customer",
    "PaymentMethod",
    "PaymentIntent",
    "SetupIntent",
    "Charge",
    "Refund",
    "Product",
    "Price",
    "Invoice",
    "Subscription",
    "Dispute",
    "BalanceTransaction",
    "Account",
    "Event",
}


def test_what_stripe_has_is_shown() -> None:
    assert {model.__name__ for model in registered("djstripe")} >= SHOWN


@pytest.mark.parametrize("name", ["APIKey", "WebhookEndpoint", "WebhookEventTrigger"])
def test_what_holds_secrets_is_not(name: str) -> None:
    assert not admin.site.is_registered(apps.get_model("djstripe", name))


def test_an_object_is_shown_without_its_secret(story: Story, operator: Client) -> None:
    intent = apps.get_model("djstripe", "PaymentIntent").objects.get()
    page = operator.get(change(intent)).content.decode()

    assert "&quot;amount&quot;: 1000" in page
    assert "client_secret" in page
    assert CLIENT_SECRET not in page
    found = operator.get(changelist(type(intent)), {"q": "pi_1"}).context["cl"].result_list
    assert list(found) == [intent]


def test_an_object_cannot_be_written(story: Story, operator: Client) -> None:
    intent = apps.get_model("djstripe", "PaymentIntent").objects.get()

    assert operator.post(change(intent), {"id": "pi_2"}).status_code == 403
    assert operator.post(delete(intent), {"post": "yes"}).status_code == 403
    assert operator.post(add(type(intent)), {"id": "pi_2"}).status_code == 403
    assert operator.get(f"{changelist(type(intent))}none/change/").status_code == 404


def test_objects_of_todays_shape_are_shown(operator: Client) -> None:
    """dj-stripe's own `str()` and accessors expect older shapes."""
    for name in ("Customer", "PaymentMethod", "Invoice", "Subscription"):
        model = apps.get_model("djstripe", name)
        row = model(
            id=f"{name.lower()}_1",
            livemode=False,
            created=datetime(2026, 5, 1, tzinfo=UTC),
            stripe_data={"id": f"{name.lower()}_1", "parent": {"subscription_details": None}},
        )
        if name != "Customer":
            row.customer_id = "customer_1"
        model.objects.bulk_create([row])
        for address in (change(model.objects.get()), changelist(model)):
            assert operator.get(address).status_code == 200, address


def test_secrets_are_blotted_out_wherever_they_are() -> None:
    event = {"data": {"object": {"client_secret": "s", "items": [{"secret": "t", "id": 1}]}}}

    assert without_secrets(event) == {
        "data": {
            "object": {
                "client_secret": "(not shown)",
                "items": [{"secret": "(not shown)", "id": 1}],
            }
        }
    }
