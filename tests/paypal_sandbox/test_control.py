"""Calls fail when told to, the log tells all, and people can watch."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.paypal_sandbox.conftest import Client


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("500", "INTERNAL_SERVER_ERROR"),
        ("503", "SERVICE_UNAVAILABLE"),
        ("429", "RATE_LIMIT_REACHED"),
    ],
)
def test_the_next_call_fails_and_the_one_after_does_not(
    client: Client, action: str, name: str
) -> None:
    client.control("POST", "faults", action=action, path="/v2/checkout/*", method="POST")

    failed = client.pay(request_id="a")

    assert (failed.status, failed.body["name"]) == (int(action), name)
    assert client.events == []
    assert client.pay(request_id="a").status == 201


def test_everything_asked_is_on_record_but_the_secret(client: Client) -> None:
    client.pay(custom_id="attempt:1", request_id="r-1")
    client.ask("GET", "/v2/checkout/orders/NOBODYS")

    log = client.control("GET", "requests")["data"]

    assert [(entry["method"], entry["path"], entry["status"]) for entry in log] == [
        ("POST", "/v1/oauth2/token", 200),
        ("POST", "/v2/checkout/orders", 201),
        ("GET", "/v2/checkout/orders/NOBODYS", 404),
    ]
    assert log[1]["params"]["purchase_units"][0]["custom_id"] == "attempt:1"
    assert log[1]["headers"]["paypal-request-id"] == "r-1"
    assert client.token not in json.dumps(log)
    assert "Basic" not in json.dumps(log)


def test_reset_forgets_what_happened(client: Client) -> None:
    capture = client.captured(request_id="a")
    client.control("POST", "reporting", lag=60)
    merchant = client.sandbox.state.merchant_id

    client.control("POST", "reset")

    fresh = Client(client.sandbox)
    assert fresh.ask("GET", f"/v2/payments/captures/{capture['id']}").status == 404
    assert fresh.captured(request_id="a")["id"] != capture["id"]
    assert (fresh.sandbox.state.merchant_id, fresh.sandbox.state.lag) == (merchant, 0)


def test_a_wish_it_does_not_understand_is_explained(client: Client) -> None:
    known = client.ask("GET", "/_control/unheard_of").body["error"]["known"]
    assert "POST /_control/captures/settle" in known
    assert not any("clock" in name for name in known)
    assert client.ask("POST", "/_control/captures/settle", {"capture": "X"}).status == 400
    wish = {"capture": "X", "status": "completed"}
    assert client.ask("POST", "/_control/captures/settle", wish).status == 404
    foreign = {"Origin": "http://evil.test", "Host": "127.0.0.1:12112"}
    assert client.ask("POST", "/_control/reset", None, foreign).status == 403


def test_people_can_watch_and_control(client: Client) -> None:
    capture = client.captured("vault_pending", custom_id="<b>")
    page = client.ask("GET", "/").raw.decode()
    assert capture["id"] in page
    assert "PAYMENT.CAPTURE.PENDING" in page
    assert "<b>" not in page

    def press(name: str, /, **form: str) -> int:
        return client.ask("POST", f"/_panel/{name}", urlencode(form).encode()).status

    assert press("settle", capture=capture["id"], status="completed") == 303
    assert press("settle", capture=capture["id"], status="completed") == 400
    assert press("dispute", capture=capture["id"]) == 303
    dispute = client.get("/v1/customer/disputes")["items"][0]["dispute_id"]
    assert press("decide", dispute=dispute, outcome="buyer") == 303
    assert press("fail", path="/v2/*", action="500", moment="before") == 303
    assert client.pay().status == 500
    assert client.get(f"/v2/payments/captures/{capture['id']}")["status"] == "REFUNDED"
