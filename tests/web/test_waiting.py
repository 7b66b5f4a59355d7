"""Payments that wait for their payer, or for an answer: what the pages say and offer meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from billing import tasks
from billing.core.lifecycle import ActionKind
from billing.gateways.base import Action, Charge, ChargeStatus
from billing.models import Invoice, PaymentAttempt, PaymentMethod, Seller
from billing.services import payments, routes
from customers.models import Customer
from tests.services.paying import bill
from tests.web.conftest import Browser, People
from tests.web.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)

CODE = "00020101021226730014br.gov.bcb.pix2551pix.example/qr/v2/1"
ASKS = "Your bank asks you to confirm this payment"


def test_a_bank_that_asks_is_said_first_and_answered_by_one_button(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_action")
    people.world.at("2026-04-26 10:00")
    invoice = _charged(people, customer)

    home, page = alice.get("/billing/"), alice.get(_path(invoice))

    assert home.text.index(ASKS) < home.text.index("Premium Active A payment waits for you.")
    assert f"{ASKS}. $10.00 for invoice INV-000001, until 29 April 2026" in home.text
    assert f"{ASKS} $10.00, until 29 April 2026, 10:00 UTC." in page.text
    assert "To be paid with Visa •••• 3184. It waits for you." in page.text
    assert "Pay now" not in page.text
    assert _pending(home) == _pending(page) == []
    assert home.faults() == page.faults() == []
    assert "Thank you, it is paid." in alice.post(_path(invoice, "finish/")).text
    again = alice.post(_path(invoice, "finish/"))
    assert "This payment does not wait for you any more." in again.text


def test_who_comes_back_is_asked_about_and_not_believed(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _queue(monkeypatch)
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_action")
    invoice = _charged(people, customer)
    told.clear()

    page = alice.get(_path(invoice, "back/?payment_intent_client_secret=secret"))

    assert told == [("ask_charge", {"attempt_id": str(_attempt(invoice).pk)})]
    assert "secret" not in page.html
    assert "Your payment is being confirmed." in page.text
    assert "Finish the payment" not in page.text
    assert _pending(page) == ["?tries=2"]
    assert ASKS in alice.get(_path(invoice, "?tries=16")).text


def test_another_way_is_any_of_their_methods(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    people.world.adds_card(customer, "tok_action")
    good = PaymentMethod.objects.get(last4="4242")
    invoice = _charged(people, customer)

    page = alice.post(_path(invoice, "withdraw/"))

    assert "You can pay it another way now." in page.text
    assert "Not paid with Visa •••• 3184. The payment was withdrawn" in page.text
    assert "Pay now with Visa •••• 3184 Pay with Visa •••• 4242" in page.text
    assert page.faults() == []
    paid = alice.post(_path(invoice, "pay/"), method=str(good.pk))
    assert "Visa •••• 4242 is being charged." in paid.text
    assert _pending(paid) == ["?tries=1"]
    payments.collect(_attempt(invoice).pk, now=people.world.now)
    assert "Paid with Visa •••• 4242." in alice.get(_path(invoice)).text
    assert "does not wait for you" in alice.post(_path(invoice, "withdraw/")).text


def test_a_code_is_drawn_here_and_looks_for_its_money(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_processing")
    invoice = _charged(people, customer)
    until = datetime(2026, 4, 12, 9, tzinfo=UTC)
    _waits(invoice, Action(ActionKind.CODE, code=CODE, expires_at=until), people)

    page = alice.get(_path(invoice))

    assert "Pay with this code $10.00, until 12 April 2026, 09:00 UTC." in page.text
    assert CODE in page.text
    assert [a["viewbox"] for a in page.all("svg")]
    assert _pending(page) == ["?tries=1"]
    assert page.faults() == []
    assert "Pay with this code. $10.00" in alice.get("/billing/").text


def test_a_transfer_is_told_with_account_and_reference(people: People) -> None:
    Seller.objects.create(
        name="Wonderland Ltd",
        is_default=True,
        iban="DE89370400440532013000",
        bic="COBADEFFXXX",
        bank_name="Commerzbank",
        account_holder="Wonderland Receivables",
    )
    routes.update("bank_transfer", {"is_enabled": True}, by="olga", now=people.world.now)
    customer, alice = people.signs_up("alice")
    added = alice.post("/billing/payment-methods/add/", kind="bank_transfer")
    assert added.path == "/billing/payment-methods/"
    assert "From now on you pay by bank transfer." in added.text
    assert [a["value"] for a in added.all("button") if a.get("name") == "kind"] == ["card"]
    invoice = _charged(people, customer)

    page = alice.get(_path(invoice))

    told = (
        "Amount $10.00 Account holder Wonderland Receivables IBAN DE89 3704 0044 0532 0130 00"
        " BIC COBADEFFXXX Bank Commerzbank Reference RF69 INV0 0000 1"
    )
    assert f"paid once it has arrived. {told} Pay another way" in page.text
    assert f"Or by bank transfer {told}" in page.text  # on paper alone
    assert [a["class"] for a in page.all("section") if "print-only" in (a.get("class") or "")]
    assert "Your plan goes on" not in page.text
    assert page.faults() == []
    assert "Please transfer the amount. $10.00" in alice.get("/billing/").text


def test_a_transfer_without_an_account_says_whom_to_ask(people: People) -> None:
    routes.update("bank_transfer", {"is_enabled": True}, by="olga", now=people.world.now)
    customer, alice = people.signs_up("alice")
    alice.post("/billing/payment-methods/add/", kind="bank_transfer")

    page = alice.get(_path(_charged(people, customer)))

    assert "the reference INV-000001. Please ask us for our account." in page.text
    assert "Or by bank transfer" not in page.text


def test_what_is_owed_may_be_transferred_as_well(people: People) -> None:
    Seller.objects.create(name="Wonderland Ltd", is_default=True, iban="DE89370400440532013000")
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    invoice = bill(people.world, customer, "10.00")

    owed = "Or by bank transfer Amount $10.00 Account holder Wonderland Ltd IBAN DE89 3704"
    assert owed in alice.get(_path(invoice)).text
    payments.collect(people.world.charges(invoice).pk, now=people.world.now)
    assert "bank transfer" not in alice.get(_path(invoice)).text


def test_where_no_answer_came_nothing_is_paid_twice(people: People) -> None:
    Seller.objects.create(name="Wonderland Ltd", is_default=True, iban="DE89370400440532013000")
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_unavailable")
    invoice = _charged(people, customer)

    page = alice.get(_path(invoice))

    assert "Your payment is being confirmed with the bank. Nothing is charged twice" in page.text
    for offered in ("Pay now", "Pay another way", "bank transfer"):
        assert offered not in page.text
    assert _pending(page) == ["?tries=1"]
    refused = alice.post(_path(invoice, "pay/"))
    assert "There is nothing to pay on this invoice now." in refused.text


def test_a_gateway_that_is_switched_off_is_told_kindly(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer)
    invoice = bill(people.world, customer, "10.00")
    routes.update("sandbox", {"is_enabled": False}, by="olga", now=people.world.now)

    page = alice.post(_path(invoice, "pay/"))

    assert "This cannot be used at the moment. Please try again later" in page.text
    assert "sandbox" not in page.text.lower().replace("sandbox time", "")


def test_strangers_neither_finish_nor_withdraw_nor_pay(people: People, stranger: Browser) -> None:
    customer, alice = people.signs_up("alice")
    people.world.adds_card(customer, "tok_action")
    other, _ = people.signs_up("bob")
    people.world.adds_card(other)
    theirs = PaymentMethod.objects.get(customer=other)
    invoice = _charged(people, customer)

    for step in ("finish/", "withdraw/", "pay/"):
        assert stranger.client.post(_path(invoice, step)).status_code == 404
    assert stranger.status_of(_path(invoice, "back/")) == 404
    assert _attempt(invoice).status == "ACTION_REQUIRED"
    alice.post(_path(invoice, "withdraw/"))
    for method in (str(theirs.pk), str(uuid4()), "nonsense"):
        assert alice.post(_path(invoice, "pay/"), method=method).status == 404


def _charged(people: People, customer: Customer) -> Invoice:
    """An invoice that was charged while the customer was away."""
    invoice = bill(people.world, customer, "10.00")
    payments.collect(people.world.charges(invoice).pk, now=people.world.now)
    return invoice


def _waits(invoice: Invoice, action: Action, people: People) -> None:
    """The gateway says what the payer has to do."""
    attempt = _attempt(invoice)
    outcome = Charge(str(attempt.pk), "ch.1", ChargeStatus.ACTION_REQUIRED, action=action)
    payments.settle(attempt.pk, outcome=outcome, now=people.world.now)


def _attempt(invoice: Invoice) -> PaymentAttempt:
    return PaymentAttempt.objects.filter(invoice=invoice).latest("created_at")


def _queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What workers are told from here on."""
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        tasks, "soon", lambda task, **about: told.append((task.name.rpartition(".")[2], about))
    )
    return told


def _pending(page: Page) -> list[str | None]:
    """Where the page looks again."""
    return [a["data-next"] for _, a in page.elements if "data-pending" in a]


def _path(invoice: Invoice, step: str = "") -> str:
    return f"/billing/invoices/{invoice.pk}/{step}"
