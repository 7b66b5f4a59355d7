"""A seller's logo and colours, for everybody to fetch."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from billing.core import schemes
from billing.core.pictures import PictureKind
from billing.models import SellerLogo
from billing.queries import brands

# What names the picture or the colour in its address (`?v=`) makes it good for ever.
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FOR_NOW: Final = "public, max-age=300"


@require_safe
def logo(request: HttpRequest, seller_id: UUID) -> HttpResponse:
    """The picture, as the kind that it is and nothing else."""
    row = get_object_or_404(SellerLogo, pk=seller_id)
    response = HttpResponse(bytes(row.content), content_type=PictureKind(row.kind).media_type)
    # Opened by itself it is a document of ours: it may do nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return _kept(response, request, row.digest)


@require_safe
def style(request: HttpRequest, seller_id: UUID) -> HttpResponse:
    """The colour, with what follows from it so that text can be read, as a style sheet."""
    brand = brands.of_seller(seller_id)
    if brand is None or not brand.colour:
        raise Http404("This seller has no colour.")
    context = {"light": schemes.light(brand.colour), "dark": schemes.dark(brand.colour)}
    response = render(request, "billing/brand.css", context, content_type="text/css")
    return _kept(response, request, brand.colour.removeprefix("#"))


def _kept(response: HttpResponse, request: HttpRequest, version: str) -> HttpResponse:
    is_named = request.GET.get("v") == version
    response.headers["Cache-Control"] = _FOR_EVER if is_named else _FOR_NOW
    return response
