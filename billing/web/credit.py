"""A customer's credit: what is left, what it came of, and what it was used for."""

from __future__ import annotations

from typing import Final

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing import clock
from billing.core.money import Money
from billing.models import CreditDraw, CreditGrant
from billing.models.credit import DrawKind, GrantKind
from billing.queries import credit as queries
from billing.web.members import Member
from billing.web.pages import page

_USES: Final = {
    DrawKind.INVOICE: "Invoice",
    DrawKind.USAGE: "Usage",
    DrawKind.REFUND: "Refunded",
    DrawKind.EXPIRY: "Expired",
    DrawKind.VOID: "Taken back",
}
_KINDS: Final = {GrantKind.PAID: "Paid", GrantKind.PROMOTIONAL: "A present"}


@page
def credit(request: HttpRequest, member: Member) -> HttpResponse:
    """All of it, newest first."""
    customer = member.customer
    draws = Prefetch("draws", CreditDraw.objects.select_related("invoice").order_by("-pk"))
    grants = CreditGrant.objects.filter(customer=customer).prefetch_related(draws)
    return render(
        request,
        "billing/credit.html",
        {
            "member": member,
            "balances": queries.balances(customer, now=customer.lives_at(clock.now())),
            "grants": [
                (row, _KINDS[GrantKind(row.kind)], [_use(draw, row) for draw in row.draws.all()])
                for row in grants.order_by("-created_at", "-pk")
            ],
        },
    )


def _use(draw: CreditDraw, grant: CreditGrant) -> tuple[CreditDraw, str, Money]:
    """A draw, what it was for, and how much; negative where it was given back."""
    return draw, _USES[DrawKind(draw.kind)], Money(draw.amount_minor, grant.currency)
