"""What every endpoint of the contract does the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from billing.api.endpoint import AlwaysJson, Endpoint

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class ExactJsonRenderer(JSONRenderer):
    """Writes a `Decimal` as the JSON number that it is, digit by digit."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """In UTF-8; nothing where there is nothing to say."""
        return b"" if data is None else _ENCODER.encode(data)


class WhateverIsSaid(AlwaysJson):
    """Bodies are JSON whatever their media type: curl says that they are a form's."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        """The first, which is that of JSON."""
        return next(iter(parsers))


class PrismEndpoint(Endpoint):
    """An endpoint with JSON numbers for money, and JSON under any media type."""

    renderer_classes = [ExactJsonRenderer]
    content_negotiation_class = WhateverIsSaid
