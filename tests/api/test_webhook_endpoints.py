"""`/webhook-endpoints` and `/deliveries`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing import clock
from billing.core.delivering import DeliveryStatus
from billing.core.event_types import PATHS, TYPES
from billing.models import ApiRequest, Delivery, DeliveryTry, OutgoingEvent, WebhookEndpoint
from billing.services import deliveries, delivering, webhook_endpoints
from customers.models import Customer
from tests.api.calling import Caller, document
from tests.outgoing.conftest import ALICES, BOBS, happens
from tests.outgoing.receiver import Receiver, failing, receiver, taking

pytestmark = pytest.mark.django_db
URL = "https://a.example/hooks"
NOON = datetime(2026, 4, 1, 12, tzinfo=clock.now().tzinfo)


@pytest.fixture
def ear() -> Iterator[Receiver]:
    """A server that takes everything."""
    with receiver() as found:
        yield found


@pytest.fixture
def _on_a_server(settings: Settings) -> None:
    """Where nothing is sent inward."""
    settings.WEBHOOK_PRIVATE_TARGETS = False


def made(operator: Caller, **fields: Any) -> dict[str, Any]:
    """An endpoint, with its secret."""
    answer = operator.post("/webhook-endpoints", {"url": URL, **fields})
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def test_one_is_made_and_its_secret_shown_once(operator: Caller) -> None:
    answer = operator.post(
        "/webhook-endpoints",
        {"url": URL, "types": ["invoice.*", "invoice.*"], "description": "Accounting"},
    )

    assert answer.status == 201
    assert answer.headers["ETag"] == '"1"'
    secret = answer.body.pop("secret")
    assert secret.startswith("whsec_")
    assert answer.body | {"id": "", "created_at": ""} == {
        "id": "",
        "url": URL,
        "types": ["invoice.*"],
        "description": "Accounting",
        "enabled": True,
        "disabled_at": None,
        "disabled_reason": "",
        "failing_since": None,
        "former_secret_until": None,
        "version": 1,
        "created_by": answer.body["created_by"],
        "created_at": "",
        "updated_by": "",
        "updated_at": None,
    }
    path = f"/webhook-endpoints/{answer.body['id']}"
    assert operator.get(path).body == answer.body
    assert operator.get("/webhook-endpoints").body == {
        "total": 1,
        "limit": 10,
        "offset": 0,
        "webhook_endpoints": [answer.body],
    }


def test_a_repeated_call_makes_no_second_one_and_keeps_no_secret(operator: Caller) -> None:
    first = operator.post("/webhook-endpoints", {"url": URL}, Idempotency_Key="k")
    again = operator.post("/webhook-endpoints", {"url": URL}, Idempotency_Key="k")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.body == first.body | {"secret": None}
    assert WebhookEndpoint.objects.count() == 1
    assert "whsec_" not in ApiRequest.objects.get().body


@pytest.mark.usefixtures("_on_a_server")
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", "invalid_url"),
        ("http://a.example/", "https_required"),
        ("https://a.example:6379/", "port_not_allowed"),
        ("https://user:pass@a.example/", "url_with_credentials"),
        ("https://a.example/#x", "url_with_fragment"),
        ("https://169.254.169.254/latest/", "inner_address"),
        ("https://localhost/", "inner_address"),
    ],
)
def test_where_nothing_is_sent_to_is_refused(operator: Caller, url: str, code: str) -> None:
    refused = operator.post("/webhook-endpoints", {"url": url})
    assert (refused.status, refused.code) == (400, code)
    assert list(refused.body["errors"]) == ["url"]

    path = f"/webhook-endpoints/{made(operator)['id']}"
    changed = operator.patch(path, {"url": url})
    assert (changed.status, changed.code) == (400, code)


@pytest.mark.parametrize("types", [["invoice.payed"], ["*"], ["inv.*"], ["invoice.paid", ""]])
def test_types_are_those_that_there_are(operator: Caller, types: list[str]) -> None:
    answer = operator.post("/webhook-endpoints", {"url": URL, "types": types})

    assert answer.status == 400


def test_one_is_changed_by_who_has_seen_it(operator: Caller) -> None:
    path = f"/webhook-endpoints/{made(operator, types=['refund.*'])['id']}"

    changed = operator.patch(path, {"enabled": False, "types": []}, If_Match='"1"')
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    assert (changed.body["enabled"], changed.body["types"], changed.body["url"]) == (
        False,
        [],
        URL,
    )
    assert changed.body["disabled_at"] is not None
    assert changed.body["updated_by"].startswith("test (bsr_")
    assert "secret" not in changed.body

    late = operator.patch(path, {"description": "x"}, If_Match='"1"')
    assert (late.status, late.code) == (412, "version_mismatch")
    assert operator.delete(path, If_Match='"1"').status == 412
    assert operator.patch(path, {"enabled": True}).body["disabled_at"] is None


def test_one_is_deleted_with_all_that_was_sent(operator: Caller) -> None:
    path = f"/webhook-endpoints/{made(operator)['id']}"
    operator.post(f"{path}/test", {})
    DeliveryTry.objects.create(delivery=Delivery.objects.get(), sent_at=NOON, took_ms=1)

    assert operator.delete(path).status == 204

    assert operator.get(path).status == 404
    assert not Delivery.objects.exists()
    assert not DeliveryTry.objects.exists()


def test_a_secret_is_rotated(operator: Caller) -> None:
    before = made(operator)
    path = f"/webhook-endpoints/{before['id']}/secret"

    answer = operator.post(path, {"overlap_hours": 48})

    assert answer.status == 200
    assert answer.body["secret"].startswith("whsec_")
    assert answer.body["secret"] != before["secret"]
    until = datetime.fromisoformat(answer.body["former_secret_until"])
    assert timedelta(hours=47) < until - clock.now() < timedelta(hours=48)
    assert operator.post(path, {"overlap_hours": 0}).body["former_secret_until"] is None
    assert operator.post(path, {"overlap_hours": 169}).status == 400
    usual = datetime.fromisoformat(operator.post(path, {}).body["former_secret_until"])
    assert timedelta(hours=23) < usual - clock.now() < timedelta(hours=24)


def test_a_test_is_sent_whatever_it_listens_to(operator: Caller, ear: Receiver) -> None:
    endpoint = made(operator, url=ear.url, types=["refund.*"])

    answer = operator.post(f"/webhook-endpoints/{endpoint['id']}/test", {})

    assert answer.status == 202
    assert (answer.body["type"], answer.body["status"]) == ("endpoint.test", "pending")
    assert answer.body["tries"] == []
    delivering.run(now=clock.now())
    [request] = ear.requests
    assert request.is_signed_by(endpoint["secret"])
    shown = operator.get(f"/deliveries/{answer.body['id']}").body
    [one] = shown["tries"]
    assert shown["status"] == "delivered"
    assert one["response"] == {"status": 200, "body": "thank you"}
    assert one["failure"] is None
    assert one["request"]["body"] == request.said
    assert one["request"]["url"] == ear.url
    sent = {name.lower(): value for name, value in one["request"]["headers"].items()}
    assert "webhook-signature" not in sent
    assert sent.items() <= request.headers.items()

    operator.patch(f"/webhook-endpoints/{endpoint['id']}", {"enabled": False})
    refused = operator.post(f"/webhook-endpoints/{endpoint['id']}/test", {})
    assert (refused.status, refused.code) == (409, "endpoint_disabled")


def test_deliveries_are_listed_and_narrowed_down(operator: Caller, alice: Customer) -> None:
    path = f"/webhook-endpoints/{made(operator)['id']}/deliveries"
    happens(alice, ALICES, BOBS)
    happens(alice, ALICES, type_="payment_method.removed")
    first, second, third = Delivery.objects.order_by("position")
    Delivery.objects.filter(pk=first.pk).update(status=DeliveryStatus.FAILED, created_at=NOON)

    def found(query: str) -> list[str]:
        answer = operator.get(f"{path}?{query}")
        assert answer.status == 200, answer.body
        return [row["id"] for row in answer.body["deliveries"]]

    rows = [str(row.pk) for row in (third, second, first)]
    assert found("limit=100") == rows
    assert found("status=failed") == rows[2:]
    assert found("type=payment_method.removed") == rows[:1]
    assert found("type=payment_method.*&status=pending") == rows[:2]
    assert found("from=2026-04-01T12:00:00Z&to=2026-04-01T12:00:01Z") == rows[2:]
    assert found("to=2026-04-01T12:00:00Z") == []
    page = operator.get(f"{path}?limit=2").body
    assert page["previous"] is None
    older = operator.get(page["next"].removeprefix("http://testserver"))
    assert [row["id"] for row in older.body["deliveries"]] == rows[2:]
    assert operator.get(f"{path}?type=nonsense").code == "unknown_type"
    assert operator.get(f"{path}?status=gone").status == 400


def test_what_was_given_up_is_sent_again(operator: Caller, alice: Customer) -> None:
    with receiver(failing) as ear:
        endpoint = made(operator, url=ear.url)
        [delivery] = happens(alice, ALICES)
        delivering.run(now=clock.now())
        Delivery.objects.update(status=DeliveryStatus.FAILED, due_at=None, tries=10)
        ear.usual = taking

        answer = operator.post(f"/deliveries/{delivery.pk}/resend", {})

        assert (answer.status, answer.body["status"]) == (202, "pending")
        assert len(answer.body["tries"]) == 1
        delivering.run(now=clock.now() + timedelta(seconds=30))
        first, second = ear.requests
        assert first.body == second.body
    assert operator.get(f"/deliveries/{delivery.pk}").body["status"] == "delivered"
    operator.patch(f"/webhook-endpoints/{endpoint['id']}", {"enabled": False})
    refused = operator.post(f"/deliveries/{delivery.pk}/resend", {})
    assert (refused.status, refused.code) == (409, "endpoint_disabled")


def test_a_range_is_sent_again_as_far_as_a_call_goes(
    operator: Caller, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = made(operator)
    path = f"/webhook-endpoints/{endpoint['id']}/resend"
    happens(alice, *[ALICES] * 3)
    happens(alice, BOBS, type_="payment_method.removed")
    Delivery.objects.update(status=DeliveryStatus.FAILED, created_at=NOON)
    kept = Delivery.objects.order_by("position").last()
    assert kept is not None
    Delivery.objects.filter(pk=kept.pk).update(status=DeliveryStatus.DELIVERED)
    monkeypatch.setattr(deliveries, "MOST_RESENT", 2)
    day = {"from": "2026-04-01T00:00:00Z", "to": "2026-04-02T00:00:00Z"}

    assert operator.post(path, {**day, "types": ["invoice.*"]}).body == {"resent": 0, "left": 0}
    assert operator.post(path, day).body == {"resent": 2, "left": 1}
    states = list(Delivery.objects.order_by("position").values_list("status", flat=True))
    assert states == ["PENDING", "PENDING", "FAILED", "DELIVERED"]
    assert operator.post(path, day).body == {"resent": 1, "left": 0}
    assert operator.post(path, {**day, "status": "delivered"}).body == {"resent": 1, "left": 0}
    swapped = operator.post(path, {"from": day["to"], "to": day["from"]})
    assert (swapped.status, swapped.code) == (400, "empty_range")
    assert operator.post(path, {"from": day["from"]}).status == 400


def test_what_is_old_is_forgotten_and_what_waits_is_not(
    operator: Caller, alice: Customer, settings: Settings
) -> None:
    made(operator)
    idle, _ = webhook_endpoints.create(URL, types=["refund.*"], by="test", now=NOON)
    happens(alice, ALICES, BOBS)
    happens(alice, ALICES, type_="payment_method.removed")
    first, second, third = Delivery.objects.order_by("position")
    Delivery.objects.filter(pk=first.pk).update(status=DeliveryStatus.DELIVERED)
    DeliveryTry.objects.create(delivery=first, sent_at=NOON, took_ms=1)
    Delivery.objects.filter(pk=third.pk).update(endpoint=idle)
    webhook_endpoints.update(idle.pk, {"is_enabled": False}, by="test", now=NOON)
    later = clock.now() + timedelta(days=settings.NOTIFICATION_DAYS)

    assert deliveries.prune(now=later - timedelta(hours=1)) == 0
    assert deliveries.prune(now=later + timedelta(hours=1)) == 2

    assert list(Delivery.objects.values_list("pk", flat=True)) == [second.pk]
    assert list(OutgoingEvent.objects.values_list("pk", flat=True)) == [second.event_id]


def test_customers_are_told_of_as_they_are_made_and_changed(operator: Caller) -> None:
    made(operator, types=["customer.*"])

    customer = operator.post("/customers", {"organization_id": "dora", "email": "dora@a.example"})
    path = f"/customers/{customer.body['id']}"
    operator.patch(path, {"city": "London", "locale": "en"})
    operator.patch(path, {"timezone": "Nowhere/Land"})

    rows = OutgoingEvent.objects.order_by("position")
    assert [row.type for row in rows] == ["customer.created", "customer.updated"]
    assert '"changed":["city","locale"]' in rows[1].body
    assert "dora" not in "".join(row.body for row in rows)


def test_the_document_tells_of_every_type() -> None:
    told = document()["webhooks"]

    paid = told["invoice.paid"]["post"]["requestBody"]["content"]["application/json"]
    assert paid["schema"]["properties"]["type"] == {"const": "invoice.paid"}
    assert "total" in paid["schema"]["properties"]["data"]["properties"]
    assert paid["schema"]["examples"][0]["data"]["currency"] == "EUR"
    assert set(told) == set(TYPES)


def test_every_object_of_a_notification_has_its_address() -> None:
    addresses = {path.removeprefix("/api/v1/") for path in document()["paths"]}
    shapes = {address.partition("{")[0] for address in addresses if "{" in address}

    for path in PATHS.values():
        assert path.partition("{")[0] in shapes, path
