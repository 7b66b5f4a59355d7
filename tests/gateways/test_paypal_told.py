"""What PayPal tells by itself, and what it is told: notifications, disputes, evidence, privacy."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from pytest_django import Settings

from billing import clock
from billing.core.lifecycle import DisputeStatus
from billing.core.money import Money
from billing.gateways.abilities import Document, Evidence
from billing.gateways.base import (
    BadSignatureError,
    Charge,
    ChargeRequest,
    Dispute,
    Fact,
    GatewayRejectedError,
    MethodChange,
    Notification,
    Refund,
    RefundRequest,
    SetupRequest,
)
from billing.gateways.paypal import recall
from billing.gateways.paypal.gateway import PayPalGateway, build
from paypal_sandbox import server as paypal_server
from tests.gateways.cases import PayPalStandIn
from tests.gateways.conftest import WEBHOOK_ID

Told = tuple[bytes, Mapping[str, str]]
TEN: Final = Money(1000, "EUR")
LONG_AGO: Final = timedelta(days=1)
PDF: Final = Document("Jane Doe.pdf", "application/pdf", b"%PDF-1.4 Jane Doe had it")
# Every parameter that may ever leave, but with evidence. None could hold who somebody is.
SENT: Final = {
    "amount.currency_code",
    "amount.value",
    "balance_affecting_records_only",
    "custom_id",
    "customer.id",
    "customer.merchant_customer_id",
    "end_date",
    "end_time",
    "fields",
    "intent",
    "invoice_id",
    "page",
    "page_size",
    "payment_source.paypal.experience_context.cancel_url",
    "payment_source.paypal.experience_context.return_url",
    "payment_source.paypal.experience_context.shipping_preference",
    "payment_source.paypal.permit_multiple_payment_tokens",
    "payment_source.paypal.stored_credential.payment_initiator",
    "payment_source.paypal.stored_credential.usage",
    "payment_source.paypal.stored_credential.usage_pattern",
    "payment_source.paypal.usage_type",
    "payment_source.paypal.vault_id",
    "payment_source.token.id",
    "payment_source.token.type",
    "purchase_units.amount.currency_code",
    "purchase_units.amount.value",
    "purchase_units.custom_id",
    "purchase_units.invoice_id",
    "start_date",
    "start_time",
    "transaction_currency",
}


@pytest.fixture
def mailbox() -> Iterator[tuple[str, queue.Queue[Told]]]:
    """An address that takes notifications, and what came."""
    came: queue.Queue[Told] = queue.Queue()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((body, dict(self.headers.items())))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield f"http://127.0.0.1:{door.server_port}/", came
        door.shutdown()


@pytest.fixture
def telling(
    settings: Settings, mailbox: tuple[str, queue.Queue[Told]]
) -> Iterator[tuple[PayPalStandIn, queue.Queue[Told]]]:
    """A stand-in that tells."""
    address, came = mailbox
    with paypal_server.running(webhook_url=address, webhook_id=WEBHOOK_ID) as url:
        settings.PAYPAL_API_BASE, settings.PAYPAL_CLIENT_ID = url, "client"
        settings.PAYPAL_CLIENT_SECRET = "a-secret-of-ours"
        settings.PAYPAL_WEBHOOK_ID = WEBHOOK_ID
        yield PayPalStandIn(url), came


@pytest.fixture
def gateway(paypal: PayPalStandIn) -> PayPalGateway:
    return made()


def made() -> PayPalGateway:
    built = build()
    assert built is not None
    return built


def taken(gateway: PayPalGateway, reference: str = "a1", token: str = "vault_good") -> Charge:
    return gateway.charge(ChargeRequest(reference, TEN, "cus", token, "paypal"))


def opened(paypal: PayPalStandIn, charge: Charge, **more: Any) -> str:
    found = paypal.control("disputes/open", capture=charge.external_id, **more)
    return str(found["dispute_id"])


def test_what_paypal_tells_leads_to_what_is_now(
    telling: tuple[PayPalStandIn, queue.Queue[Told]],
) -> None:
    paypal, came = telling
    gateway = made()
    gateway.start_setup(SetupRequest("s1", "anon_1", token="vault_good"))
    charged = taken(gateway)
    gateway.refund(RefundRequest("r1", charged.external_id, Money(300, "EUR")))
    dispute_id = opened(paypal, charged)
    paypal.control("webhooks/drain")

    told: dict[str, Notification] = {}
    facts: list[Fact | None] = []
    for _ in range(4):
        body, headers = came.get(timeout=5)
        notification = gateway.parse_event(body, headers)
        told[notification.kind] = notification
        facts.append(gateway.fetch(notification.object_type, notification.object_id))
        with pytest.raises(BadSignatureError):
            gateway.parse_event(body + b" ", headers)

    types = {kind: notification.object_type for kind, notification in told.items()}
    assert types == {
        "VAULT.PAYMENT-TOKEN.CREATED": "payment_token",
        "PAYMENT.CAPTURE.COMPLETED": "capture",
        "PAYMENT.CAPTURE.REFUNDED": "refund",
        "CUSTOMER.DISPUTE.CREATED": "dispute",
    }
    assert told["CUSTOMER.DISPUTE.CREATED"].object_id == dispute_id
    assert {type(fact) for fact in facts} == {MethodChange, Charge, Refund, Dispute}
    certificates = [one for one in paypal.requests() if "/certs/" in one["path"]]
    assert len(certificates) == 1


def test_an_event_of_another_webhook_is_not_ours(
    telling: tuple[PayPalStandIn, queue.Queue[Told]], settings: Settings
) -> None:
    _, came = telling
    gateway = made()
    taken(gateway)
    settings.PAYPAL_WEBHOOK_ID = "2JE4291016473214C"

    with pytest.raises(BadSignatureError):
        gateway.parse_event(*came.get(timeout=5))


@pytest.mark.parametrize(
    ("outcome", "status"), [("seller", DisputeStatus.WON), ("buyer", DisputeStatus.LOST)]
)
def test_a_dispute_is_decided(
    paypal: PayPalStandIn, gateway: PayPalGateway, *, outcome: str, status: DisputeStatus
) -> None:
    charged = taken(gateway)
    dispute_id = opened(paypal, charged, reason="UNAUTHORISED", amount="4.00")
    dispute = gateway.fetch("dispute", dispute_id)
    assert isinstance(dispute, Dispute)
    assert (dispute.charge_external_id, dispute.amount) == (charged.external_id, Money(400, "EUR"))
    assert (dispute.status, dispute.reason) == (DisputeStatus.OPEN, "UNAUTHORISED")
    assert dispute.evidence_due_at is not None

    paypal.control("disputes/decide", dispute=dispute_id, outcome=outcome)

    ended = gateway.fetch("dispute", dispute_id)
    assert isinstance(ended, Dispute)
    assert (ended.status, ended.evidence_due_at) == (status, None)
    with pytest.raises(GatewayRejectedError, match="no evidence"):
        gateway.submit_evidence(dispute_id, Evidence("Too late."))


def test_evidence_goes_under_names_of_ours(paypal: PayPalStandIn, gateway: PayPalGateway) -> None:
    dispute_id = opened(paypal, taken(gateway))
    picture = Document("IMG of Jane.png", "image/png", b"\x89PNG")

    gateway.submit_evidence(dispute_id, Evidence("She had it.", (PDF, picture)))

    (sent,) = [one for one in paypal.requests() if one["path"].endswith("provide-evidence")]
    names = [part.get("filename") for part in sent["params"]]
    assert names == [None, "evidence-1.pdf", "evidence-2.png"]
    assert "Jane" not in str(sent["params"][1:])


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (Evidence(), "no evidence"),
        (Evidence("x" * 2001), "2000 characters"),
        (Evidence("x", (Document("a.txt", "text/plain", b"a"),)), "text/plain"),
        (Evidence("x", (Document("a.pdf", "application/pdf", b"a" * 10_000_000),)), "10 MB"),
    ],
)
def test_evidence_that_paypal_does_not_take_is_not_sent(
    paypal: PayPalStandIn, gateway: PayPalGateway, *, evidence: Evidence, why: str
) -> None:
    with pytest.raises(GatewayRejectedError, match=why):
        gateway.submit_evidence("PP-D-1", evidence)
    assert paypal.requests() == []


def test_a_dispute_that_is_not_there_takes_no_evidence(gateway: PayPalGateway) -> None:
    with pytest.raises(GatewayRejectedError):
        gateway.submit_evidence("PP-D-1", Evidence("She had it."))


def test_evidence_whose_answer_was_lost_is_not_given_twice(
    paypal: PayPalStandIn, gateway: PayPalGateway
) -> None:
    dispute_id = opened(paypal, taken(gateway))
    paypal.fail("POST /v1/customer/disputes/*", action="cut", moment="after")
    with pytest.raises(Exception, match="no answer"):
        gateway.submit_evidence(dispute_id, Evidence("She had it."))

    assert gateway.submit_evidence(dispute_id, Evidence("She had it.")).evidence_due_at is None
    sent = [one for one in paypal.requests() if one["path"].endswith("provide-evidence")]
    assert len(sent) == 1


def test_what_was_told_is_recalled_page_by_page_and_once_each(
    paypal: PayPalStandIn, gateway: PayPalGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "_PAGE", "2")
    first, second = taken(gateway, "a1"), taken(gateway, "a2", "vault_pending")
    paypal.control("captures/settle", capture=second.external_id, status="completed")
    refund = gateway.refund(RefundRequest("r1", first.external_id, Money(300, "EUR")))
    dispute_id = opened(paypal, first)

    told = list(gateway.recall(clock.now() - LONG_AGO))

    settled = gateway.fetch("charge", second.external_id)
    assert told[-2:] == [refund, gateway.fetch("dispute", dispute_id)]
    assert sorted(told[:-2], key=repr) == sorted([first, settled], key=repr)
    assert list(gateway.recall(clock.now() + LONG_AGO)) == []


def flat(value: Any, name: str = "") -> Iterator[str]:
    """The names of all that is said, without the numbers of a list."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner, name)
    else:
        yield name


