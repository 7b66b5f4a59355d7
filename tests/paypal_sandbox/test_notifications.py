"""What happened is told: signed, again if need be, and wrongly if asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from paypal_sandbox.core import Options, Sandbox
from paypal_sandbox.server import running
from tests.paypal_sandbox.conftest import BASIC, Client, Clock
from tests.paypal_sandbox.ears import Ears, check
from tests.stripe_sandbox.waiting import until

EVENTS = "/v1/notifications/webhooks-events"


def test_what_is_told_is_what_is_listed(telling: Client, ears: Ears) -> None:
    telling.captured()
    telling.control("POST", "webhooks/drain")

    assert ears.events == telling.get(EVENTS)["events"]
    assert ears.types == ["PAYMENT.CAPTURE.COMPLETED"]


def test_paypals_own_check_accepts_only_the_letter(telling: Client, ears: Ears) -> None:
    telling.captured()
    telling.control("POST", "webhooks/drain")
    body, headers = ears.heard[0]

    def verified(event: bytes, **change: str) -> str:
        given = {
            "auth_algo": headers["PAYPAL-AUTH-ALGO"],
            "cert_url": headers["PAYPAL-CERT-URL"],
            "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
            "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
            "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
            "webhook_id": ears.webhook_id,
        } | change
        wish = b'{"webhook_event": %s, %s' % (event, json.dumps(given).encode()[1:])
        path = "/v1/notifications/verify-webhook-signature"
        return str(telling.ask("POST", path, wish).body["verification_status"])

    assert verified(body) == "SUCCESS"
    assert verified(body.replace(b"10.00", b"99.00")) == "FAILURE"
    assert verified(body, webhook_id="ANOTHER") == "FAILURE"
    assert verified(body, cert_url="http://evil.test/cert") == "FAILURE"
    assert verified(body, transmission_sig="bm8=") == "FAILURE"


def test_a_refused_notification_is_sent_again_and_given_up(telling: Client, ears: Ears) -> None:
    telling.control("POST", "webhooks", retry_after=[0])
    ears.answers = [500, 500]
    telling.captured()

    outcomes = [telling.control("POST", "webhooks/drain") for _ in range(2)]

    assert [(one["waiting"], one["failed"]) for one in outcomes] == [(1, 0), (0, 1)]
    sent = [headers["PAYPAL-TRANSMISSION-ID"] for _, headers in ears.heard]
    assert len(set(sent)) == 2
    listed = telling.control("GET", "webhooks/deliveries?type=PAYMENT.CAPTURE.COMPLETED")["data"]
    assert (listed[0]["state"], listed[0]["attempts"]) == ("failed", 2)


def test_delivery_can_be_made_to_go_wrong(telling: Client, ears: Ears) -> None:
    telling.control("POST", "webhooks", copies=3, drop=1)
    lost, told = telling.captured(), telling.captured()
    telling.control("POST", "webhooks/pause")
    assert telling.control("POST", "webhooks/drain")["waiting"] == 3
    telling.control("POST", "webhooks/resume")
    telling.control("POST", "webhooks/drain")
    assert [event["resource"]["id"] for event in ears.events] == [told["id"]] * 3

    missed = telling.get(f"{EVENTS}?transaction_id={lost['id']}")["events"][0]
    telling.control("POST", "webhooks", copies=1)
    assert telling.ask("POST", f"{EVENTS}/{missed['id']}/resend").status == 202
    telling.control("POST", "webhooks/drain")

    assert ears.events[-1] == missed


def test_events_are_listed_by_time_and_page(client: Client, clock: Clock) -> None:
    for _ in range(3):
        client.captured()
        clock.now += 60

    def listed(query: str) -> Any:
        return client.get(f"{EVENTS}?{query}")

    assert listed("start_time=2027-01-15T08:01:00Z")["count"] == 2
    assert listed("start_time=2027-01-15T08:00:30Z&end_time=2027-01-15T08:01:30Z")["count"] == 1
    first = listed("page_size=2")
    onward = next(link["href"] for link in first["links"] if link["rel"] == "next")
    rest = client.get(onward.removeprefix("http://paypal.test"))
    assert (first["count"], rest["count"]) == (2, 1)
    assert client.ask("GET", f"{EVENTS}?start_time=yesterday").status == 400


def test_a_running_stand_in_shows_the_certificate_it_signs_with(ears: Ears) -> None:
    wish = {"payment_source": {"token": {"id": "vault_good", "type": "SETUP_TOKEN"}}}
    with running(webhook_url=ears.url, webhook_id=ears.webhook_id) as url:
        token = requests.post(
            f"{url}/v1/oauth2/token", {"grant_type": "client_credentials"}, headers=BASIC,
            timeout=10,
        ).json()["access_token"]  # fmt: skip
        bearer = {"Authorization": f"Bearer {token}"}
        requests.post(f"{url}/v3/vault/payment-tokens", json=wish, headers=bearer, timeout=10)
        until(lambda: bool(ears.heard))
        body, headers = ears.heard[0]
        where = headers["PAYPAL-CERT-URL"]
        certificate = requests.get(where, timeout=10).text

    assert where.startswith(f"{url}/v1/notifications/certs/CERT-")
    check(certificate, ears.webhook_id, body, headers)
    assert json.loads(body)["event_type"] == "VAULT.PAYMENT-TOKEN.CREATED"


def test_the_key_survives_a_restart_and_a_reset(tmp_path: Path, ears: Ears) -> None:
    path = str(tmp_path / "state.sqlite3")
    options = Options(webhook_url=ears.url, webhook_id=ears.webhook_id)
    first = Sandbox(path, options)
    certificate = first.state.signer.certificate
    first.state.reset()
    first.close()

    second = Sandbox(path, options)
    ears.certificate = second.state.signer.certificate
    client = Client(second)
    client.captured()

    assert ears.certificate == certificate
    assert client.control("POST", "webhooks/drain")["delivered"] == 1
    second.close()
