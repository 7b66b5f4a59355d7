"""Checkout: what a person sees and does, by plain forms over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.browser import Visit, visit
from tests.stripe_sandbox.conftest import Clock

OK = "http://shop.test/done?session={CHECKOUT_SESSION_ID}&plan=pro"
NO = "http://shop.test/plans"


def saving(api: stripe.V1Services, **more: Any) -> stripe.checkout.Session:
    wish: Any = {
        "mode": "setup",
        "currency": "usd",
        "success_url": OK,
        "cancel_url": NO,
        **more,
    }
    return api.checkout.sessions.create(wish)


def paying(api: stripe.V1Services, **more: Any) -> stripe.checkout.Session:
    wish: Any = {
        "mode": "payment",
        "success_url": OK,
        "cancel_url": NO,
        "line_items": [
            {
                "quantity": 2,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 625,
                    "product_data": {"name": "Honey & <wax>"},
                },
            }
        ],
        **more,
    }
    return api.checkout.sessions.create(wish)


def enter(page: Visit, number: str, **more: str) -> Visit:
    """Fill in the card and press the main button, whatever it says."""
    button = next(text for text in page.buttons if text.startswith(("Save", "Pay")))
    return page.send(button, **{"card_number": number, "expiry": "12 / 34", "cvc": "123"} | more)


def test_a_card_is_saved(remote: stripe.V1Services) -> None:
    alice = remote.customers.create({})
    session = saving(remote, customer=alice.id, setup_intent_data={"metadata": {"for": "later"}})
    assert (session.status, session.payment_status) == ("open", "no_payment_required")

    page = visit(str(session.url))
    assert page.status == 200
    assert "Stand-in, no money moves" in page.text
    assert list(page.fields) == ["Card number", "Expiry", "CVC", "Name on card (optional)"]
    assert list(page.buttons) == ["Save card", "Cancel and go back"]
    done = enter(page, "4242 4242 4242 4242", name_on_card="Alice Liddell")

    assert (done.status, done.location) == (
        303,
        f"http://shop.test/done?session={session.id}&plan=pro",
    )
    after = remote.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (after.status, after.url, after.customer) == ("complete", None, alice.id)
    assert after["setup_intent"]["status"] == "succeeded"
    assert after["setup_intent"]["metadata"]["for"] == "later"
    method = remote.payment_methods.retrieve(after["setup_intent"]["payment_method"])
    assert method.customer == alice.id
    assert method.billing_details.name == "Alice Liddell"
    assert method.card is not None
    assert (method.card.last4, method.card.exp_month, method.card.exp_year) == ("4242", 12, 2034)
    told = remote.events.list({"type": "checkout.session.completed"}).data[0]
    assert told.data.object["id"] == session.id


def test_a_payment_is_made(remote: stripe.V1Services) -> None:
    alice = remote.customers.create({})
    session = paying(
        remote,
        customer=alice.id,
        payment_intent_data={"metadata": {"invoice": "7"}, "setup_future_usage": "off_session"},
    )
    assert (session.amount_total, session.currency, session.payment_intent) == (1250, "usd", None)

    page = visit(str(session.url))
    assert "Honey &amp; &lt;wax&gt; × 2" in page.text
    assert list(page.buttons) == ["Pay 12.50 USD", "Cancel and go back"]
    done = enter(page, "5555555555554444")

    assert done.status == 303
    after = remote.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge", "line_items"]}
    )
    assert (after.status, after.payment_status) == ("complete", "paid")
    intent = after["payment_intent"]
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 1250)
    assert intent["latest_charge"]["metadata"]["invoice"] == "7"
    assert intent["latest_charge"]["payment_method_details"]["card"]["brand"] == "mastercard"
    assert len(remote.customers.payment_methods.list(alice.id).data) == 1
    items = remote.checkout.sessions.line_items.list(session.id).data
    assert [(item.description, item.quantity, item.amount_total) for item in items] == [
        ("Honey & <wax>", 2, 1250)
    ]
    assert after.line_items is not None
    assert after.line_items.data[0].id == items[0].id


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"card_number": "4000000000000002"}, "Your card was declined."),
        ({"card_number": "4000000000009995"}, "Your card has insufficient funds."),
        ({"card_number": "4000000000000127"}, "Your card&#x27;s security code is incorrect."),
        ({"card_number": "4242424242424241"}, "Your card number is incorrect."),
        ({"card_number": "4111111111111111"}, "used a non test card"),
        ({"expiry": "soon"}, "expiry is incomplete"),
        ({"expiry": "13/34"}, "expiration month is invalid"),
        ({"expiry": "01/20"}, "expiration year is invalid"),
        ({"cvc": ""}, "security code is invalid"),
    ],
)
@pytest.mark.parametrize("mode", [saving, paying])
def test_a_refused_card_can_be_followed_by_another(
    remote: stripe.V1Services, mode: Any, entry: dict[str, str], message: str
) -> None:
    session = mode(remote, customer=remote.customers.create({}).id)
    page = visit(str(session.url))

    again = enter(page, **{"number": "4242424242424242"} | rename(entry))

    assert again.status == 402
    assert 'role="alert"' in again.text
    assert message in again.text
    assert entry.get("card_number", "no number") not in again.text
    assert remote.checkout.sessions.retrieve(session.id).status == "open"
    assert enter(again, "4242424242424242").status == 303
    assert remote.checkout.sessions.retrieve(session.id).status == "complete"


def rename(entry: dict[str, str]) -> Any:
    return {"number" if name == "card_number" else name: value for name, value in entry.items()}


@pytest.mark.parametrize("mode", [saving, paying])
def test_a_challenge_is_passed_on_the_way(remote: stripe.V1Services, mode: Any) -> None:
    session = mode(remote, customer=remote.customers.create({}).id)

    sent = enter(visit(str(session.url)), "4000002500003155")
    challenge = visit(str(sent.location))
    assert list(challenge.buttons) == ["Complete authentication", "Fail authentication"]
    assert "Stand-in, no money moves" in challenge.text
    back = challenge.send("Complete authentication")
    done = visit(str(back.location))

    assert (done.status, done.location) == (
        303,
        f"http://shop.test/done?session={session.id}&plan=pro",
    )
    assert remote.checkout.sessions.retrieve(session.id).status == "complete"


@pytest.mark.parametrize("mode", [saving, paying])
def test_a_failed_challenge_leads_back_to_the_form(remote: stripe.V1Services, mode: Any) -> None:
    session = mode(remote, customer=remote.customers.create({}).id)

    sent = enter(visit(str(session.url)), "4000002760003184")
    back = visit(str(sent.location)).send("Fail authentication")
    form = visit(str(back.location))

    assert form.status == 402
    assert "authentication" in form.text
    assert enter(visit(str(session.url)), "4242424242424242").status == 303


def test_a_challenge_may_be_followed_by_a_decline(remote: stripe.V1Services) -> None:
    session = paying(remote, customer=remote.customers.create({}).id)

    sent = enter(visit(str(session.url)), "4000008400001629")
    back = visit(str(sent.location)).send("Complete authentication")

    assert "redirect_status=failed" in str(back.location)
    assert "Your card was declined." in visit(str(back.location)).text


def test_going_back_changes_nothing(remote: stripe.V1Services) -> None:
    session = saving(remote)

    left = visit(str(session.url)).send("Cancel and go back")

    assert (left.status, left.location) == (303, NO)
    assert remote.checkout.sessions.retrieve(session.id).status == "open"
    alone = saving(remote, cancel_url="http://x.test/")
    assert "Cancel and go back" in visit(str(alone.url)).buttons


def test_a_used_page_says_so(remote: stripe.V1Services) -> None:
    session = saving(remote)
    address = str(session.url)
    page = visit(address)
    enter(page, "4242424242424242")

    for again in (visit(address), enter(page, "4242424242424242")):
        assert again.status == 410
        assert "This page has been used" in again.text
        assert f"http://shop.test/done?session={session.id}&amp;plan=pro" in again.text


def test_an_expired_page_says_so(remote: stripe.V1Services) -> None:
    session = saving(remote)
    address = str(session.url)
    expired = remote.checkout.sessions.expire(session.id)

    assert (expired.status, expired.url) == ("expired", None)
    page = visit(address)
    assert page.status == 410
    assert "This page has expired" in page.text
    assert f'href="{NO}"' in page.text
    assert remote.setup_intents.retrieve(str(session.setup_intent)).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        remote.checkout.sessions.expire(session.id)


def test_a_page_nobody_made_is_not_there(url: str) -> None:
    assert visit(f"{url}/c/pay/cs_test_0").status == 404
    assert visit(f"{url}/c/other").status == 404
    assert visit(f"{url}/3ds/pi_0?secret=x").status == 410


def test_sessions_expire_by_themselves(api: stripe.V1Services, clock: Clock) -> None:
    session = saving(api, expires_at=int(clock.now) + 1800)
    clock.now += 1801

    assert api.checkout.sessions.retrieve(session.id).status == "expired"
    assert api.events.list({"type": "checkout.session.expired"}).data != []


def test_a_customer_is_made_if_one_is_needed(remote: stripe.V1Services) -> None:
    guest = paying(remote)
    always = paying(remote, customer_creation="always", customer_email="bob@example.test")
    keeping = paying(remote, payment_intent_data={"setup_future_usage": "off_session"})
    for session in (guest, always, keeping):
        assert enter(visit(str(session.url)), "4242424242424242").status == 303

    assert remote.checkout.sessions.retrieve(guest.id).customer is None
    made = remote.checkout.sessions.retrieve(always.id, {"expand": ["customer"]})
    assert made["customer"]["email"] == "bob@example.test"
    kept = remote.checkout.sessions.retrieve(keeping.id).customer
    assert len(remote.customers.payment_methods.list(str(kept)).data) == 1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "shop.test"}, "success_url"),
        ({"customer": "cus_0"}, "customer"),
        ({"expires_at": 5}, "expires_at"),
        ({"ui_mode": "elements"}, "ui_mode"),
        ({"discounts": [{"coupon": "half"}]}, "discounts"),
        ({"line_items": [{"price": "price_0"}]}, "line_items[0][price]"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0][price]"),
    ],
)
def test_a_session_must_make_sense(
    api: stripe.V1Services, change: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        paying(api, **change)

    assert refusal.value.param == param
    assert api.checkout.sessions.list().data == []


def test_sessions_need_a_mode_an_address_and_what_it_is_about(api: stripe.V1Services) -> None:
    wrong: list[tuple[Any, str]] = [
        ({"success_url": OK}, "mode"),
        ({"mode": "setup", "currency": "usd"}, "success_url"),
        ({"mode": "setup", "success_url": OK}, "currency"),
    ]
    for wish, param in wrong:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.checkout.sessions.create(wish)
        assert refusal.value.param == param


def test_sessions_are_listed_by_what_they_are(api: stripe.V1Services) -> None:
    alice = api.customers.create({})
    first = saving(api, customer=alice.id, client_reference_id="17")
    api.checkout.sessions.update(first.id, {"metadata": {"a": "b"}})
    saving(api)

    found = api.checkout.sessions.list({"customer": alice.id, "status": "open"}).data

    assert [session.id for session in found] == [first.id]
    assert found[0].to_dict()["metadata"] == {"a": "b"}
    assert found[0].client_reference_id == "17"


def test_pages_run_nothing_and_keep_nothing(url: str, remote: stripe.V1Services) -> None:
    page = visit(str(saving(remote).url))

    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text
    assert "stripe" not in page.text.lower().replace(url, "")
    assert visit(f"{url}/_assets/style.css").status == 200


def test_a_bank_account_is_saved(remote: stripe.V1Services) -> None:
    alice = remote.customers.create({})
    session = saving(remote, customer=alice.id, currency="eur", payment_method_types=["sepa_debit"])
    page = visit(str(session.url))
    assert list(page.fields) == ["IBAN", "Account holder", "Email"]
    assert "you authorise" in page.text
    assert "Card number" not in page.text
    who = {"account_holder": "Alice Liddell", "email": "alice@example.test"}

    for wrong, message in (
        ({"iban": "AT61 1904 3002 3457 3202"}, "IBAN you provided is invalid"),
        ({"iban": "GB82WEST12345698765432"}, "published test IBANs"),
        ({"iban": "AT611904300234573201", "account_holder": ""}, "name and email"),
    ):
        again = page.send("Save bank account", **who | wrong)
        assert (again.status, message in again.text) == (402, True)
        assert wrong["iban"] not in again.text
    done = page.send("Save bank account", iban="AT61 1904 3002 3457 3201", **who)

    assert (done.status, str(done.location).startswith("http://shop.test/done")) == (303, True)
    after = remote.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.mandate"]})
    assert (after.status, after.payment_method_types) == ("complete", ["sepa_debit"])
    mandate = after["setup_intent"]["mandate"]
    assert mandate["status"] == "active"
    reference = mandate["payment_method_details"]["sepa_debit"]
    assert reference["reference"] in visit(reference["url"]).text
    method = remote.payment_methods.retrieve(after["setup_intent"]["payment_method"])
    assert (method.type, method.customer, method.billing_details.name) == (
        "sepa_debit",
        alice.id,
        "Alice Liddell",
    )


def test_a_page_may_offer_both(remote: stripe.V1Services) -> None:
    both = ["card", "sepa_debit"]
    first, second = (saving(remote, currency="eur", payment_method_types=both) for _ in range(2))
    page = visit(str(first.url))
    assert list(page.buttons) == ["Save card", "Cancel and go back", "Save bank account"]

    assert enter(page, "4242424242424242").status == 303
    holder = {"iban": "DE89370400440532013000", "account_holder": "A", "email": "a@example.test"}
    assert visit(str(second.url)).send("Save bank account", **holder).status == 303

    kinds = {
        remote.payment_methods.retrieve(str(intent.payment_method)).type
        for intent in remote.setup_intents.list({"limit": 2}).data
    }
    assert kinds == {"card", "sepa_debit"}


@pytest.mark.parametrize(
    ("mode", "change", "param"),
    [
        (saving, {"currency": "usd", "payment_method_types": ["sepa_debit"]}, "currency"),
        (saving, {"currency": "euro"}, "currency"),
        (saving, {"payment_method_types": ["pix"]}, "payment_method_types"),
        (paying, {"payment_method_types": ["sepa_debit"]}, "payment_method_types"),
    ],
)
def test_what_a_page_cannot_take_is_refused(
    api: stripe.V1Services, mode: Any, change: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        mode(api, **change)

    assert refusal.value.param == param
