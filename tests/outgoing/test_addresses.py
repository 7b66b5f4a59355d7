"""Nothing is sent inward, whatever a URL says and whatever its name resolves to when."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing import checks
from billing.core.delivering import FailureKind
from billing.models import DeliveryTry
from billing.services import delivering, posting
from customers.models import Customer
from tests.outgoing.conftest import ALICES, happens, listens
from tests.outgoing.receiver import Receiver

PUBLIC = "93.184.216.34"
INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104  # nobody binds to it
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2001:db8::1",
]


class Names:
    """What a name resolves to, from one question to the next; and who was connected to."""

    def __init__(self, patch: pytest.MonkeyPatch, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.connected: list[str] = []
        patch.setattr(socket, "getaddrinfo", self.resolve)
        patch.setattr(socket.socket, "connect", lambda _, address: self._connect(address))

    def resolve(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        """One address at a time; an address is itself."""
        if host not in {PUBLIC, *INNER}:
            self.asked.append(host)
            host = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (host, port))]

    def _connect(self, address: Any) -> None:
        self.connected.append(address[0])
        raise ConnectionRefusedError


@pytest.mark.parametrize("address", INNER)
def test_a_name_that_leads_inward_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    names = Names(monkeypatch, address)

    outcome = posting.post("https://hooks.example.com/", b"{}", {})

    assert outcome.failure == FailureKind.FORBIDDEN
    assert names.asked == ["hooks.example.com"]
    assert names.connected == []


def test_a_name_that_changes_between_looking_and_connecting_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch, PUBLIC, "127.0.0.1")

    outcome = posting.post("https://hooks.example.com/", b"{}", {})

    assert outcome.failure == FailureKind.UNREACHABLE  # nobody is there, in a test
    assert names.asked == ["hooks.example.com"]  # once
    assert names.connected == [PUBLIC]


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    names = Names(monkeypatch, PUBLIC)

    posting.post("https://hooks.example.com/", b"{}", {})

    assert names.connected == [PUBLIC]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://hooks.example.com:6379/",
        "https://user:pass@hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
    ],
)
def test_a_url_that_would_be_refused_is_not_sent_to_either(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """It may have been stored when more was allowed."""
    names = Names(monkeypatch, PUBLIC)

    assert posting.post(url, b"{}", {}).failure == FailureKind.FORBIDDEN
    assert (names.asked, names.connected) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_what_was_allowed_on_a_laptop_is_not_sent_on_a_server(
    ear: Receiver, alice: Customer, now: datetime, settings: Settings
) -> None:
    listens(ear, now=now)
    happens(alice, ALICES)
    settings.WEBHOOK_PRIVATE_TARGETS = False

    delivering.run(now=now)

    assert DeliveryTry.objects.get().failure == FailureKind.FORBIDDEN
    assert ear.requests == []


def test_a_server_that_lets_them_is_reported(settings: Settings) -> None:
    settings.SECURE = True

    assert [fault.id for fault in checks.webhooks_lead_outward()] == ["billing.E002"]
    settings.WEBHOOK_PRIVATE_TARGETS = False
    assert checks.webhooks_lead_outward() == []


def test_what_speaks_no_tls_is_told_nothing(ear: Receiver) -> None:
    url = ear.url.replace("http://", "https://")

    outcome = posting.post(url, b"{}", {}, allows_private=True)

    assert (outcome.failure, ear.requests) == (FailureKind.TLS, [])
