from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from billing.core.errors import NotFoundError
from billing.gateways.base import Fact, GatewayUnavailableError, Notification
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import GatewayEvent, Payment, PaymentAttempt
from billing.services import gateway_events, payments, sweep
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def notification(object_type: str, object_id: str, event_id: str = "evt_1") -> Notification:
    return Notification(event_id, f"{object_type}.updated", object_type, object_id, NOW)


def processing_attempt(world: World) -> PaymentAttempt:
    """A charge whose outcome only the gateway's notification will tell."""
    alice = world.at("2026-04-01").customer("alice")
    world.adds_card(alice, "tok_processing")
    attempt = world.charges(world.drafts(alice, "25.00"))
    collected = payments.collect(attempt.pk, now=world.now)
    assert collected is not None
    return collected


def test_a_notification_is_stored_once(world: World) -> None:
    known = notification("charge", "ch_1")
    stored = at_once(
        *(lambda: gateway_events.receive(known, gateway="sandbox", now=NOW) for _ in range(10))
    )
    assert sum(found is not None for found in stored) == 1
    assert GatewayEvent.objects.count() == 1


def test_ten_workers_on_one_notification_have_one_effect(world: World) -> None:
    attempt = processing_attempt(world)
    event_id = gateway_events.receive(
        notification("charge", attempt.external_id), gateway="sandbox", now=NOW
    )
    assert event_id is not None

    outcomes = at_once(*(lambda: gateway_events.handle(event_id, now=NOW) for _ in range(10)))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert Payment.objects.get().attempt == attempt
    assert GatewayEvent.objects.get().outcome == "attempt succeeded"


def test_without_an_answer_it_stays_and_is_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = processing_attempt(world)
    event_id = gateway_events.receive(
        notification("charge", attempt.external_id), gateway="sandbox", now=NOW
    )
    assert event_id is not None

    def down(*_: object) -> Fact | None:
        raise GatewayUnavailableError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "fetch", down)
        with pytest.raises(GatewayUnavailableError):
            gateway_events.handle(event_id, now=NOW)
    assert sweep.sweep(now=world.now).events == [event_id]

    gateway_events.handle(event_id, now=NOW)

    assert Payment.objects.count() == 1
    assert sweep.sweep(now=world.now).events == []


@pytest.mark.parametrize(
    ("object_type", "object_id", "outcome"),
    [
        ("payout", "po_1", "nothing to do"),
        ("charge", "ch.tok_ok.not-ours", "not one of ours"),
        ("charge", "ch.tok_ok.01a1f9a8-0000-7000-8000-000000000000", "not one of ours"),
        ("setup", "seti.tok_ok.cus.01a1f9a8-0000-7000-8000-000000000000", "not one of ours"),
        ("payment_method", "pm.tok_ok.x", "not one of ours"),
        ("charge", "garbage", "nothing to do"),
    ],
)
def test_what_is_not_ours_is_kept_and_does_nothing(
    world: World, object_type: str, object_id: str, outcome: str
) -> None:
    event_id = gateway_events.receive(
        notification(object_type, object_id), gateway="sandbox", now=NOW
    )
    assert event_id is not None
    gateway_events.handle(event_id, now=NOW)
    assert GatewayEvent.objects.get().outcome == outcome
    assert not Payment.objects.exists()


def test_a_notification_can_be_replayed_without_harm(world: World) -> None:
    attempt = processing_attempt(world)
    event_id = gateway_events.receive(
        notification("charge", attempt.external_id), gateway="sandbox", now=NOW
    )
    assert event_id is not None
    gateway_events.handle(event_id, now=NOW)

    gateway_events.replay(event_id)
    gateway_events.handle(event_id, now=NOW)

    assert Payment.objects.count() == 1
    with pytest.raises(NotFoundError):
        gateway_events.replay(uuid4())