def test_paypal_is_told_nothing_of_the_person(
    paypal: PayPalStandIn, gateway: PayPalGateway
) -> None:
    visit = SetupRequest("s1", "anon_1", None, None, "paypal", "http://l/d", "http://l/c")
    started = gateway.start_setup(visit)
    paypal.agree(started.url)
    facts: list[object] = [started, gateway.fetch("setup", started.external_id)]
    facts.append(gateway.start_setup(SetupRequest("s2", "anon_1", "cus", token="vault_good")))
    with_mail = ChargeRequest("a1", TEN, "cus", "vault_good", "paypal", True, "jane@example.org")
    charged = gateway.charge(with_mail)
    facts += [charged, gateway.refund(RefundRequest("r1", charged.external_id, TEN, True))]
    dispute_id = opened(paypal, charged)
    facts += [gateway.fetch("dispute", dispute_id), *gateway.recall(clock.now() - LONG_AGO)]

    asked = paypal.requests()
    others = [one for one in asked if one["path"] != "/v1/oauth2/token"]
    said = {name for one in others for name in flat(one["params"])}

    assert said - SENT == set()
    assert len(asked) > 10
    everything = str([(one["method"], one["path"], one["params"]) for one in asked]) + str(facts)
    assert not any(word in everything for word in ("@", "jane", "Jane", "Standin", "surname"))
