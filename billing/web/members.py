"""On whose behalf a page is asked for: a person who signed in, or one who came by a link."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from billing.models import PortalSession
from billing.web import visits
from customers.models import Customer, User

SESSION_KEY: Final = "customer"


class _Everything(Container[Any]):
    """Holds whatever one asks for."""

    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Member:
    """The customer whom somebody acts for; `customers` are all they may choose from.

    :param by: how the books name the person, without naming them.
    :param visit: the visit by link; None for who signed in.
    """

    by: str
    customer: Customer
    customers: Sequence[Customer]
    visit: PortalSession | None = None

    @property
    def pages(self) -> Container[str]:
        """The names of the pages that they may ask for; templates offer no other."""
        return _Everything() if self.visit is None else visits.REACHED[self.visit.purpose]

    @property
    def start(self) -> str:
        """The page to which they return when they are done with another."""
        return reverse("billing_home") if self.visit is None else visits.start_of(self.visit)


def of(request: HttpRequest) -> Member | None:
    """Who is asking; None for strangers, and for people who act for nobody yet.

    :raises PermissionDenied: on a visit whose purpose does not reach this page.
    """
    known = vars(request)  # looked up once for each request
    if "member" not in known:
        known["member"] = _visitor(request) if visits.current(request) else _signed_in(request)
    found: Member | None = known["member"]
    return found


def _visitor(request: HttpRequest) -> Member | None:
    visit = visits.current(request)
    if visit is None or not visits.reaches(visit, request):
        raise PermissionDenied
    return Member(f"portal:{visit.pk}", visit.customer, [visit.customer], visit)


def _signed_in(request: HttpRequest) -> Member | None:
    user = request.user
    if not isinstance(user, User):
        return None
    rows = Customer.objects.readable().filter(members__user=user)
    customers = list(rows.order_by("members__pk"))
    if not customers:
        return None
    chosen = request.session.get(SESSION_KEY)
    customer = next((c for c in customers if str(c.pk) == chosen), customers[0])
    return Member(f"user:{user.pk}", customer, customers)
