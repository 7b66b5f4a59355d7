"""`GET /api/docs/errors`: what each code of the API means, where problems' `type` leads."""

from __future__ import annotations

from collections import defaultdict
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.api.codes import DECLINES, PROBLEMS, Code
from billing.api.errors import TITLES


@require_safe
def error_codes(request: HttpRequest) -> HttpResponse:
    """The registry, by status; for everybody."""
    found: dict[int, list[Code]] = defaultdict(list)
    for code in PROBLEMS.values():
        found[_home(code)].append(code)
    sections = [
        (status, TITLES.get(status, "Told in an answer"), found[status]) for status in sorted(found)
    ]
    page = {"sections": sections, "declines": list(DECLINES.values())}
    return render(request, "billing/error_codes.html", page)


def _home(code: Code) -> int:
    """The status that a code is shown under: the first that is one of failure, or 200."""
    failures = [status for status in code.statuses if status >= HTTPStatus.BAD_REQUEST]
    return min(failures, default=HTTPStatus.OK)
