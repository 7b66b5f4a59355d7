"""Calls fail when told to, and the request log tells all."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.server import running
from tests.stripe_sandbox.conftest import KEY, Control, client_of


@pytest.mark.parametrize(
    ("action", "error", "status"),
    [
        ("500", stripe.APIError, 500),
        ("503", stripe.APIError, 503),
        ("429", stripe.RateLimitError, 429),
        ("cut", stripe.APIConnectionError, None),
    ],
)
def test_the_next_call_fails_and_the_one_after_does_not(
    api: stripe.V1Services,
    *,
    control: Control,
    action: str,
    error: type[Exception],
    status: int | None,
) -> None:
    control("POST", "faults", action=action, method="POST", path="/v1/customers*")
    api.customers.list()

    with pytest.raises(error) as failure:
        api.customers.create({})

    assert getattr(failure.value, "http_status", None) == status
    assert api.customers.list().data == []
    api.customers.create({})
    assert len(api.customers.list().data) == 1


@pytest.mark.parametrize("action", ["cut", "500"])
def test_the_answer_can_be_lost_after_the_work(
    api: stripe.V1Services, control: Control, alice: stripe.Customer, action: str
) -> None:
    wish: Any = {
        "amount": 500,
        "currency": "usd",
        "customer": alice.id,
        "payment_method": "pm_card_visa",
        "payment_method_types": ["card"],
        "confirm": True,
    }
    control("POST", "faults", action=action, moment="after", path="/v1/payment_intents")
    with pytest.raises((stripe.APIConnectionError, stripe.APIError)):
        api.payment_intents.create(wish, {"idempotency_key": "attempt:1"})

    assert [charge.status for charge in api.charges.list().data] == ["succeeded"]
    if action == "cut":
        paid = api.payment_intents.create(wish, {"idempotency_key": "attempt:1"})
        assert paid.status == "succeeded"
    else:
        with pytest.raises(stripe.APIError):
            api.payment_intents.create(wish, {"idempotency_key": "attempt:1"})
    assert len(api.charges.list().data) == 1


def test_a_rate_limited_call_may_be_made_again_with_its_key(
    api: stripe.V1Services, control: Control
) -> None:
    control("POST", "faults", action=429, times=2)
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            api.customers.create({}, {"idempotency_key": "k"})

    assert api.customers.create({}, {"idempotency_key": "k"}).id


def test_even_a_known_key_is_turned_away(api: stripe.V1Services, control: Control) -> None:
    first = api.customers.create({}, {"idempotency_key": "k"})
    control("POST", "faults", action="429")

    with pytest.raises(stripe.RateLimitError):
        api.customers.create({}, {"idempotency_key": "k"})
    assert api.customers.create({}, {"idempotency_key": "k"}).id == first.id


def test_faults_can_be_seen_and_taken_back(api: stripe.V1Services, control: Control) -> None:
    control("POST", "faults", action="cut", times=3)

    assert [fault["times"] for fault in control("GET", "faults")["data"]] == [3]
    control("DELETE", "faults")
    api.customers.create({})


@pytest.mark.parametrize(
    "wish",
    [
        {"action": "explode"},
        {"moment": "meanwhile"},
        {"colour": "red"},
        {"times": 0},
        {"delay": "long"},
        {"delay": -1},
    ],
)
def test_a_fault_must_be_one(sandbox: Sandbox, wish: dict[str, Any]) -> None:
    answer = sandbox.handle("POST", "/_control/faults", json.dumps(wish))

    assert answer.status == 400
    assert sandbox.handle("POST", "/_control/faults", "{").status == 400


def test_the_sdk_tries_again_by_itself_and_charges_once() -> None:
    """A connection cut after the work: the SDK's own retry finds the kept answer."""
    with running() as url:
        api = client_of(url, max_network_retries=1).v1
        alice = api.customers.create({})
        plan_cut(url)
        paid = api.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": alice.id,
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        charges = api.charges.list().data

    assert paid.status == "succeeded"
    assert len(charges) == 1


