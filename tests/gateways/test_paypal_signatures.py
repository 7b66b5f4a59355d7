"""Which notifications are PayPal's, checked against a signer of our own and the stand-in's."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from billing import clock
from billing.gateways.base import BadSignatureError
from billing.gateways.paypal import signatures
from billing.gateways.paypal.client import LIVE
from billing.gateways.paypal.signatures import Certificates, Sealed, is_believed, verify

BODY: Final = '{"id": "WH-1", "summary": "Zwei Drähte"}'.encode()
WEBHOOK: Final = "1JE4291016473214C"
URL: Final = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-df8cd2d5"
SANDBOX: Final = "https://api-m.sandbox.paypal.com"
DAY: Final = timedelta(days=1)


@cache
def key(which: str = "paypal") -> rsa.RSAPrivateKey:
    assert which
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    owner: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None, *, ends: timedelta = DAY
) -> bytes:
    holder = owner or key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.not_valid_before(clock.now() - 9 * DAY).not_valid_after(clock.now() + ends)
    builder = builder.public_key(holder.public_key()).serial_number(1)
    return builder.sign(holder, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def sealed(
    body: bytes = BODY,
    *,
    webhook: str = WEBHOOK,
    at: datetime | None = None,
    by: rsa.RSAPrivateKey | None = None,
) -> Sealed:
    time = (at or clock.now()).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = f"t-1|{time}|{webhook}|{zlib.crc32(body)}".encode()
    signature = (by or key()).sign(message, padding.PKCS1v15(), hashes.SHA256())
    return Sealed("t-1", time, base64.b64encode(signature).decode(), "SHA256withRSA", URL)


@dataclass
class Served:
    """What is served where, and what was fetched."""

    content: bytes
    fetched: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.content


@pytest.fixture
def served() -> Served:
    return Served(certificate())


@pytest.fixture
def certificates(served: Served) -> Certificates:
    return Certificates(LIVE, fetch=served.fetch)


def test_what_paypal_signed_is_believed(certificates: Certificates, served: Served) -> None:
    for _ in range(3):
        verify(BODY, sealed(), WEBHOOK, certificates)

    assert served.fetched == [URL]


CHANGES: Mapping[str, Callable[[Sealed], Sealed]] = {
    "id": lambda it: replace(it, transmission_id="t-2"),
    "time": lambda it: replace(it, time=(clock.now() - timedelta(seconds=9)).isoformat()),
    "signature": lambda it: replace(it, signature=base64.b64encode(b"x" * 256).decode()),
    "no signature": lambda it: replace(it, signature=""),
    "no base64": lambda it: replace(it, signature="é?"),
    "algorithm": lambda it: replace(it, algorithm="none"),
    "no time": lambda it: replace(it, time=""),
    "no zone": lambda it: replace(it, time="2026-01-01T00:00:00"),
    "no address": lambda it: replace(it, certificate_url=""),
    "webhook": lambda _: sealed(webhook="2JE4291016473214C"),
    "body": lambda _: sealed(BODY + b" "),
    "key": lambda _: sealed(by=key("somebody's")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_is_noticed(certificates: Certificates, change: str) -> None:
    with pytest.raises(BadSignatureError):
        verify(BODY, CHANGES[change](sealed()), WEBHOOK, certificates)


def test_without_a_webhook_id_nothing_is_believed(certificates: Certificates) -> None:
    with pytest.raises(BadSignatureError, match="PAYPAL_WEBHOOK_ID"):
        verify(BODY, sealed(webhook=""), "", certificates)


@pytest.mark.parametrize("seconds", [-310, 310])
def test_the_time_of_sending_is_near(certificates: Certificates, seconds: int) -> None:
    at = clock.now() + timedelta(seconds=seconds)

    with pytest.raises(BadSignatureError, match="old"):
        verify(BODY, sealed(at=at), WEBHOOK, certificates)


@pytest.mark.parametrize(
    ("url", "base", "is_ours"),
    [
        (URL, LIVE, True),
        (URL.replace("api.", "api-m."), LIVE, True),
        (URL.replace("paypal.com", "sandbox.paypal.com"), SANDBOX, True),
        (URL, SANDBOX, False),
        (URL.replace("paypal.com", "sandbox.paypal.com"), LIVE, False),
        (URL, "https://egress.example.org", True),
        (URL.replace("api.paypal.com", "egress.example.org"), "https://egress.example.org", True),
        (URL.replace("https", "http"), LIVE, False),
        (URL.replace("paypal.com", "paypal.com.example.org"), LIVE, False),
        (URL.replace("api.paypal.com", "evilpaypal.com"), LIVE, False),
        (URL.replace("api.paypal.com", "api.paypal.com@example.org"), LIVE, False),
        (URL.replace("api.paypal.com", "example.org@api.paypal.com"), LIVE, False),
        (URL.replace("api.paypal.com", "api.paypal.com\\@example.org"), LIVE, False),
        (URL.replace("api.paypal.com", "api.paypal.com:8443"), LIVE, False),
        (URL.replace("api.paypal.com", "[::1"), LIVE, False),
        (URL + "?x=1", LIVE, False),
        (URL + "/../../../v2/x", LIVE, False),
        ("https://api.paypal.com/v1/notifications/certs/", LIVE, False),
        ("file:///v1/notifications/certs/CERT-1", LIVE, False),
        ("http://127.0.0.1:9/v1/notifications/certs/C", "http://127.0.0.1:9", True),
        ("http://localhost:9/v1/notifications/certs/C", "http://localhost:9", True),
        ("http://127.0.0.1:8/v1/notifications/certs/C", "http://127.0.0.1:9", False),
        ("http://paypal.local/v1/notifications/certs/C", "http://paypal.local", False),
        (URL, "http://127.0.0.1:9", False),
    ],
)
def test_certificates_are_had_from_paypal_only(url: str, base: str, is_ours: bool) -> None:
    assert is_believed(url, base) is is_ours


def test_an_address_that_is_not_paypals_is_never_fetched(served: Served) -> None:
    certificates = Certificates(LIVE, fetch=served.fetch)
    foreign = replace(sealed(), certificate_url=URL.replace("api.paypal.com", "example.org"))

    with pytest.raises(BadSignatureError, match="not PayPal's") as caught:
        verify(BODY, foreign, WEBHOOK, certificates)
    assert "example.org" not in str(caught.value)
    assert served.fetched == []


def test_few_certificates_are_kept(certificates: Certificates, served: Served) -> None:
    for number in range(20):
        certificates.key(f"{URL}{number}")
    certificates.key(f"{URL}19")
    certificates.key(f"{URL}0")

    assert len(served.fetched) == 21


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "read"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "read"),
        (certificate(ends=-DAY), "run out"),
        (certificate(ec.generate_private_key(ec.SECP256R1())), "another sort"),
    ],
)
def test_a_certificate_that_is_no_good_proves_nothing(content: bytes, why: str) -> None:
    certificates = Certificates(LIVE, fetch=Served(content).fetch)

    with pytest.raises(BadSignatureError, match=why):
        verify(BODY, sealed(), WEBHOOK, certificates)


def test_a_certificate_that_cannot_be_had_proves_nothing() -> None:
    with pytest.raises(BadSignatureError, match="fetched"):
        signatures.download("http://127.0.0.1:1/v1/notifications/certs/CERT-1")
