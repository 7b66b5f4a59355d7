"""On whose behalf a page is asked for: the signed-in person, and one customer of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from customers.models import Customer, User

SESSION_KEY: Final = "customer"


@dataclass(frozen=True, slots=True)
class Member:
    """A person and the customer they act for; `customers` are all they may choose from."""

    user: User
    customer: Customer
    customers: Sequence[Customer]

    @property
    def by(self) -> str:
        """How the books name the person, without naming them."""
        return f"user:{self.user.pk}"


def of(request: HttpRequest) -> Member | None:
    """Who is asking; None for strangers, and for people who act for nobody yet."""
    user = request.user
    if not isinstance(user, User):
        return None
    rows = Customer.objects.readable().filter(members__user=user)
    customers = list(rows.order_by("members__pk"))
    if not customers:
        return None
    chosen = request.session.get(SESSION_KEY)
    return Member(
        user, next((c for c in customers if str(c.pk) == chosen), customers[0]), customers
    )
