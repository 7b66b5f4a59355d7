"""What every page of a customer's has in common: who may see it, and how failure is told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Concatenate, Final, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.core.errors import BillingError, NotFoundError
from billing.web import frame, members, visits
from billing.web.members import Member

_P = ParamSpec("_P")
_MemberView = Callable[Concatenate[HttpRequest, Member, _P], HttpResponseBase]
_View = Callable[Concatenate[HttpRequest, _P], HttpResponseBase]
# What a service says to operators, in words for customers.
_KINDLY: Final[Mapping[str, str]] = {
    "no_gateway": "This cannot be used at the moment. Please try again later, or pay another way.",
}


class SeeOther(HttpResponseRedirect):
    """What was asked is done; its outcome is to be looked at there."""

    status_code = HTTPStatus.SEE_OTHER


def see(name: str, **arguments: Any) -> SeeOther:
    """Send the browser on to one of our pages."""
    return SeeOther(reverse(name, kwargs=arguments))


def go(member: Member, name: str, **arguments: Any) -> SeeOther:
    """The same, or to where their visit began if that page is not part of it."""
    return see(name, **arguments) if name in member.pages else SeeOther(member.start)


def turned_away(request: HttpRequest) -> HttpResponseBase:
    """Who acts for nobody chooses a plan, goes back where they came from, or signs in."""
    if request.user.is_authenticated:
        return see("plans")
    visit = visits.over(request)
    if visit is not None:
        return frame.closed(request, visit, why="visit_over")
    return redirect_to_login(request.get_full_path())


def tries(request: HttpRequest) -> int:
    """How often a page that looks again by itself has looked, by its address."""
    text = request.GET.get("tries", "")
    return min(int(text), 10_000) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def page(view: _MemberView[_P]) -> _View[_P]:
    """A page for members: who is not signed in signs in, who has no customer chooses a plan.

    Dates are shown in the customer's zone. What is not theirs does not exist.
    """
    return require_safe(_for_members(view))


def form_page(view: _MemberView[_P]) -> _View[_P]:
    """The same for a page with a form that is sent to the page itself."""
    return require_http_methods(["GET", "HEAD", "POST"])(_for_members(view))


def command(*, back: str, takes: tuple[str, ...] = ()) -> Callable[[_MemberView[_P]], _View[_P]]:
    """A change by POST. What cannot be done is said, in its own words, on the page `back`.

    :param takes: which of the view's arguments that page's address has.
    """

    def decorated(view: _MemberView[_P]) -> _View[_P]:
        @functools.wraps(view)
        def guarded(
            request: HttpRequest, member: Member, /, *args: _P.args, **kwargs: _P.kwargs
        ) -> HttpResponseBase:
            try:
                return view(request, member, *args, **kwargs)
            except NotFoundError:
                raise
            except BillingError as error:
                messages.error(request, _KINDLY.get(error.code, error.detail))
                return go(member, back, **{name: kwargs[name] for name in takes})

        return require_POST(_for_members(guarded))

    return decorated


def _for_members(view: _MemberView[_P]) -> _View[_P]:
    @never_cache
    @functools.wraps(view)
    def shown(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        member = members.of(request)
        if member is None:
            return turned_away(request)
        with timezone.override(member.customer.zone):
            try:
                return view(request, member, *args, **kwargs)
            except NotFoundError as error:
                raise Http404(error.detail) from error

    return shown