def plan_cut(url: str) -> None:
    wish = json.dumps({"action": "cut", "moment": "after", "path": "/v1/payment_intents"})
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("POST", "/_control/faults", wish)
    assert connection.getresponse().status == 200
    connection.close()


def test_everything_asked_is_on_record_but_the_key(
    sandbox: Sandbox, api: stripe.V1Services, control: Control
) -> None:
    alice = api.customers.create({"metadata": {"bursar": "17"}}, {"idempotency_key": "c:17"})
    colour: Any = {"colour": "red"}
    with pytest.raises(stripe.InvalidRequestError):
        api.customers.update(alice.id, colour)
    api.customers.list({"limit": 3})
    sandbox.handle("GET", "/v1/customers", "", {"Authorization": "Bearer sk_live_secret"})

    log = control("GET", "requests")["data"]

    assert [(entry["method"], entry["path"], entry["status"]) for entry in log] == [
        ("POST", "/v1/customers", 200),
        ("POST", f"/v1/customers/{alice.id}", 400),
        ("GET", "/v1/customers", 200),
        ("GET", "/v1/customers", 401),
    ]
    assert log[0]["params"] == {"metadata": {"bursar": "17"}}
    assert log[0]["headers"]["idempotency-key"] == "c:17"
    assert log[0]["id"].startswith("req_")
    assert log[1]["error"] == "Received unknown parameter: colour"
    assert KEY not in json.dumps(log)
    assert "sk_live_secret" not in json.dumps(log)


def test_the_log_can_be_narrowed_down_and_cleared(api: stripe.V1Services, control: Control) -> None:
    api.customers.create({})
    api.products.create({"name": "Honey"})

    only = control("GET", "requests", path="/v1/products", method="POST")["data"]
    assert [entry["path"] for entry in only] == ["/v1/products"]
    control("DELETE", "requests")
    assert control("GET", "requests")["data"] == []


def test_a_cut_call_is_on_record_too(api: stripe.V1Services, control: Control) -> None:
    control("POST", "faults", action="cut")
    with pytest.raises(stripe.APIConnectionError):
        api.customers.create({})

    control("POST", "faults", action="cut", moment="after")
    with pytest.raises(stripe.APIConnectionError):
        api.customers.create({})

    assert [entry["status"] for entry in control("GET", "requests")["data"]] == [None, None]


def test_reset_forgets_everything_but_the_account(api: stripe.V1Services, control: Control) -> None:
    account = api.accounts.retrieve_current().id
    alice = api.customers.create({}, {"idempotency_key": "k"})
    control("POST", "webhooks", paused=True)
    control("POST", "faults", times=5, path="/v1/nothing")

    control("POST", "reset")

    assert api.customers.list().data == []
    assert api.customers.create({}, {"idempotency_key": "k"}).id != alice.id
    assert api.accounts.retrieve_current().id == account
    assert control("GET", "faults")["data"] == []
    assert control("GET", "webhooks")["knobs"]["paused"] is False


def test_an_unknown_control_is_answered_with_those_there_are(sandbox: Sandbox) -> None:
    answer = sandbox.handle("GET", "/_control/unheard_of")

    assert answer.status == 404
    assert "POST /_control/faults" in json.loads(answer.body)["error"]["known"]


def test_a_page_of_another_site_controls_nothing(sandbox: Sandbox) -> None:
    foreign = {"Origin": "http://evil.test", "Host": "127.0.0.1:12111"}

    assert sandbox.handle("POST", "/_control/reset", "", foreign).status == 403
    assert sandbox.handle("POST", "/_panel/forget", "", foreign).status == 403
    own = {"Origin": "http://127.0.0.1:12111", "Host": "127.0.0.1:12111"}
    assert sandbox.handle("POST", "/_control/reset", "", own).status == 200
