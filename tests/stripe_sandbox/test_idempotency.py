"""The same request twice is one request."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from tests.stripe_sandbox.conftest import KEY, Clock, Control


def create(api: stripe.V1Services, key: str, **params: Any) -> stripe.Customer:
    return api.customers.create(params, {"idempotency_key": key})  # type: ignore[arg-type]


def headers_of(customer: stripe.Customer) -> Any:
    assert customer.last_response is not None
    return customer.last_response.headers


def test_a_repeated_request_is_answered_from_memory(api: stripe.V1Services) -> None:
    first = create(api, "k1", description="one")
    again = create(api, "k1", description="one")

    assert again.to_dict() == first.to_dict()
    assert headers_of(again)["Idempotent-Replayed"] == "true"
    assert headers_of(again)["Original-Request"] == headers_of(first)["Request-Id"]
    assert headers_of(again)["Request-Id"] != headers_of(first)["Request-Id"]
    assert "Idempotent-Replayed" not in headers_of(first)
    assert len(api.customers.list().data) == 1


def test_the_order_of_parameters_does_not_matter(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
    first = sandbox.handle("POST", "/v1/customers", "name=a&description=b", headers)
    again = sandbox.handle("POST", "/v1/customers", "description=b&name=a", headers)

    assert again.body == first.body


def test_a_key_is_for_one_set_of_parameters(api: stripe.V1Services) -> None:
    create(api, "k1", description="one")

    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refusal:
        create(api, "k1", description="two")

    assert refusal.value.http_status == 400
    assert refusal.value.error is not None
    assert refusal.value.error.type == "idempotency_error"


def test_a_key_is_for_one_endpoint(api: stripe.V1Services) -> None:
    create(api, "k1")

    with pytest.raises(stripe.IdempotencyError, match=r"'/v1/products' vs '/v1/customers'"):
        api.products.create({"name": "Honey"}, {"idempotency_key": "k1"})


def test_a_key_may_be_used_again_after_a_day(api: stripe.V1Services, clock: Clock) -> None:
    first = create(api, "k1")
    clock.now += 24 * 3600 + 1

    assert create(api, "k1").id != first.id


def test_a_refused_card_is_refused_again_without_a_second_try(
    api: stripe.V1Services, alice: stripe.Customer
) -> None:
    wish: Any = {
        "amount": 500,
        "currency": "usd",
        "customer": alice.id,
        "payment_method": "pm_card_chargeDeclined",
        "payment_method_types": ["card"],
        "confirm": True,
    }
    refusals = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            api.payment_intents.create(wish, {"idempotency_key": "k1"})
        refusals.append(refusal.value)

    assert refusals[0].json_body == refusals[1].json_body
    assert refusals[1].headers["idempotent-replayed"] == "true"  # type: ignore[index]
    assert len(api.charges.list().data) == 1


def test_a_request_that_could_not_be_read_may_be_mended_under_its_key(
    api: stripe.V1Services,
) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        create(api, "k1", colour="red")

    assert create(api, "k1", description="mended").description == "mended"


def test_a_server_error_is_replayed_too(api: stripe.V1Services, control: Control) -> None:
    control("POST", "faults", action="500", path="/v1/customers")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failure:
            create(api, "k1")
        assert failure.value.http_status == 500

    assert api.customers.list().data == []


def test_reading_has_no_key(sandbox: Sandbox, api: stripe.V1Services) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
    before = sandbox.handle("GET", "/v1/customers", "", headers)
    api.customers.create({})
    after = sandbox.handle("GET", "/v1/customers", "", headers)

    assert before.body != after.body


def test_a_key_can_be_too_long(api: stripe.V1Services) -> None:
    with pytest.raises(stripe.IdempotencyError, match="at most 255"):
        create(api, "k" * 256)


def test_two_at_once_with_one_key_are_one(
    sandbox: Sandbox, api: stripe.V1Services, control: Control
) -> None:
    """While the first is under way the second is told so; afterwards it gets the answer."""
    control("POST", "faults", action="slow", moment="before", delay=30)
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}

    def ask() -> int:
        return sandbox.handle("POST", "/v1/customers", "", headers).status

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask)
        wait_until_used(control)
        assert ask() == 409
        sandbox.state.stopping.set()  # wakes the slow one
        assert slow.result() == 200
    assert ask() == 200
    assert len(api.customers.list().data) == 1


def wait_until_used(control: Control) -> None:
    pause = threading.Event()
    while control("GET", "faults")["data"]:
        pause.wait(0.005)


def test_fifty_at_once_with_one_key_make_one_charge(
    sandbox: Sandbox, api: stripe.V1Services, alice: stripe.Customer
) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
    form = (
        f"amount=500&currency=usd&customer={alice.id}&payment_method=pm_card_visa"
        "&payment_method_types[]=card&confirm=true"
    )

    def ask(_: int) -> int:
        return sandbox.handle("POST", "/v1/payment_intents", form, headers).status

    with ThreadPoolExecutor(16) as pool:
        statuses = set(pool.map(ask, range(50)))

    assert statuses <= {200, 409}
    assert len(api.charges.list({"limit": 100}).data) == 1
