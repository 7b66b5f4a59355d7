"""What credit a customer has, and what is about to lapse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, Sum

from billing.core.money import Money
from billing.models import CreditGrant
from billing.queries import prepaid
from customers.models import Customer

SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Balance:
    """Credit in one currency.

    :param available: less than what remains by usage that nothing was drawn for yet.
    :param expiring_soon: what of it expires within 30 days.
    """

    remaining: Money
    available: Money
    expiring_soon: Money

    @property
    def currency(self) -> str:
        """In which it is."""
        return self.remaining.currency


def balances(customer: Customer, *, now: datetime) -> list[Balance]:
    """A customer's credit by currency; without those in which they never had any or used any.

    :param now: the customer's present.
    """
    usable = CreditGrant.objects.usable(now).filter(customer=customer).order_by()
    soon = Sum("remaining_minor", filter=Q(expires_at__lte=now + SOON), default=0)
    sums = usable.values_list("currency").annotate(sum=Sum("remaining_minor"), expiring=soon)
    left = {currency: (remaining, expiring) for currency, remaining, expiring in sums}
    missing: dict[str, int] = {}
    for row in prepaid.running(customer, now=now):
        currency = row.charge.currency
        missing[currency] = missing.get(currency, 0) + row.missing.minor
    return [
        Balance(
            Money(remaining, currency),
            Money(remaining - missing.get(currency, 0), currency),
            Money(expiring, currency),
        )
        for currency in sorted({*left, *missing})
        for remaining, expiring in [left.get(currency, (0, 0))]
    ]
