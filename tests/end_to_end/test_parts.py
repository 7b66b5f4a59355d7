"""The parts together: the worker charges, parts go down and come back, nothing personal leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end.conftest import ROOT, Answer, Demo, call, wait_for


def wonderland(demo: Demo) -> dict[str, Any]:
    """A customer of the demonstration in real time, with a good card at Stripe."""
    found = demo.call("GET", "/customers?organization_id=wonderland").body
    return dict(found["customers"][0])


def charge(demo: Demo, amount: str = "25.00") -> str:
    """An invoice by hand, handed to a worker; its id."""
    item = {"description": "Consulting", "quantity": "1", "unit_amount": amount}
    draft = {"customer": wonderland(demo)["id"], "currency": "USD", "items": [item]}
    invoice = demo.call("POST", "/invoices", draft)
    assert invoice.status == 201
    answer = demo.call("POST", "/charges", {"invoice_id": invoice.body["id"]})
    assert answer.status == 202
    return str(invoice.body["id"])


def is_paid(demo: Demo, invoice: str) -> bool:
    return bool(demo.call("GET", f"/invoices/{invoice}").body["status"] == "paid")


def references_charged(demo: Demo) -> list[str]:
    """Our reference of every PaymentIntent that Stripe has, newest first."""
    stripe = demo.facts["stripe_sandbox"]["url"]
    key = json.loads((demo.home / "secrets.json").read_text())["STRIPE_SECRET_KEY"]
    found = call(
        "GET", f"{stripe}/v1/payment_intents?limit=100", Authorization=f"Bearer {key}"
    ).body
    return [intent["metadata"]["reference"] for intent in found["data"]]


def health(demo: Demo) -> Answer:
    return call("GET", f"{demo.url}/healthz")


def test_history_was_made_by_the_engine(demo: Demo) -> None:
    invoices = demo.call("GET", f"/invoices?customer={wonderland(demo)['id']}").body["invoices"]
    assert len(invoices) >= 2
    assert {invoice["status"] for invoice in invoices} == {"paid"}
    first_lines = invoices[-1]["lines"]
    assert first_lines[0]["proration"] is not None
    assert "days = " in first_lines[0]["explanation"]


def test_a_worker_charges_and_the_invoice_becomes_paid(demo: Demo) -> None:
    invoice = charge(demo)
    wait_for(lambda: is_paid(demo, invoice), seconds=60)


def test_an_answer_that_is_lost_after_the_charge_charges_once(demo: Demo) -> None:
    """Stripe takes the money, then the connection is cut; again and again."""
    demo.stand_in(
        "POST",
        "faults",
        {"action": "cut", "moment": "after", "path": "/v1/payment_intents", "times": 3},
    )
    try:
        invoice = charge(demo)
        wait_for(lambda: is_paid(demo, invoice), seconds=90)
    finally:
        demo.stand_in("DELETE", "faults")
    references = references_charged(demo)
    assert len(references) == len(set(references))


def test_stripe_down_leaves_the_charge_waiting_and_it_resumes(demo: Demo) -> None:
    stand_in = demo.part("stripe_sandbox")
    stand_in.send_signal(signal.SIGSTOP)
    try:
        assert health(demo).body["failing"] == ["stripe"]
        invoice = charge(demo)
        assert demo.call("GET", f"/invoices/{invoice}").body["status"] == "pending"
    finally:
        stand_in.send_signal(signal.SIGCONT)
    wait_for(lambda: is_paid(demo, invoice), seconds=150)
    wait_for(lambda: health(demo).status == 200)


def test_the_queue_down_loses_nothing(demo: Demo) -> None:
    """Valkey is killed and comes back empty-handed; the sweeper finds the charge."""
    demo.part("valkey-server").send_signal(signal.SIGKILL)
    invoice = charge(demo)
    wait_for(lambda: is_paid(demo, invoice), seconds=120)
    wait_for(lambda: health(demo).status == 200)


def test_a_worker_killed_is_replaced_and_the_work_goes_on(demo: Demo) -> None:
    demo.part("config.celery worker").send_signal(signal.SIGKILL)
    invoice = charge(demo)
    wait_for(lambda: is_paid(demo, invoice), seconds=150)


def test_the_database_killed_comes_back_and_every_acknowledged_event_is_there(
    demo: Demo,
) -> None:
    customer = wonderland(demo)["id"]
    acknowledged = []
    for number in range(60):
        if number == 20:
            demo.part("bin/postgres").send_signal(signal.SIGKILL)
        event = {"id": f"k-{uuid4()}", "customer": customer, "meter": "api_calls", "quantity": "1"}
        answer = demo.call("POST", "/usage-events", event)
        assert answer.status in {202, 503}, answer
        if answer.status == 202:
            acknowledged.append(event)
    wait_for(lambda: health(demo).status == 200)

    again = demo.call("POST", "/usage-events", {"events": acknowledged})
    assert again.body["duplicates"] == len(acknowledged)
    assert again.body["accepted"] == 0


@pytest.mark.parametrize(
    ("signature", "body"),
    [("", b"{}"), ("t=1,v1=00", b"{}"), ("nonsense", b"not json"), ("t=1,v1=00", b"")],
)
def test_a_forged_notification_is_refused(demo: Demo, signature: str, body: bytes) -> None:
    headers = {"Stripe-Signature": signature} if signature else {}
    assert call("POST", f"{demo.url}/webhooks/stripe/", body, **headers).status == 400


def test_nothing_personal_reaches_the_gateway(demo: Demo) -> None:
    asked = json.dumps(demo.stand_in("GET", "requests").body).lower()
    customers = demo.call("GET", "/customers?limit=100").body["customers"]
    for customer in customers:
        for field in ("name", "email", "phone", "line1", "line2", "city", "postal_code"):
            told = customer["details"][field].lower()
            assert not told or told not in asked, field
        assert customer["organization_id"].lower() not in asked
    assert "anonymous_id" in asked


def test_no_log_names_a_person_or_a_secret(demo: Demo) -> None:
    secrets = json.loads((demo.home / "secrets.json").read_text()).values()
    people = [
        customer["details"][field]
        for customer in demo.call("GET", "/customers?limit=100").body["customers"]
        for field in ("name", "email")
    ]
    logs = list((demo.home / "logs").glob("*.log"))
    assert logs
    for log in logs:
        written = log.read_text(errors="replace")
        for told in [*secrets, *filter(None, people), demo.facts["operator_token"]]:
            assert str(told) not in written, log.name


def test_the_books_agree_beside_the_running_application(demo: Demo) -> None:
    command = [sys.executable, "-m", "supervisor", "exec", "--"]
    done = subprocess.run(
        [*command, sys.executable, "manage.py", "verify_books"],
        cwd=ROOT,
        env={**demo.environment, "BURSAR_HOME": str(demo.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "The books agree" in done.stdout) == (0, True), done.stderr
