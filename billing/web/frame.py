"""What stands around every page: whose pages these are, and the way out of a visit."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from billing.models import PortalSession
from billing.queries import brands
from billing.queries.brands import Brand
from billing.web import members, visits


class Frame:
    """What templates may ask. Nothing is looked up for one that does not ask."""

    def __init__(self, request: HttpRequest, past: PortalSession | None = None) -> None:
        self._request = request
        self._past = past

    @cached_property
    def visit(self) -> PortalSession | None:
        """The visit by link that this browser is on."""
        return visits.current(self._request)

    @cached_property
    def brand(self) -> Brand | None:
        """Of the seller who writes for the customer; None for our own looks."""
        visit = self._past or self.visit
        if visit is not None:
            return brands.of_customer(visit.customer_id)
        member = members.of(self._request)
        return None if member is None else brands.of_customer(member.customer.pk)

    @property
    def place(self) -> str:
        """What the visit leads back to: the product by its brand, or else by its host."""
        visit = self._past or self.visit
        host = (urlsplit(visit.return_url).hostname or "") if visit else ""
        return self.brand.name if self.brand else host

    @property
    def start(self) -> str:
        """Where the person's way begins."""
        return reverse("landing") if self.visit is None else visits.start_of(self.visit)


def frame(request: HttpRequest) -> dict[str, Frame]:
    """A context processor."""
    return {"frame": Frame(request)}


def closed(request: HttpRequest, visit: PortalSession, *, why: str) -> HttpResponse:
    """That a link or a visit is over, and the way back to the product, which can make another."""
    context = {"frame": Frame(request, visit), "why": why, "back": visit.return_url}
    return render(request, "billing/link_closed.html", context, status=HTTPStatus.GONE)
