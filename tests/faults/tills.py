"""The money at a gateway, asked of the gateway itself, against the money in our books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import stripe
from django.db.models import Count

from billing.core.lifecycle import AttemptStatus
from billing.gateways.paypal.client import Client
from billing.gateways.paypal.search import instant
from billing.models import JournalLine, Payment, PaymentAttempt, Refund
from tests.gateways.cases import PayPalStandIn, StandIn, paypal_account

Moved = Sequence[tuple[str, int]]  # our reference and an amount in minor units, sorted


class Till(Protocol):
    """What a gateway says that it took and gave back, each charge and refund as one of them."""

    def taken(self) -> Moved: ...
    def returned(self) -> Moved: ...


class StripeTill:
    """Stripe's, at the stand-in."""

    def __init__(self, stand_in: StandIn) -> None:
        self.client = stripe.StripeClient(
            "sk_test_" + "0" * 32, base_addresses={"api": stand_in.url}
        )

    def taken(self) -> Moved:
        """Every intent that succeeded."""
        found = self.client.v1.payment_intents.list({"limit": 100})
        return _of(found, lambda one: one["amount_received"])

    def returned(self) -> Moved:
        """Every refund that succeeded."""
        return _of(self.client.v1.refunds.list({"limit": 100}), lambda one: one["amount"])


class PayPalTill:
    """PayPal's, at the stand-in."""

    def __init__(self, stand_in: PayPalStandIn) -> None:
        self._client = Client(paypal_account(stand_in.url))

    def taken(self) -> Moved:
        """Every payment."""
        return self._moved("T0003")

    def returned(self) -> Moved:
        """Every refund."""
        return self._moved("T1107")

    def _moved(self, code: str) -> Moved:
        query = {
            "start_date": instant(datetime.now(UTC) - timedelta(days=1)),
            "end_date": instant(datetime.now(UTC)),
            "transaction_type": code,
            "page_size": "500",
        }
        answer = self._client.get("/v1/reporting/transactions", query)
        infos = [one["transaction_info"] for one in answer["transaction_details"]]
        return sorted(
            (
                str(info["custom_field"]),
                abs(int(Decimal(info["transaction_amount"]["value"]) * 100)),
            )
            for info in infos
        )


def assert_books_agree(till: Till, gateway: str = "stripe") -> None:
    """The gateway's money is ours to the cent, and nobody paid twice for one thing."""
    taken, returned = till.taken(), till.returned()
    paid = Payment.objects.filter(gateway=gateway)
    assert taken == sorted((str(row.attempt_id), row.amount_minor) for row in paid)
    succeeded = PaymentAttempt.objects.filter(gateway=gateway, status=AttemptStatus.SUCCEEDED)
    assert taken == sorted((str(row.pk), row.amount_minor) for row in succeeded)
    back = Refund.objects.filter(payment__gateway=gateway, status=AttemptStatus.SUCCEEDED)
    assert returned == sorted((str(row.pk), row.amount_minor) for row in back)
    assert cash(gateway) == sum(minor for _, minor in taken) - sum(minor for _, minor in returned)


def assert_charged_once() -> None:
    """Whatever was tried, each invoice was paid by at most one charge, at one gateway."""
    paid = PaymentAttempt.objects.filter(status=AttemptStatus.SUCCEEDED)
    often = paid.values("invoice").annotate(times=Count("pk")).filter(times__gt=1)
    assert not often.exists()


def cash(gateway: str) -> int:
    """What is with a gateway by our journal, had it kept no fees and paid nothing out."""
    lines = JournalLine.objects.filter(account=f"cash:{gateway}")
    lines = lines.exclude(entry__kind__in=["FEE_CHARGED", "PAYOUT_SENT", "PAYOUT_FAILED"])
    return sum(line.amount_minor if line.side == "DEBIT" else -line.amount_minor for line in lines)


def _of(found: Any, amount: Any) -> Moved:  # of the SDK's lists, which share no type
    rows = [one.to_dict() for one in found.data]
    return sorted(
        (str(row["metadata"].get("reference")), int(amount(row)))
        for row in rows
        if row["status"] == "succeeded"
    )
