"""PayPal as a gateway: each verb is at home in a module of its own beside this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from billing.gateways.abilities import Evidence
from billing.gateways.base import (
    Capabilities,
    Charge,
    ChargeRequest,
    Dispute,
    Fact,
    KindTerms,
    MethodChange,
    Notification,
    Refund,
    RefundRequest,
    Setup,
    SetupRequest,
)
from billing.gateways.paypal import (
    charges,
    currencies,
    events,
    evidence,
    recall,
    refunds,
    setups,
    translate,
)
from billing.gateways.paypal.client import Account, Client
from billing.gateways.paypal.signatures import Certificates

# Our words for an object, in PayPal's.
_THEIRS: Final[Mapping[str, str]] = {"charge": "capture", "setup": "setup_token"}


class PayPalGateway:
    """PayPal, or whatever speaks its API at `PAYPAL_API_BASE`.

    Charges are known by the ids of their captures; one that PayPal refused has none. A set-up that
    is fetched does not tell our reference: see `setups`.
    """

    name = "paypal"
    capabilities = Capabilities(
        "PayPal", {translate.KIND: KindTerms(currencies.CURRENCIES)}, priority=20
    )

    def __init__(self, account: Account, certificates: Certificates | None = None) -> None:
        self._client = Client(account)
        self._certificates = certificates or Certificates(account.base)
        self._facts: Mapping[str, Callable[[str], Fact | None]] = {
            "capture": self._capture,
            "checkout-order": lambda it: charges.of_order(self._client, it),
            "dispute": self._dispute,
            "payment_method": self._method,
            "payment_token": lambda it: setups.method_change(self._client, it),
            "refund": self._refund,
            "setup_token": lambda it: setups.fetch(self._client, it),
        }

    def charge(self, request: ChargeRequest) -> Charge:
        """Take money while the payer is away."""
        return charges.charge(self._client, request)

    def refund(self, request: RefundRequest) -> Refund:
        """Give money back."""
        return refunds.refund(self._client, request)

    def start_setup(self, request: SetupRequest) -> Setup:
        """Set a token up at once, or open PayPal's page."""
        return setups.start(self._client, request)

    def fetch(self, object_type: str, object_id: str) -> Fact | None:
        """What the object is now; its type in our words, or in those of PayPal's notifications.

        A `payment_token` that is not there is told as one that is gone; a `payment_method`, of
        which nobody said that it ever was, as nothing.
        """
        found = self._facts.get(_THEIRS.get(object_type, object_type))
        return found(object_id) if found is not None and object_id else None

    def submit_evidence(self, dispute_external_id: str, given: Evidence) -> Dispute:
        """Answer a dispute, once and for all."""
        return evidence.submit(self._client, dispute_external_id, given)

    def recall(self, since: datetime) -> Iterator[Fact]:
        """What of ours was told since then, as it is now."""
        return recall.recall(self._client, since, self.fetch)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Verify PayPal's signature and read the event."""
        return events.parse(body, headers, self._certificates)

    def _capture(self, capture_id: str) -> Charge | None:
        found = self._client.find(charges.CAPTURES, capture_id)
        return translate.charge(found) if found else None

    def _refund(self, refund_id: str) -> Refund | None:
        found = self._client.find(refunds.REFUNDS, refund_id)
        return translate.refund(found) if found else None

    def _dispute(self, dispute_id: str) -> Dispute | None:
        found = self._client.find(evidence.DISPUTES, dispute_id)
        return translate.dispute(found) if found else None

    def _method(self, token_id: str) -> MethodChange | None:
        change = setups.method_change(self._client, token_id)
        return change if change.details else None


def build() -> PayPalGateway | None:
    """Where there is an app of ours at PayPal."""
    account = Account.from_settings()
    return PayPalGateway(account) if account.client_id else None
