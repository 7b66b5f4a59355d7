"""A gateway that pays out what it took, for the page about reconciling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from billing.core.lifecycle import MovementKind, PayoutStatus
from billing.core.money import Money
from billing.gateways.abilities import Movement, Payout
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.models import Payment
from billing.services import settlements

_PAID_OUT_AT: Final = datetime(2026, 5, 2, 9, tzinfo=UTC)
_NAME: Final = "po_1"


class PayingOutGateway(SandboxGateway):
    """Keeps three halves of a per cent, and sends the rest in one payout."""

    def movements(self, since: datetime) -> Iterator[Movement]:
        """Nothing that is not paid out."""
        yield from ()

    def payouts(self, since: datetime) -> Iterator[Payout]:
        """All of it."""
        lines = list(self.paid_out(_NAME))
        net = sum((line.amount.minor - line.fee.minor for line in lines), 0)
        yield Payout(_NAME, Money(net, "EUR"), PayoutStatus.PAID, _PAID_OUT_AT, _PAID_OUT_AT)

    def paid_out(self, payout_external_id: str) -> Iterator[Movement]:
        """A line for each charge."""
        for payment in Payment.objects.select_related("attempt").order_by("pk"):
            assert payment.attempt is not None
            yield Movement(
                f"line-{payment.pk}",
                MovementKind.CHARGE,
                payment.amount,
                Money(payment.amount_minor * 15 // 1000, payment.currency),
                _PAID_OUT_AT,
                source_external_id=payment.attempt.external_id,
            )


def pay_out() -> None:
    """Take over what the gateway has to tell, as a worker does every hour."""
    settlements.take_over("sandbox", since=_PAID_OUT_AT, now=_PAID_OUT_AT)
