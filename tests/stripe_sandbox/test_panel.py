"""The page from which people watch and control the stand-in."""

from __future__ import annotations

import stripe

from stripe_sandbox.core import Sandbox
from tests.stripe_sandbox.browser import visit
from tests.stripe_sandbox.conftest import Control


def test_it_shows_what_was_asked_and_told(url: str, remote: stripe.V1Services) -> None:
    alice = remote.customers.create({"metadata": {"who": "<alice>"}})

    page = visit(url + "/")

    assert page.status == 200
    assert "POST /v1/customers" in page.text
    assert "customer.created" in page.text
    assert alice.id in page.text
    assert "&lt;alice&gt;" in page.text
    assert "<alice>" not in page.text


def test_the_next_call_can_be_made_to_fail(url: str, remote: stripe.V1Services) -> None:
    page = visit(url + "/")
    answer = visit(
        url + "/_panel/fail",
        {"path": "/v1/products", "action": "500", "moment": "before", "delay": "0"},
    )
    assert answer.location == url + "/"
    assert "* /v1/products" in visit(url + "/").text
    assert "Let it fail" in page.buttons

    visit(url + "/_panel/forget", {})

    assert remote.products.create({"name": "Honey"}).id


def test_a_clock_can_be_advanced(url: str, remote: stripe.V1Services) -> None:
    clock = remote.test_helpers.test_clocks.create({"frozen_time": 1_767_225_600, "name": "<w>"})
    assert "&lt;w&gt;" in visit(url + "/").text

    visit(url + "/_panel/advance", {"clock": clock.id, "until": "2026-01-02T00:00"})

    assert remote.test_helpers.test_clocks.retrieve(clock.id).frozen_time == 1_767_312_000
    backwards = visit(url + "/_panel/advance", {"clock": clock.id, "until": "2025-01-02T00:00"})
    assert backwards.status == 400
    assert 'role="alert"' in backwards.text


def test_delivery_can_be_held_and_released(
    sandbox: Sandbox, api: stripe.V1Services, control: Control
) -> None:
    api.customers.create({})
    event = api.events.list().data[0].id

    sandbox.handle("POST", "/_panel/pause")
    assert control("GET", "webhooks")["knobs"]["paused"] is True
    assert b"Resume delivery" in sandbox.handle("GET", "/").body
    sandbox.handle("POST", "/_panel/pause")
    assert control("GET", "webhooks")["knobs"]["paused"] is False
    assert sandbox.handle("POST", "/_panel/drain").status == 303
    assert sandbox.handle("POST", "/_panel/resend", f"event={event}").status == 303
    assert sandbox.handle("POST", "/_panel/resend", "event=evt_0").status == 400


def test_payments_and_disputes_have_buttons(
    sandbox: Sandbox, api: stripe.V1Services, control: Control
) -> None:
    waiting = api.payment_intents.create(
        {
            "amount": 700,
            "currency": "brl",
            "payment_method_types": ["pix"],
            "payment_method_data": {"type": "pix"},
            "confirm": True,
        }
    )
    text = sandbox.handle("GET", "/").body.decode()
    assert "Payments that wait for a bank" in text
    assert "7.00 BRL" in text

    def press(action: str, form: str) -> str:
        assert sandbox.handle("POST", f"/_panel/{action}", form).status == 303
        return sandbox.handle("GET", "/").body.decode()

    text = press("settle", f"payment_intent={waiting.id}&status=succeeded")
    assert "Payments that wait for a bank" not in text
    charge = str(api.payment_intents.retrieve(waiting.id).latest_charge)
    assert f'value="{charge}"' in text
    text = press("dispute", f"charge={charge}")
    # A bank's word on a payment that is no card's is final.
    assert "Open disputes" not in text
    paid = api.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "payment_method": "pm_card_createDispute",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    dispute = api.disputes.list({"payment_intent": paid.id}).data[0]
    assert "Open disputes" in sandbox.handle("GET", "/").body.decode()
    assert "Open disputes" not in press("decide", f"dispute={dispute.id}&status=won")
    assert sandbox.handle("POST", "/_panel/payout", "currency=usd").status == 400
