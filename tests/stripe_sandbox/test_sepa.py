"""SEPA Direct Debit: an account is debited, and its bank says later whether it pays."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.payments import accounts
from tests.stripe_sandbox.browser import visit
from tests.stripe_sandbox.conftest import Clock, Control
from tests.stripe_sandbox.waiting import until

HOLDER = {"name": "Alice Liddell", "email": "alice@example.test"}
LEAVE: Any = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "test"},
    }
}


def account(api: stripe.V1Services, iban: str, **more: Any) -> stripe.PaymentMethod:
    wish: Any = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": iban},
        "billing_details": HOLDER,
        **more,
    }
    return api.payment_methods.create(wish)


def saved(api: stripe.V1Services, customer: str, method: str) -> stripe.SetupIntent:
    return api.setup_intents.create(
        {
            "customer": customer,
            "payment_method": method,
            "payment_method_types": ["sepa_debit"],
            "confirm": True,
            "mandate_data": LEAVE,
        }
    )


def debit(api: stripe.V1Services, customer: str, method: str, **more: Any) -> stripe.PaymentIntent:
    wish: Any = {
        "amount": 2500,
        "currency": "eur",
        "customer": customer,
        "payment_method": method,
        "payment_method_types": ["sepa_debit"],
        "off_session": True,
        "confirm": True,
        **more,
    }
    return api.payment_intents.create(wish)


@pytest.fixture
def pays(api: stripe.V1Services, alice: stripe.Customer) -> str:
    """An account of Alice's that pays, with her mandate."""
    return str(saved(api, alice.id, "pm_sepaDebit_success_de").payment_method)


def types(api: stripe.V1Services, limit: int) -> list[str]:
    return [str(event.type) for event in api.events.list({"limit": limit}).data][::-1]


def test_every_published_account_is_well_formed() -> None:
    assert all(accounts.is_well_formed(known.iban) for known in accounts.ALL)
    assert accounts.by_id("pm_sepa_fails") == accounts.by_iban("at86 1904 3002 3547 3202")


def test_an_account_is_saved_with_a_mandate(api: stripe.V1Services, alice: stripe.Customer) -> None:
    method = account(api, "AT61 1904 3002 3457 3201")
    assert method.sepa_debit is not None
    assert (method.sepa_debit.last4, method.sepa_debit.country) == ("3201", "AT")
    assert method.sepa_debit.bank_code == "19043"

    done = saved(api, alice.id, method.id)

    assert done.status == "succeeded"
    mandate = api.mandates.retrieve(str(done.mandate))
    assert (mandate.status, mandate.type, mandate.payment_method) == (
        "active",
        "multi_use",
        method.id,
    )
    assert mandate.customer_acceptance.online is not None
    assert mandate.customer_acceptance.online.ip_address == "127.0.0.1"
    listed = api.customers.payment_methods.list(alice.id, {"type": "sepa_debit"}).data
    assert [found.id for found in listed] == [method.id]
    attempt = api.setup_attempts.list({"setup_intent": done.id}).data[0]
    assert attempt.payment_method_details.type == "sepa_debit"


def test_an_account_number_is_not_kept(api: stripe.V1Services, control: Control) -> None:
    account(api, "AT611904300234573201")

    [asked] = control("GET", "requests")["data"]

    assert asked["params"]["sepa_debit"] == {"iban": "…"}


def test_no_debit_without_a_mandate(api: stripe.V1Services, alice: stripe.Customer) -> None:
    method = account(api, "AT611904300234573201")
    api.payment_methods.attach(method.id, {"customer": alice.id})

    with pytest.raises(stripe.InvalidRequestError, match="no existing mandate"):
        debit(api, alice.id, method.id)

    assert debit(api, alice.id, method.id, mandate_data=LEAVE, off_session=False).id
    assert debit(api, alice.id, method.id).status == "processing"


def test_a_debit_succeeds_after_a_while(
    api: stripe.V1Services, alice: stripe.Customer, clock: Clock, pays: str
) -> None:
    intent = debit(api, alice.id, pays, expand=["latest_charge"])
    assert (intent.status, intent.amount_received) == ("processing", 0)
    pending = intent["latest_charge"]
    assert pending["id"].startswith("py_")
    assert (pending["status"], pending["paid"]) == ("pending", False)
    assert types(api, 2) == ["charge.pending", "payment_intent.processing"]

    clock.now += 9
    assert api.payment_intents.retrieve(intent.id).status == "processing"
    clock.now += 1
    paid = api.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge.balance_transaction"]}
    )

    assert (paid.status, paid.amount_received) == ("succeeded", 2500)
    charge = paid["latest_charge"]
    assert (charge["id"], charge["status"], charge["paid"]) == (pending["id"], "succeeded", True)
    assert charge["payment_method_details"]["sepa_debit"]["mandate"].startswith("mandate_")
    entry = charge["balance_transaction"]
    assert (entry["type"], entry["reporting_category"]) == ("payment", "charge")
    assert (entry["fee"], entry["net"], entry["currency"]) == (35, 2465, "eur")
    assert types(api, 2) == ["charge.succeeded", "payment_intent.succeeded"]
    refund = api.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.id[:4]) == ("succeeded", "pyr_")
    booked = api.balance_transactions.retrieve(str(refund.balance_transaction))
    assert (booked.type, booked.reporting_category) == ("payment_refund", "refund")


