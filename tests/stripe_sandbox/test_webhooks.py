"""What happened is told: signed, filtered, again if need be, and wrongly if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.endpoints import listen_at
from stripe_sandbox.server import running
from stripe_sandbox.webhooks import outbox
from tests.stripe_sandbox.conftest import Clock, Control, client_in, client_of
from tests.stripe_sandbox.ears import SECRET, Ears, listening
from tests.stripe_sandbox.waiting import until


@pytest.fixture
def heard(sandbox: Sandbox, ears: Ears) -> Ears:
    """An endpoint that hears of everything."""
    listen_at(sandbox.state, ears.url, SECRET)
    return ears


def test_a_payment_is_told_step_by_step(
    api: stripe.V1Services, control: Control, heard: Ears
) -> None:
    alice = api.customers.create({})
    api.payment_methods.attach("pm_card_visa", {"customer": alice.id})
    paid = api.payment_intents.create(
        {
            "amount": 1250,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
        },
        {"idempotency_key": "attempt:7"},
    )
    control("POST", "webhooks/drain")

    assert sorted(heard.types) == [
        "charge.succeeded",
        "customer.created",
        "payment_intent.created",
        "payment_intent.succeeded",
        "payment_method.attached",
    ]
    event = heard.of("payment_intent.succeeded")
    assert event.data.object["id"] == paid.id
    assert event.data.object["status"] == "succeeded"
    assert event.api_version == stripe.api_version
    assert paid.last_response is not None
    assert event["request"]["id"] == paid.last_response.headers["Request-Id"]
    assert event["request"]["idempotency_key"] == "attempt:7"
    assert event.pending_webhooks == 1
    assert api.events.retrieve(event.id).pending_webhooks == 0
    assert [found.id for found in api.events.list({"type": "payment_intent.succeeded"}).data] == [
        event.id
    ]


def test_an_update_says_what_it_was_before(
    api: stripe.V1Services, control: Control, heard: Ears
) -> None:
    alice = api.customers.create({"name": "Alice", "metadata": {"a": "1"}})
    api.customers.update(alice.id, {"name": "Alicia", "metadata": {"b": "2"}})
    api.customers.update(alice.id, {"name": "Alicia"})
    control("POST", "webhooks/drain")

    event = heard.of("customer.updated")
    assert heard.types.count("customer.updated") == 1
    assert event.to_dict()["data"]["previous_attributes"] == {
        "name": "Alice",
        "metadata": {"b": None},
    }
    assert "previous_attributes" not in heard.of("customer.created").data


def test_an_endpoint_has_its_own_secret_told_once(
    api: stripe.V1Services, control: Control, ears: Ears
) -> None:
    endpoint = api.webhook_endpoints.create({"url": ears.url, "enabled_events": ["*"]})
    assert str(endpoint.secret).startswith("whsec_")
    assert api.webhook_endpoints.retrieve(endpoint.id).secret is None
    ears.secret = str(endpoint.secret)

    api.customers.create({})
    control("POST", "webhooks/drain")

    assert ears.types == ["customer.created"]


def test_a_wrong_secret_is_noticed(heard: Ears, api: stripe.V1Services, control: Control) -> None:
    heard.secret = "whsec_another"
    api.customers.create({})

    told = control("POST", "webhooks/drain")

    assert (heard.events, told["waiting"]) == ([], 1)


def test_an_endpoint_hears_what_it_asked_for(
    api: stripe.V1Services, control: Control, ears: Ears
) -> None:
    wanted: Any = ["customer.created", "price.*"]
    endpoint = api.webhook_endpoints.create(
        {"url": ears.url, "enabled_events": ["product.created"]}
    )
    ears.secret = str(endpoint.secret)
    api.webhook_endpoints.update(endpoint.id, {"enabled_events": ["customer.created"]})
    alice = api.customers.create({})
    api.customers.delete(alice.id)
    api.webhook_endpoints.update(endpoint.id, {"disabled": True})
    api.customers.create({})
    control("POST", "webhooks/drain")
    assert ears.types == ["customer.created"]

    api.webhook_endpoints.delete(endpoint.id)
    assert api.webhook_endpoints.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="enabled_events"):
        api.webhook_endpoints.create({"url": ears.url, "enabled_events": wanted})
    with pytest.raises(stripe.InvalidRequestError, match="explicit scheme"):
        api.webhook_endpoints.create({"url": "shop.test/hooks", "enabled_events": ["*"]})


def test_a_refused_notification_is_sent_again_later(
    sandbox: Sandbox, api: stripe.V1Services, clock: Clock, heard: Ears
) -> None:
    heard.answers = [500, 302]
    api.customers.create({})

    for wait, due_now in ((0.0, 1), (1.0, 1), (4.0, 0), (1.0, 1)):
        clock.now += wait
        due = outbox.due(sandbox.state)
        assert len(due) == due_now
        for seq in due:
            future = sandbox.courier._send_soon(seq)
            assert future is not None
            future.result()

    assert [event.id for event in heard.events] == [heard.events[0].id] * 3
    assert outbox.counts(sandbox.state)["delivered"] == 1


def test_in_the_end_it_gives_up(api: stripe.V1Services, control: Control, heard: Ears) -> None:
    control("POST", "webhooks", retry_after=[0, 0])
    heard.answers = [500] * 3
    api.customers.create({})

    outcomes = [control("POST", "webhooks/drain") for _ in range(4)]

    assert [outcome["waiting"] for outcome in outcomes] == [1, 1, 0, 0]
    assert outcomes[-1]["failed"] == 1
    assert len(heard.events) == 3
    failed = control("GET", "webhooks/deliveries")["data"][0]
    assert (failed["type"], failed["status"], failed["attempts"]) == ("customer.created", 500, 3)


def test_nobody_at_home_is_a_failed_try(
    sandbox: Sandbox, api: stripe.V1Services, control: Control
) -> None:
    with listening() as gone:
        pass
    listen_at(sandbox.state, gone.url, SECRET)
    api.customers.create({})

    assert control("POST", "webhooks/drain")["waiting"] == 1
    assert "refused" in control("GET", "webhooks/deliveries")["data"][0]["error"]


def test_each_can_be_sent_more_than_once(
    api: stripe.V1Services, control: Control, heard: Ears
) -> None:
    control("POST", "webhooks", copies=10)
    api.customers.create({})

    assert control("POST", "webhooks/drain")["delivered"] == 10
    assert len(heard.events) == 10
    assert len({event.id for event in heard.events}) == 1


def test_some_can_be_lost(api: stripe.V1Services, control: Control, heard: Ears) -> None:
    control("POST", "webhooks", drop=2)
    made = [api.customers.create({}).id for _ in range(3)]

    told = control("POST", "webhooks/drain")

    assert (told["dropped"], told["delivered"]) == (2, 1)
    assert [event.data.object["id"] for event in heard.events] == made[2:]
    control("POST", "webhooks", drop=-1)
    api.customers.create({})
    assert control("POST", "webhooks/drain")["dropped"] == 3


def test_the_order_can_be_turned_round(
    api: stripe.V1Services, control: Control, heard: Ears
) -> None:
    control("POST", "webhooks", newest_first=True)
    made = [api.customers.create({}).id for _ in range(3)]

    due = [one["event"] for one in control("GET", "webhooks/deliveries")["data"]]
    assert len(due) == 3
    control("POST", "webhooks/drain")

    assert sorted(event.data.object["id"] for event in heard.events) == sorted(made)


def test_the_newest_is_due_first_if_asked(
    sandbox: Sandbox, api: stripe.V1Services, control: Control, heard: Ears
) -> None:
    for _ in range(3):
        api.customers.create({})
    in_order = outbox.due(sandbox.state)

    control("POST", "webhooks", newest_first=True)

    assert outbox.due(sandbox.state) == in_order[::-1]


def test_delivery_can_wait(
    sandbox: Sandbox, *, api: stripe.V1Services, clock: Clock, control: Control, heard: Ears
) -> None:
    control("POST", "webhooks", delay=60)
    api.customers.create({})
    assert outbox.due(sandbox.state) == []
    clock.now += 60
    assert len(outbox.due(sandbox.state)) == 1

    control("POST", "webhooks/pause")
    assert control("POST", "webhooks/drain")["waiting"] == 1
    assert heard.events == []
    control("POST", "webhooks/resume")
    assert control("POST", "webhooks/drain")["delivered"] == 1


def test_an_event_can_be_sent_again(api: stripe.V1Services, control: Control, heard: Ears) -> None:
    api.customers.create({})
    control("POST", "webhooks/drain")
    event = heard.events[0].id

    control("POST", "webhooks/resend", event=event)
    control("POST", "webhooks/drain")

    assert [one.id for one in heard.events] == [event, event]


@pytest.mark.parametrize(
    "wish", [{"volume": 11}, {"copies": "many"}, {"drop": True}, {"delay": -1}, {"paused": 1}]
)
def test_a_knob_turns_only_so_far(sandbox: Sandbox, wish: dict[str, Any]) -> None:
    answer = sandbox.handle(
        "POST", "/_control/webhooks", str(wish).replace("'", '"').replace("True", "true")
    )

    assert answer.status == 400


def test_what_waits_survives_a_restart(tmp_path: Path, ears: Ears) -> None:
    path = str(tmp_path / "state.sqlite3")
    first = Sandbox(path)
    listen_at(first.state, ears.url, SECRET)
    alice = client_in(first).v1.customers.create({})
    taken = outbox.claim(first.state, outbox.due(first.state)[0])
    assert taken is not None  # under way when the process dies
    first.close()

    with running(state=path, webhook_url=ears.url, webhook_secret=SECRET) as url:
        until(lambda: bool(ears.events))
        endpoints = client_of(url).v1.webhook_endpoints.list().data

    assert ears.events[0].data.object["id"] == alice.id
    assert [endpoint.url for endpoint in endpoints] == [ears.url]


def test_a_running_stand_in_delivers_by_itself(ears: Ears) -> None:
    with running(webhook_url=ears.url, webhook_secret=SECRET) as url:
        for _ in range(20):
            client_of(url).v1.customers.create({})
        until(lambda: len(ears.events) == 20)

    assert set(ears.types) == {"customer.created"}
