"""What every endpoint does the same way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import idempotency, rate_limits
from billing.api.fields import Strict
from billing.api.openapi import EndpointSchema
from billing.api.parsing import StrictJsonParser
from billing.api.permissions import is_reading
from billing.api.preconditions import is_known, require_match
from billing.api.tokens import Caller
from billing.core.errors import NotFoundError
from billing.core.rate_classes import RateClass
from billing.services import locks

# What a 304 says of the answer that it stands for.
_KEPT: Final = ("ETag", "Cache-Control")

_ETAG_LENGTH: Final = 20
_Serializer = TypeVar("_Serializer", bound="serializers.BaseSerializer[Any]")


class AlwaysJson(BaseContentNegotiation):
    """JSON is answered whatever is asked for."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        """The one that takes the body's media type; None is answered 415."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if _takes(parser, media_type)), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The first, which is JSON."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class Endpoint(APIView):
    """Strict bodies and query parameters, idempotent POSTs, `ETag` and `Location`.

    What is read and named by `If-None-Match` already is answered 304.

    A method parses with `read` or `filtered`, makes one call, and answers.
    """

    parser_classes = [StrictJsonParser]
    content_negotiation_class = AlwaysJson
    metadata_class = None
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    schema = EndpointSchema()

    operator_only: ClassVar[frozenset[str]] = frozenset()
    # Which limit its calls count for; None: reading's or writing's.
    rate_class: ClassVar[RateClass | None] = None
    # What these methods take in their query; nothing where it is None.
    filters: ClassVar[type[Strict] | None] = None
    filtered_methods: ClassVar[frozenset[str]] = frozenset({"GET", "HEAD"})
    # What stands in the address of what a POST makes.
    identity: ClassVar[str] = "id"
    # Whether it writes nothing whatever the method: then a read-only token may call it.
    is_only_reading: ClassVar[bool] = False
    # Whether what is read is named by an `ETag`, though it has neither `version` nor `id`.
    is_tagged_by_content: ClassVar[bool] = False
    # Whether the `ETag` is the `version`; if not, more is shown than the version counts.
    is_tagged_by_version: ClassVar[bool] = True
    # Whether a POST's work and its stored answer are one transaction (see `idempotency`).
    is_atomic: ClassVar[bool] = True
    # Secrets in a POST's answer: no answer is stored with them, so that repetitions have null.
    shown_once: ClassVar[frozenset[str]] = frozenset()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As DRF does it, but for POSTs, which go through `idempotency.once`."""
        self.args, self.kwargs = args, kwargs
        wrapped = self.initialize_request(request, *args, **kwargs)
        self.request = wrapped
        self.headers = self.default_response_headers
        try:
            self.initial(wrapped, *args, **kwargs)
            response = self._call(wrapped, *args, **kwargs)
        except Exception as failure:  # every failure is answered as a problem
            response = self.handle_exception(failure)
        self.response = self.finalize_response(wrapped, response, *args, **kwargs)
        return self.response

    def perform_authentication(self, request: Request) -> None:
        """Know who calls, and count the call: by token, or by address without a valid one.

        :raises AuthenticationFailed: if a token came that is not valid.
        :raises RateLimitedError: if it is one too many.
        """
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self.count(request, None)
            raise
        who: object = request.user
        self.count(request, who if isinstance(who, Caller) else None)

    def count(self, request: Request, who: Caller | None) -> None:
        """Count a call for who makes it.

        :raises RateLimitedError: if it is one too many.
        """
        if who is None:
            rate_limits.count(request, RateClass.ANONYMOUS, None)
            return
        by_method = RateClass.READ if is_reading(request, self) else RateClass.WRITE
        rate_limits.count(request, self.rate_class or by_method, who.token)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, permit, and refuse a query that nobody would read."""
        super().initial(request, *args, **kwargs)
        is_filtered = self.filters is not None and request.method in self.filtered_methods
        if request.query_params and not is_filtered:
            raise serializers.ValidationError(
                {name: ["There is no such parameter."] for name in request.query_params},
                "unknown_field",
            )

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Give single objects their `ETag`, and say where what was made can be read."""
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        shown = getattr(final, "data", None)  # what is streamed has none
        if not isinstance(shown, dict) or final.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            return final
        if self.is_tagged_by_content or "version" in shown or "id" in shown:
            final.headers["ETag"] = self.etag(shown)
        if final.status_code == HTTPStatus.CREATED and self.identity in shown:
            address = f"{request.path}/{shown[self.identity]}"
            if _is_readable(address):
                final.headers["Location"] = address
        return self._unless_known(request, final)

    def etag(self, shown: Any) -> str:
        """Names the state of an object as it is shown."""
        if "version" in shown and self.is_tagged_by_version:
            return f'"{shown["version"]}"'
        whole = json.dumps(shown, sort_keys=True, default=str)
        return f'"{hashlib.sha256(whole.encode()).hexdigest()[:_ETAG_LENGTH]}"'

    def read(self, shape: type[_Serializer]) -> dict[str, Any]:
        """The body's fields.

        :raises ValidationError: naming every field at fault.
        """
        return _valid(shape(data=self.request.data))

    def filtered(self) -> dict[str, Any]:
        """The query's fields.

        :raises ValidationError: naming every parameter at fault.
        """
        query = self.request.query_params
        twice = [name for name, values in query.lists() if len(values) > 1]
        if twice:
            raise serializers.ValidationError({name: ["Only once."] for name in twice})
        if self.filters is None:
            return {}
        return _valid(self.filters(data=query.dict()))

    def _unless_known(self, request: Request, answer: Response) -> Response:
        """304 where the caller has what is read already."""
        etag = answer.headers.get("ETag")
        is_read = request.method in SAFE_METHODS and answer.status_code == 200
        if etag is None or not is_read or not is_known(request, etag):
            return answer
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        return super().finalize_response(request, Response(status=304, headers=kept))

    def _call(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        call = partial(handler or self.http_method_not_allowed, request, *args, **kwargs)
        if method == "patch" and handler is not None and not self.is_tagged_by_version:
            return self._unchanged(request, call, *args, **kwargs)
        if method != "post" or handler is None:
            return call()
        terms = idempotency.Terms(self.handle_exception, self.is_atomic, self.shown_once)
        return idempotency.once(request, call, terms)

    def _unchanged(
        self, request: Request, call: Callable[[], Response], *args: Any, **kwargs: Any
    ) -> Response:
        """A PATCH of what is shown as `If-Match` says it is, while no other PATCH comes between."""
        if "If-Match" not in request.headers:
            return call()
        with transaction.atomic():
            locks.name(f"patch {request.path}")
            shown: Response = self.get(request, *args, **kwargs)  # type: ignore[attr-defined]
            require_match(request, self.etag(shown.data))
            return call()


class Nowhere(Endpoint):
    """Any other address."""

    authentication_classes = []
    permission_classes = []
    schema = None  # type: ignore[assignment]  # it stands in no document

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is here, whatever the method.

        :raises NotFoundError: always; unless RateLimitedError is.
        """
        self.count(request, None)
        raise NotFoundError(f"There is nothing at {request.path}.", code="not_found")


def _takes(parser: BaseParser, media_type: str) -> bool:
    return parser.media_type == media_type or media_type in getattr(parser, "also", ())


def _is_readable(address: str) -> bool:
    view: Any = getattr(resolve(address).func, "view_class", None)
    return view is not Nowhere and hasattr(view, "get")


def _valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    fields: dict[str, Any] = serializer.validated_data
    return fields