@pytest.mark.parametrize(
    ("token", "charge_code", "intent_code"),
    [
        ("failed_at", "generic_could_not_process", "payment_intent_payment_attempt_failed"),
        ("insufficientFunds_fr", "insufficient_funds", "insufficient_funds"),
    ],
)
def test_a_debit_fails_after_a_while(
    clock: Clock,
    *,
    api: stripe.V1Services,
    alice: stripe.Customer,
    token: str,
    charge_code: str,
    intent_code: str,
) -> None:
    method = str(saved(api, alice.id, f"pm_sepaDebit_{token}").payment_method)
    intent = debit(api, alice.id, method)
    assert intent.status == "processing"

    clock.now += 10
    failed = api.payment_intents.list({"customer": alice.id, "expand": ["data.latest_charge"]})

    intent = failed.data[0]
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == intent_code
    assert intent.last_payment_error.payment_method is not None
    assert intent.last_payment_error.payment_method.id == method
    assert intent["latest_charge"]["failure_code"] == charge_code
    assert intent["latest_charge"]["balance_transaction"] is None
    assert types(api, 2) == ["charge.failed", "payment_intent.payment_failed"]
    again = {"payment_method": method, "off_session": True}
    assert api.payment_intents.confirm(intent.id, again).status == "processing"  # type: ignore[arg-type]


def test_a_debit_is_settled_by_hand(
    api: stripe.V1Services, alice: stripe.Customer, control: Control, pays: str
) -> None:
    late = str(saved(api, alice.id, "pm_sepaDebit_successDelayed_at").payment_method)
    for method, status, ended in (
        (late, "succeeded", "succeeded"),
        (pays, "failed", "requires_payment_method"),
    ):
        intent = debit(api, alice.id, method)
        told = control("POST", "payments/settle", payment_intent=intent.id, status=status)
        assert told["status"] == ended

    assert api.charges.list({"limit": 1}).data[0].failure_code == "generic_could_not_process"


def test_when_a_debit_ends_is_a_knob(
    sandbox: Sandbox, *, api: stripe.V1Services, alice: stripe.Customer, control: Control, pays: str
) -> None:
    assert control("GET", "payments") == {"settle_after": 10.0}
    assert control("POST", "payments", settle_after=0) == {"settle_after": 0.0}

    intent = debit(api, alice.id, pays)

    assert api.payment_intents.retrieve(intent.id).status == "succeeded"
    for wish in ({"settle_after": -1}, {"settle_after": "soon"}, {"wait": 1}):
        answer = sandbox.handle("POST", "/_control/payments", json.dumps(wish))
        assert answer.status == 400


def test_a_debit_ends_though_nobody_asks(url: str, remote: stripe.V1Services) -> None:
    assert visit(f"{url}/_control/payments", {"settle_after": "0"}).status == 200
    alice = remote.customers.create({})
    intent = debit(remote, alice.id, str(saved(remote, alice.id, "pm_sepa_success").payment_method))

    until(lambda: remote.events.list({"type": "payment_intent.succeeded"}).data != [])

    settled = {"payment_intent": intent.id, "status": "failed"}
    assert visit(f"{url}/_control/payments/settle", settled).status == 400


def test_a_debit_may_be_disputed_for_good(
    api: stripe.V1Services, alice: stripe.Customer, clock: Clock
) -> None:
    method = str(saved(api, alice.id, "pm_sepa_disputed").payment_method)
    intent = debit(api, alice.id, method)
    clock.now += 10

    assert api.payment_intents.retrieve(intent.id).status == "succeeded"

    dispute = api.disputes.list({"payment_intent": intent.id}).data[0]
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")
    assert types(api, 3) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]


def test_a_debit_that_waits_can_be_called_off(
    api: stripe.V1Services, alice: stripe.Customer, clock: Clock, pays: str
) -> None:
    intent = debit(api, alice.id, pays)

    gone = api.payment_intents.cancel(intent.id)

    clock.now += 20
    assert gone.status == api.payment_intents.retrieve(intent.id).status == "canceled"
    assert api.charges.retrieve(str(intent.latest_charge)).status == "failed"


def test_what_cannot_be_debited_is_refused(
    api: stripe.V1Services, alice: stripe.Customer, pays: str
) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"currency": "usd"}, "currency"),
        ({"payment_method_types": ["card"]}, "payment_method"),
        ({"capture_method": "manual"}, "capture_method"),
    ]
    for change, param in wrong:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            debit(api, alice.id, pays, **change)
        assert refusal.value.param == param
    for iban, code in (
        ("AT611904300234573202", "invalid_bank_account_iban"),
        ("GB82WEST12345698765432", "bank_account_unusable"),
        ("AT271904300000055555", "sepa_debit_bank_not_supported"),
        ("AT511904300000066666", "sepa_debit_debits_not_supported"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            account(api, iban)
        assert refusal.value.code == code
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account(api, "AT611904300234573201", billing_details={"name": "Alice"})
    assert refusal.value.param == "billing_details[email]"
