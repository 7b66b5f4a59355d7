"""Who is let in."""

from __future__ import annotations

import base64

from paypal_sandbox.core import Options, Sandbox
from tests.paypal_sandbox.conftest import BASIC, Client, Clock

TOKEN = "/v1/oauth2/token"
GRANT = b"grant_type=client_credentials"


def test_a_token_is_good_for_nine_hours(client: Client, clock: Clock) -> None:
    got = client.ask("POST", TOKEN, GRANT, BASIC).body
    assert (got["token_type"], got["expires_in"]) == ("Bearer", 32_400)

    clock.now += 32_399
    assert client.ask("GET", "/v1/customer/disputes").status == 200
    clock.now += 1
    refused = client.ask("GET", "/v1/customer/disputes")

    assert (refused.status, refused.body["name"]) == (401, "AUTHENTICATION_FAILURE")
    assert refused.body["debug_id"] == refused.headers["PayPal-Debug-Id"]


def test_all_tokens_can_be_made_to_expire(client: Client) -> None:
    client.control("POST", "tokens/expire")

    assert client.pay().status == 401


def test_a_configured_client_is_the_only_one() -> None:
    sandbox = Sandbox(":memory:", Options(client=("client", "secret")))
    other = {"Authorization": f"Basic {base64.b64encode(b'client:wrong').decode()}"}
    refused = sandbox.handle("POST", TOKEN, GRANT, other)

    assert refused.status == 401
    assert b"invalid_client" in refused.body
    assert sandbox.handle("POST", TOKEN, GRANT, BASIC).status == 200
    assert sandbox.handle("POST", TOKEN, b"grant_type=password", BASIC).status == 400
    assert sandbox.handle("POST", TOKEN, GRANT).status == 401
    sandbox.close()
