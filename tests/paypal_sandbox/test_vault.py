"""A payer agrees on the page; the merchant gets something to charge."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.paypal_sandbox.conftest import Client, Heard

SETUPS, TOKENS, PAGE = "/v3/vault/setup-tokens", "/v3/vault/payment-tokens", "/agreements/approve"


def begin(client: Client, **customer: str) -> Any:
    """Ask for a setup token."""
    wish = {
        "customer": customer,
        "payment_source": {
            "paypal": {
                "description": "Honey <monthly>",
                "usage_type": "MERCHANT",
                "experience_context": {
                    "return_url": "http://shop.test/back?basket=7",
                    "cancel_url": "http://shop.test/off",
                },
            }
        },
    }
    answer = client.ask("POST", SETUPS, wish)
    assert answer.status == 201, answer.raw
    return answer.body


def press(client: Client, setup_id: str, action: str, account: str = "good") -> Heard:
    """Press a button of the page."""
    form = {"approval_session_id": setup_id, "account": account, "action": action}
    return client.ask("POST", PAGE, urlencode(form).encode(), {"Authorization": ""})


def exchange(client: Client, setup_id: str) -> Heard:
    """Ask for a payment token."""
    token = {"id": setup_id, "type": "SETUP_TOKEN"}
    return client.ask("POST", TOKENS, {"payment_source": {"token": token}})


def href(body: Any, rel: str) -> str:
    """Where a link leads, below the stand-in's own address."""
    found = next(link["href"] for link in body["links"] if link["rel"] == rel)
    assert found.startswith("http://paypal.test/")
    return str(found.removeprefix("http://paypal.test"))


def test_what_the_payer_agrees_to_can_be_charged(client: Client) -> None:
    setup = begin(client, id="bursar-17")
    assert (setup["status"], setup["customer"]["id"]) == ("PAYER_ACTION_REQUIRED", "bursar-17")
    page = client.ask("GET", href(setup, "approve"))
    assert b"no money moves" in page.raw
    assert b"Honey &lt;monthly&gt;" in page.raw
    assert b"<label for=" in page.raw

    back = urlsplit(press(client, setup["id"], "approve").headers["Location"])
    assert (back.netloc, back.path) == ("shop.test", "/back")
    assert parse_qs(back.query) == {
        "basket": ["7"],
        "approval_token_id": [setup["id"]],
        "approval_session_id": [setup["id"]],
    }
    assert client.get(f"{SETUPS}/{setup['id']}")["status"] == "APPROVED"

    token = exchange(client, setup["id"]).body
    paypal = token["payment_source"]["paypal"]
    assert (token["customer"]["id"], paypal["email_address"], paypal["usage_type"]) == (
        "bursar-17", "good@payer.example", "MERCHANT",
    )  # fmt: skip
    assert client.pay(token["id"]).status == 201
    assert client.get(href(token, "self")) == token
    listed = client.get(f"{TOKENS}?customer_id=bursar-17&total_required=true")
    assert (listed["payment_tokens"], listed["total_items"]) == ([token], 1)
    told = client.event("VAULT.PAYMENT-TOKEN.CREATED")
    assert (told["resource_type"], told["resource"]["id"]) == ("payment_token", token["id"])


def test_the_account_chosen_on_the_page_is_the_one_that_pays(client: Client) -> None:
    setup = begin(client)
    press(client, setup["id"], "approve", "declined")

    assert client.pay(exchange(client, setup["id"]).body["id"]).issue == "INSTRUMENT_DECLINED"


def test_a_setup_token_is_agreed_to_first_and_used_once(client: Client) -> None:
    setup = begin(client)
    assert exchange(client, setup["id"]).issue == "PAYER_ACTION_REQUIRED"
    press(client, setup["id"], "approve")
    assert exchange(client, setup["id"]).status == 201

    assert exchange(client, setup["id"]).issue == "SETUP_TOKEN_ALREADY_TOKENIZED"
    assert exchange(client, "NOBODYS0000000000").status == 404
    assert client.ask("GET", href(setup, "approve")).status == 410


def test_who_cancels_has_agreed_to_nothing(client: Client) -> None:
    setup = begin(client)
    back = press(client, setup["id"], "cancel")

    assert back.headers["Location"].startswith("http://shop.test/off?approval_token_id=")
    assert client.get(f"{SETUPS}/{setup['id']}")["status"] == "PAYER_ACTION_REQUIRED"


def test_another_site_cannot_agree(client: Client) -> None:
    setup = begin(client)
    form = urlencode({"approval_session_id": setup["id"], "action": "approve"}).encode()
    foreign = {"Origin": "http://evil.test", "Host": "127.0.0.1:12112"}

    assert client.ask("POST", PAGE, form, foreign).status == 403


@pytest.mark.parametrize(
    ("wish", "issue"),
    [
        ({}, "MISSING_REQUIRED_PARAMETER"),
        ({"payment_source": {"card": {}}}, "NOT_SUPPORTED"),
        ({"payment_source": {"paypal": {}}}, "MISSING_REQUIRED_PARAMETER"),
        ({"payment_source": {"paypal": {"usage_type": "FUN"}}}, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_what_is_missing_is_named(client: Client, wish: Any, issue: str) -> None:
    answer = client.ask("POST", SETUPS, wish)

    assert (answer.status, answer.issue) == (400, issue)


def test_a_deleted_token_cannot_be_charged(client: Client) -> None:
    for token_id in ("vault_good", exchange(client, "vault_good").body["id"]):
        assert client.ask("DELETE", f"{TOKENS}/{token_id}").status == 204
        assert client.ask("DELETE", f"{TOKENS}/{token_id}").status == 204
        assert client.ask("GET", f"{TOKENS}/{token_id}").status == 404
        assert client.pay(token_id).issue == "AGREEMENT_ALREADY_CANCELLED"

    assert client.events.count("VAULT.PAYMENT-TOKEN.DELETED") == 2
    assert client.pay("nobodys").issue == "TOKEN_ID_NOT_FOUND"
