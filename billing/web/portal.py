"""Coming by a link, and going back to where one came from."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import clock
from billing.core import lifecycle
from billing.core.errors import ConflictError, NotFoundError
from billing.models import PortalSession
from billing.services import portal
from billing.web import frame, visits
from billing.web.pages import SeeOther


@never_cache
@require_safe
def enter(request: HttpRequest, signed: str) -> HttpResponse:
    """Open a link, once. The browser that did may come again; for others it is worth nothing.

    What only looks is no opening: HEAD, what a browser fetches ahead or into a part of a page.
    There is no page between that would ask for a press of a button: a link is made when somebody
    is about to follow it and lives for minutes, so that no scanner of mail is to be feared.
    """
    try:
        visit = portal.find(signed)
    except NotFoundError as error:
        raise Http404(error.detail) from error
    mine = visits.current(request)
    if mine == visit:
        return SeeOther(visits.start_of(visit))
    if not _is_opening(request):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    try:
        key = portal.enter(visit, leaving=mine, now=clock.now())
    except ConflictError as error:
        return frame.closed(request, visit, why=error.code)
    rotate_token(request)  # as signing in does: nobody has prepared the forms that follow
    response = SeeOther(visits.start_of(visit))
    visits.remember(response, key)
    return response


@never_cache
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the visit and go back to the product."""
    visit = visits.current(request) or visits.over(request)
    return visits.left(visit, visit.return_url) if visit and visit.return_url else SeeOther("/")


@never_cache
@require_safe
def paid(request: HttpRequest) -> HttpResponse:
    """On to where the product thanks for the payment; the visit is over.

    An address of its own, so that a page that looks again by itself, and stops at the redirect to
    here, has not ended the visit by looking.
    """
    visit = visits.current(request) or visits.over(request)
    if visit is None or not visit.success_url or not _is_paid(visit):
        return SeeOther("/")
    return visits.left(visit, visit.success_url)


def _is_paid(visit: PortalSession) -> bool:
    return visit.invoice is not None and visit.invoice.status in lifecycle.ONCE_PAID


def _is_opening(request: HttpRequest) -> bool:
    """Whether somebody has followed the link to see the page; old browsers do not say."""
    said = request.headers
    is_ahead = any(said.get(name) for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    is_page = said.get("Sec-Fetch-Dest", "document") == "document"
    return request.method == "GET" and not is_ahead and is_page
