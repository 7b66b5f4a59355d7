"""Whether a notification is PayPal's: its signature, checked here, without asking PayPal.

Source: https://developer.paypal.com/api/rest/webhooks/rest. What is signed, SHA256withRSA, is
`transmission id|transmission time|webhook id|CRC-32 of the raw body`. The notification names the
address of the certificate itself, so that everything hangs on whose addresses are believed: only
PayPal's own, and over TLS.

PayPal's definitions call the transmission time "the date and time of the HTTP transmission", and
PayPal sends up to 25 times in 3 days until it hears a 2xx. Read literally, every sending has a time
of its own, and one that is older than five minutes is an old one replayed. It is nowhere said in so
many words of repetitions. Should they bear the time of the first sending, what was not taken then
is heard of by asking (`recall`, and the questions about what waits), not by repetition.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import SplitResult, urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from billing import clock
from billing.gateways.base import BadSignatureError

TOLERANCE: Final = timedelta(minutes=5)
_ALGORITHM: Final = "SHA256withRSA"
_LIVE: Final = frozenset({"api.paypal.com", "api-m.paypal.com"})
_SANDBOX: Final = frozenset({"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"})
_PATH: Final = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-]+")
_TIMEOUTS: Final = (2.0, 5.0)  # PayPal waits for our answer meanwhile
_KEPT: Final = 8
_LARGEST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Sealed:
    """The headers of a notification."""

    transmission_id: str
    time: str
    signature: str
    algorithm: str
    certificate_url: str

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Sealed:
        """Read them, however they are capitalised; one that is missing is empty."""
        found = {name.lower(): value for name, value in headers.items()}
        return cls(
            transmission_id=found.get("paypal-transmission-id", ""),
            time=found.get("paypal-transmission-time", ""),
            signature=found.get("paypal-transmission-sig", ""),
            algorithm=found.get("paypal-auth-algo", ""),
            certificate_url=found.get("paypal-cert-url", ""),
        )

    def message(self, body: bytes, webhook_id: str) -> bytes:
        """What is signed."""
        parts = (self.transmission_id, self.time, webhook_id, str(zlib.crc32(body)))
        return "|".join(parts).encode()


def download(url: str) -> bytes:
    """A certificate, from an address that is believed.

    :raises BadSignatureError: if it cannot be had.
    """
    try:
        response = requests.get(url, timeout=_TIMEOUTS, allow_redirects=False)
    except requests.RequestException:
        raise BadSignatureError("PayPal's certificate cannot be fetched.") from None
    if response.status_code != 200 or len(response.content) > _LARGEST:
        raise BadSignatureError("PayPal's certificate cannot be fetched.")
    return response.content


@dataclass(slots=True)
class Certificates:
    """PayPal's certificates, each fetched once and few of them kept."""

    base: str
    fetch: Callable[[str], bytes] = download
    _known: dict[str, x509.Certificate] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, url: str) -> rsa.RSAPublicKey:
        """The key that signs, by the address of its certificate.

        :raises BadSignatureError: if the address is not PayPal's, or the certificate no good.
        """
        found = self._known.get(url) or self._fetched(url)
        if not found.not_valid_before_utc <= clock.now() <= found.not_valid_after_utc:
            raise BadSignatureError("PayPal's certificate has run out.")
        key = found.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise BadSignatureError("PayPal's certificate is of another sort.")
        return key

    def _fetched(self, url: str) -> x509.Certificate:
        if not is_believed(url, self.base):
            raise BadSignatureError("PayPal's certificate is at an address that is not PayPal's.")
        try:
            found = x509.load_pem_x509_certificates(self.fetch(url))[0]
        except (ValueError, IndexError):
            raise BadSignatureError("PayPal's certificate cannot be read.") from None
        with self._lock:
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[url] = found
        return found


def is_believed(url: str, base: str) -> bool:
    """Whether a certificate may be had there: PayPal's own, or what stands in for PayPal.

    PayPal's sandbox proves nothing about its live service, nor the other way round.
    """
    try:
        where, ours = urlsplit(url), urlsplit(base)
    except ValueError:
        return False
    if where.query or where.fragment or not _PATH.fullmatch(where.path):
        return False
    if where.scheme == "http":
        return ours.scheme == "http" and _is_loopback(ours) and where.netloc == ours.netloc
    return where.scheme == "https" and where.netloc in _hosts(ours)


def verify(body: bytes, sealed: Sealed, webhook_id: str, certificates: Certificates) -> None:
    """Check that PayPal sent this to this webhook of ours, just now.

    :raises BadSignatureError: if not; it quotes nothing of what was sent.
    """
    if not webhook_id:
        raise BadSignatureError("PayPal's notifications need PAYPAL_WEBHOOK_ID.")
    if sealed.algorithm != _ALGORITHM:
        raise BadSignatureError("PayPal's notification is not signed as PayPal signs.")
    try:
        signature = base64.b64decode(sealed.signature, validate=True)
        sent_at = datetime.fromisoformat(sealed.time)
        age = abs(clock.now() - sent_at)
    except (ValueError, TypeError, OverflowError):
        raise BadSignatureError("PayPal's notification cannot be read.") from None
    key = certificates.key(sealed.certificate_url)
    try:
        key.verify(signature, sealed.message(body, webhook_id), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise BadSignatureError("PayPal's signature does not match.") from None
    if age > TOLERANCE:
        raise BadSignatureError("PayPal's notification is too old.")


def _hosts(base: SplitResult) -> frozenset[str]:
    if base.netloc in _SANDBOX:
        return _SANDBOX
    if base.netloc in _LIVE:
        return _LIVE
    if _is_loopback(base):
        return frozenset({base.netloc})
    return _LIVE | {base.netloc}


def _is_loopback(where: SplitResult) -> bool:
    host = where.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
