"""The headers of the limits, on every answer of the API; and the limit of what is no `Endpoint`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from billing.api import rate_limits
from billing.api.endpoint import Endpoint
from billing.api.errors import MEDIA_TYPE, problem
from billing.api.rate_limits import RateLimitedError
from billing.core.rate_classes import RateClass

_PREFIX: Final = "/api/"


class RateLimitMiddleware:
    """Endpoints count their calls, for they know whose they are; the rest is counted here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if rate_limits.standing(request) is None and request.path.startswith(_PREFIX):
            with contextlib.suppress(RateLimitedError):  # it is answered already
                rate_limits.count(request, RateClass.ANONYMOUS, None)
        if (standing := rate_limits.standing(request)) is not None:
            for name, value in standing.headers.items():
                response.headers[name] = value
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """The document and its page, which anybody may have, count by address."""
        is_endpoint = issubclass(getattr(view, "view_class", object), Endpoint)
        if is_endpoint or not request.path.startswith(_PREFIX):
            return None
        try:
            rate_limits.count(request, RateClass.ANONYMOUS, None)
        except RateLimitedError as failure:
            found = problem(failure)
            return JsonResponse(
                found.body, status=found.status, headers=found.headers, content_type=MEDIA_TYPE
            )
        return None
