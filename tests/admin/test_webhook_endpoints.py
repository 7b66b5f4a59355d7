"""Webhook endpoints in the admin: made, changed, tried out, left alone; and what was sent."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing import clock
from billing.core.delivering import DeliveryStatus
from billing.models import Delivery, DeliveryTry, WebhookEndpoint
from billing.services import delivering, webhook_endpoints
from customers.models import Customer, User
from tests import builders
from tests.admin.conftest import signed_in
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, add, change, changelist
from tests.outgoing.conftest import ALICES, happens
from tests.outgoing.receiver import answering, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(db: None) -> WebhookEndpoint:
    """One that listens to invoices."""
    made, _ = webhook_endpoints.create(
        "https://a.example/hooks", types=["invoice.*"], by="test", now=clock.now()
    )
    return made


@pytest.fixture
def alice(db: None) -> Customer:
    """A customer."""
    return builders.make_customer("alice")


def filled(endpoint: WebhookEndpoint, **entered: str) -> dict[str, str]:
    """The form as it is opened, but for what is entered."""
    usual = {
        "url": endpoint.url,
        "description": endpoint.description,
        "types": ", ".join(endpoint.types),
        "seen_version": str(endpoint.version),
    }
    return {**usual, **entered}


def test_one_is_made_and_its_secret_shown_once(operator: Client) -> None:
    entered = {"url": "https://a.example/hooks", "types": "invoice.*, refund.succeeded"}

    answer = operator.post(add(WebhookEndpoint), entered, follow=True)

    made = WebhookEndpoint.objects.get()
    assert made.types == ["invoice.*", "refund.succeeded"]
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())
    assert secret not in {made.secret, made.former_secret}
    again = operator.get(change(made)).content.decode()
    assert "whsec_" not in again
    assert made.secret not in again
    assert made.created_by.startswith("user:")


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"url": "https://user:pass@a.example/"}, "A URL carries no user and no password."),
        ({"url": "ftp://a.example/"}, "A URL like"),
        ({"types": "invoices.*"}, "There is no type invoices.*."),
    ],
)
def test_what_makes_no_sense_is_shown_at_its_field(
    endpoint: WebhookEndpoint, operator: Client, entered: dict[str, str], sentence: str
) -> None:
    answer = operator.post(change(endpoint), filled(endpoint, **entered))

    assert answer.status_code == 200
    assert sentence in text_of(answer.content)
    endpoint.refresh_from_db()
    assert endpoint.version == 1


def test_one_is_changed_by_its_service(endpoint: WebhookEndpoint, operator: Client) -> None:
    entered = filled(endpoint, types="", description="Accounting")

    assert operator.post(change(endpoint), entered, follow=True).redirect_chain

    endpoint.refresh_from_db()
    assert (endpoint.types, endpoint.description, endpoint.version) == ([], "Accounting", 2)
    stale = operator.post(change(endpoint), entered | {"description": "x"}, follow=True)
    assert "It was changed by someone else." in text_of(stale.content)


def test_one_is_disabled_and_enabled_again(endpoint: WebhookEndpoint, operator: Client) -> None:
    assert act(operator, endpoint, "disable") == ["It is disabled."]

    page = operator.get(change(endpoint)).content.decode()
    assert "Disabled" in text_of(page.encode())
    assert action(endpoint, "enable") in page
    assert action(endpoint, "send_test") not in page
    assert "Disabled" in text_of(operator.get(changelist(WebhookEndpoint)).content)

    assert act(operator, endpoint, "enable") == ["It is enabled."]
    endpoint.refresh_from_db()
    assert endpoint.is_enabled


def test_one_that_we_disabled_is_a_concern(alice: Customer, operator: Client) -> None:
    with receiver(answering(410)) as ear:
        webhook_endpoints.create(ear.url, by="test", now=clock.now())
        happens(alice, ALICES)
        delivering.run(now=clock.now())

    front = text_of(operator.get("/admin/").content)

    assert "Webhook endpoints that we disabled" in front
    page = text_of(
        operator.get(changelist(WebhookEndpoint) + "?disabled_reason__isempty=0").content
    )
    assert "It answered 410: it is gone." in page


def test_a_test_is_sent_and_told_of(operator: Client) -> None:
    with receiver() as ear:
        endpoint, _ = webhook_endpoints.create(ear.url, by="test", now=clock.now())
        [said] = act(operator, endpoint, "send_test")
        assert said.startswith("A test is on its way")
        delivering.run(now=clock.now())
        assert ear.types == ["endpoint.test"]

    page = text_of(operator.get(change(endpoint)).content)
    assert "endpoint.test" in page
    assert "Delivered" in page
    delivery = Delivery.objects.get()
    shown = text_of(operator.get(change(delivery)).content)
    assert "thank you" in shown
    assert str(delivery.event_id) in shown


def test_a_secret_is_rotated_and_shown_once(endpoint: WebhookEndpoint, operator: Client) -> None:
    texts = act(operator, endpoint, "rotate_secret", overlap_hours="2")

    assert len([text for text in texts if "whsec_" in text]) == 1
    endpoint.refresh_from_db()
    assert endpoint.former_secret_until is not None
    assert endpoint.former_secret_until - clock.now() < timedelta(hours=2)
    assert "whsec_" not in operator.get(change(endpoint)).content.decode()


def test_what_failed_is_sent_again_one_or_all(endpoint: WebhookEndpoint, operator: Client) -> None:
    delivery = webhook_endpoints.send_test(endpoint.pk, now=clock.now())
    Delivery.objects.update(status=DeliveryStatus.FAILED)
    DeliveryTry.objects.create(delivery=delivery, sent_at=clock.now(), took_ms=1, failure="TIMEOUT")
    assert "Timeout" in text_of(operator.get(change(delivery)).content)

    assert act(operator, delivery, "resend") == ["It is on its way again."]
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.PENDING

    Delivery.objects.update(status=DeliveryStatus.FAILED)
    tomorrow = f"{clock.now() + timedelta(days=1):%Y-%m-%d}"
    done = act(operator, endpoint, "resend_failed", start="2026-01-01", end=tomorrow)
    assert done == ["1 are sent again."]


def test_who_may_only_look_changes_nothing(endpoint: WebhookEndpoint) -> None:
    reader = User.objects.create_user("reader@example.org", "secret", is_staff=True)
    reader.user_permissions.set(
        Permission.objects.filter(codename__in=["view_webhookendpoint", "view_delivery"])
    )
    browser = signed_in(reader)

    page = browser.get(change(endpoint))
    assert page.status_code == 200
    assert "invoice.*" in text_of(page.content)
    assert action(endpoint, "disable") not in page.content.decode()
    assert browser.post(action(endpoint, "disable"), {"_form_submitted": "on"}).status_code == 403
