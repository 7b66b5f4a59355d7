"""Twice is the same as once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from stripe_sandbox.messages import ConnectionCutError
from tests.paypal_sandbox.conftest import WHOLE, Client, Clock

HOUR = 3600


def captures_made(client: Client) -> int:
    return client.events.count("PAYMENT.CAPTURE.COMPLETED")


def test_a_repetition_answers_with_the_latest_status(client: Client) -> None:
    first = client.pay(request_id="attempt:1")
    capture = first.body["purchase_units"][0]["payments"]["captures"][0]
    client.refund(capture, "4.00")

    again = client.pay(value="99.00", request_id="attempt:1")

    unit = again.body["purchase_units"][0]
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert unit["amount"]["value"] == "10.00"
    assert unit["payments"]["captures"][0]["status"] == "PARTIALLY_REFUNDED"
    assert unit["payments"]["refunds"][0]["amount"]["value"] == "4.00"
    assert captures_made(client) == 1


def test_a_refused_payment_is_refused_again_under_its_id(client: Client) -> None:
    first = client.pay("vault_declined", request_id="a")

    assert client.pay("vault_good", request_id="a").body == first.body
    assert client.pay("vault_good", request_id="b").status == 201


def test_what_was_not_even_tried_may_be_tried_again(client: Client) -> None:
    assert client.pay(value="ten", request_id="a").status == 400

    assert client.pay(request_id="a").status == 201


def test_an_id_is_forgotten_after_six_hours(client: Client, clock: Clock) -> None:
    first = client.pay(request_id="a").body["id"]
    clock.now += 6 * HOUR - 1
    assert client.pay(request_id="a").body["id"] == first

    clock.now += 1

    assert client.pay(request_id="a").body["id"] != first


def test_refunds_have_ids_too(client: Client) -> None:
    capture = client.captured()
    path = f"/v2/payments/captures/{capture['id']}/refund"
    wish = {"amount": {"currency_code": "USD", "value": "3.00"}}
    first, again = (
        client.ask("POST", path, wish, WHOLE | {"PayPal-Request-Id": "r"}) for _ in range(2)
    )

    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body


def test_the_vault_minds_another_body(client: Client) -> None:
    def exchange(token_id: str) -> str:
        wish = {"payment_source": {"token": {"id": token_id, "type": "SETUP_TOKEN"}}}
        answer = client.ask("POST", "/v3/vault/payment-tokens", wish, {"PayPal-Request-Id": "t"})
        return str(answer.issue if answer.status == 422 else answer.body["id"])

    assert exchange("vault_good") == exchange("vault_good")
    assert exchange("vault_closed") == "PAYPAL_REQUEST_ID_PREVIOUSLY_USED"


def test_two_at_once_are_one_payment(client: Client) -> None:
    client.control("POST", "faults", action="slow", delay=0.2, path="/v2/checkout/orders")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.pay(request_id="a"), range(2)))

    statuses = sorted(answer.status for answer in answers)
    assert statuses == [201, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.issue == "PREVIOUS_REQUEST_IN_PROGRESS"
    assert captures_made(client) == 1


@pytest.mark.parametrize("action", ["500", "502", "503"])
def test_a_lost_answer_is_found_again(client: Client, action: str) -> None:
    client.control("POST", "faults", action=action, moment="after", path="/v2/checkout/*")
    assert client.pay(request_id="a").status == int(action)

    assert client.pay(request_id="a").status == 200
    assert captures_made(client) == 1


def test_a_cut_connection_can_be_asked_again(client: Client) -> None:
    client.control("POST", "faults", action="cut", moment="after", path="/v2/*")
    with pytest.raises(ConnectionCutError):
        client.pay(request_id="a")
    client.control("POST", "faults", action="cut", moment="before", path="/v2/*")
    with pytest.raises(ConnectionCutError):
        client.pay(request_id="b")

    assert (client.pay(request_id="a").status, client.pay(request_id="b").status) == (200, 201)
