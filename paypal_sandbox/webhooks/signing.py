"""PayPal's signature: RSA over the ids of the message and the checksum of its body."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from stripe_sandbox.bodies import Json

ALGORITHM = "SHA256withRSA"
CERTIFICATES = "/v1/notifications/certs/"
_BITS = 2048
_VALID = timedelta(days=3650)


@dataclass(frozen=True)
class Message:
    """What is signed; `webhook` is the id of the endpoint, which the message does not carry."""

    transmission: str
    time: str
    webhook: str
    body: bytes

    def signed_bytes(self) -> bytes:
        """Return the line that is signed."""
        checksum = zlib.crc32(self.body)
        return f"{self.transmission}|{self.time}|{self.webhook}|{checksum}".encode()


class Signer:
    """A key and its certificate."""

    def __init__(self, kept: Json) -> None:
        """Take up what `made` made."""
        key = serialization.load_pem_private_key(kept["key"].encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("Not the key this was made with.")
        self._key = key
        self.certificate: str = kept["certificate"]

    @property
    def certificate_path(self) -> str:
        """Where the certificate is, below the address of the stand-in."""
        found = x509.load_pem_x509_certificate(self.certificate.encode())
        print_ = found.fingerprint(hashes.SHA256()).hex()[:24]
        return f"{CERTIFICATES}CERT-{print_[:8]}-{print_[8:16]}-{print_[16:]}"

    def sign(self, message: Message) -> str:
        """Return the signature of a message."""
        raw = self._key.sign(message.signed_bytes(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(raw).decode()

    def verifies(self, message: Message, signature: str) -> bool:
        """Say whether a signature is this key's, of this message."""
        try:
            self._key.public_key().verify(
                base64.b64decode(signature),
                message.signed_bytes(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (InvalidSignature, binascii.Error):
            return False
        return True


def made() -> Json:
    """Make a key, and a certificate for it that it signs itself."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "paypal_sandbox (stand-in)")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"key": private.decode(), "certificate": certificate.public_bytes(pem).decode()}
