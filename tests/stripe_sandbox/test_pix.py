"""Pix: a code is shown, and paid in time or not."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.payments import brcode
from tests.stripe_sandbox.browser import visit
from tests.stripe_sandbox.conftest import Clock, Control


def shown(api: stripe.V1Services, **more: Any) -> stripe.PaymentIntent:
    wish: Any = {
        "amount": 12345,
        "currency": "brl",
        "payment_method_types": ["pix"],
        "payment_method_data": {"type": "pix"},
        "confirm": True,
        **more,
    }
    return api.payment_intents.create(wish)


def code_of(intent: stripe.PaymentIntent) -> dict[str, Any]:
    found: dict[str, Any] = intent.to_dict()["next_action"]["pix_display_qr_code"]
    return found


def test_a_code_is_shown(api: stripe.V1Services, clock: Clock) -> None:
    intent = shown(api)

    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    code = code_of(intent)
    assert set(code) == {
        "data",
        "expires_at",
        "hosted_instructions_url",
        "image_url_png",
        "image_url_svg",
    }
    assert code["expires_at"] == clock.now + 24 * 3600
    text = code["data"]
    assert text.startswith("00020101021226")
    assert "0014br.gov.bcb.pix" in text
    assert "5406123.45" in text
    assert brcode.checksum(text[:-4]) == int(text[-4:], 16)
    # What any implementation of this checksum makes of the digits from one to nine.
    assert brcode.checksum("123456789") == 0x29B1
    assert api.events.list().data[0].type == "payment_intent.requires_action"


def test_a_code_is_paid_on_its_page(url: str, remote: stripe.V1Services) -> None:
    intent = shown(remote)
    address = code_of(intent)["hosted_instructions_url"]
    page = visit(address)
    assert "Stand-in, no money moves" in page.text
    assert code_of(intent)["data"] in page.text
    assert list(page.buttons) == ["Pay", "Let it expire"]
    assert visit(f"{url}/pix/{intent.id}?secret=guessed").status == 404
    assert b"<svg" in visit(code_of(intent)["image_url_svg"]).text.encode()

    assert "was made" in page.send("Pay").text

    paid = remote.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge.balance_transaction"]}
    )
    assert (paid.status, paid.amount_received, paid.next_action) == ("succeeded", 12345, None)
    charge = paid["latest_charge"]
    assert charge["payment_method_details"]["pix"]["bank_transaction_id"].startswith("E")
    entry = charge["balance_transaction"]
    assert (entry["type"], entry["fee"], entry["currency"]) == ("payment", 147, "brl")
    assert page.send("Let it expire").status == 410
    assert remote.payment_intents.retrieve(intent.id).status == "succeeded"
    assert remote.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_a_code_expires(api: stripe.V1Services, clock: Clock, control: Control) -> None:
    options = {"pix": {"expires_after_seconds": 60}}
    first = shown(api, payment_method_options=options)
    assert code_of(first)["expires_at"] == clock.now + 60
    second = shown(api, payment_method_options={"pix": {"expires_at": int(clock.now) + 90}})
    assert code_of(second)["expires_at"] == clock.now + 90

    clock.now += 60
    expired = api.payment_intents.retrieve(first.id)
    told = control("POST", "payments/settle", payment_intent=second.id, status="expired")

    for status, error in (
        (expired.status, expired.to_dict()["last_payment_error"]),
        (told["status"], told["last_payment_error"]),
    ):
        assert status == "requires_payment_method"
        assert error["code"] == "payment_intent_payment_attempt_expired"
    assert api.events.list().data[0].type == "payment_intent.payment_failed"
    again: Any = {"payment_method_data": {"type": "pix"}}
    assert api.payment_intents.confirm(first.id, again).status == "requires_action"


def test_a_code_is_settled_or_withdrawn(
    sandbox: Sandbox, *, api: stripe.V1Services, control: Control
) -> None:
    first, second = shown(api), shown(api)

    paid = control("POST", "payments/settle", payment_intent=first.id, status="succeeded")
    gone = api.payment_intents.cancel(second.id)

    assert (paid["status"], gone.status, gone.next_action) == ("succeeded", "canceled", None)
    page = sandbox.handle("GET", f"/pix/{second.id}", f"secret={second.client_secret}")
    assert page.status == 410
    assert b"was canceled" in page.body
    # A Pix code is no card's challenge.
    third = shown(api)
    assert sandbox.handle("GET", f"/3ds/{third.id}", f"secret={third.client_secret}").status == 410


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"currency": "usd"}, "currency"),
        ({"payment_method_types": ["card"]}, "payment_method"),
        ({"payment_method_options": {"pix": {"expires_after_seconds": 5}}}, None),
        ({"payment_method_data": {"type": "boleto"}}, "payment_method_data[type]"),
    ],
)
def test_what_is_no_pix_is_refused(
    api: stripe.V1Services, change: dict[str, Any], param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shown(api, **change)

    assert refusal.value.param == (param or "payment_method_options[pix]")
