"""Visits by link: how a browser is known on one, and how far it reaches.

A visit has a cookie of its own beside the one of signing in. While it is there, the pages act for
the visit's customer and nobody else; a person who is also signed in finds their own account as it
was when the visit is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing import clock
from billing.models import PortalSession
from billing.models.portal import PortalPurpose
from billing.services import portal

_METHODS: Final = frozenset(
    {
        "payment_methods",
        "payment_method_add",
        "payment_method_confirming",
        "payment_method_default",
        "payment_method_removal",
        "payment_method_remove",
    }
)
# The names of the pages that each purpose reaches. What is not here is not reached: a new page is
# closed to visits until somebody opens it. Never here: who else may act for the customer, how they
# sign in, their tokens, the file of everything that is held on them.
REACHED: Final[Mapping[str, frozenset[str]]] = {
    PortalPurpose.PORTAL: _METHODS
    | {
        "plans",
        "start_plan",
        "billing_home",
        "billing_credit",
        "billing_statement",
        "billing_details",
        "invoices",
        "invoice",
        "invoice_pay",
        "invoice_finish",
        "invoice_back",
        "invoice_withdraw",
        "invoice_refund",
        "invoice_contest",
        "invoice_pdf",
        "credit_note_pdf",
    },
    PortalPurpose.PAYMENT_METHOD: _METHODS,
    # To look at it and to pay it: giving it back and contesting it are not what it was made for.
    PortalPurpose.INVOICE: frozenset(
        {
            "invoice",
            "invoice_pay",
            "invoice_finish",
            "invoice_back",
            "invoice_withdraw",
            "invoice_pdf",
            "payment_method_add",
            "payment_method_confirming",
        }
    ),
}


def current(request: HttpRequest) -> PortalSession | None:
    """The visit that this browser is on."""
    known = vars(request)  # looked up once for each request
    if "portal_session" not in known:
        key = request.COOKIES.get(cookie())
        known["portal_session"] = portal.of_browser(key, now=clock.now()) if key else None
    found: PortalSession | None = known["portal_session"]
    return found


def over(request: HttpRequest) -> PortalSession | None:
    """The visit that this browser was on until it ended."""
    key = request.COOKIES.get(cookie())
    return portal.past_of_browser(key) if key and current(request) is None else None


def reaches(visit: PortalSession, request: HttpRequest) -> bool:
    """Whether the page that is asked for is within a visit's purpose."""
    match = request.resolver_match
    if match is None or match.url_name not in REACHED[visit.purpose]:
        return False
    invoice_id = match.kwargs.get("invoice_id")
    return visit.invoice_id is None or invoice_id in {None, visit.invoice_id}


def start_of(visit: PortalSession) -> str:
    """The page on which a visit begins."""
    if visit.purpose == PortalPurpose.INVOICE:
        return reverse("invoice", kwargs={"invoice_id": visit.invoice_id})
    is_whole = visit.purpose == PortalPurpose.PORTAL
    return reverse("billing_home" if is_whole else "payment_methods")


def remember(response: HttpResponse, key: str) -> None:
    """Give the browser its cookie. It goes when the browser is closed, and is void before: the row
    says how long the visit lasts.
    """
    response.set_cookie(
        cookie(),
        key,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def left(visit: PortalSession, url: str) -> HttpResponse:
    """Away to an address of the product's; the visit is over.

    The cookie stays, which opens nothing any more: who comes back by the browser's own button is
    told so, instead of being asked to sign in.
    """
    portal.end(visit, now=clock.now())
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)


def cookie() -> str:
    """The name of the cookie."""
    return f"{settings.SESSION_COOKIE_NAME}_portal"
