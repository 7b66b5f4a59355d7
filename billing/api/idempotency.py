"""`Idempotency-Key`: the same POST twice is once.

Three things together, each for its own danger:

* a row, unique by token and key, says what was asked and, later, what was answered;
* an advisory lock is held while the request runs. PostgreSQL lets go of it when its holder dies,
  so a row without an answer whose lock is free is a first call that died, and not one that runs;
* the answer is stored in the transaction that does the work, so that a call that died has either
  done nothing, and simply runs again, or left its answer.

A secret that is shown once (`Endpoint.shown_once`) is stored nowhere: the answer is kept without
it. A repetition makes no second one, and says null where it stood.

Commands that must commit on their own, because they speak to a gateway or move time, cannot be
in that transaction (`Endpoint.is_atomic`). After a death, or when whether a gateway heard is not
known, they run again and rest on facts of their own: a usage event's id, a clock that stands there
already, a subscription that was moved. What has no such name is made under the id that its key
was given (`effect_id`): a checkout session, which is also what the gateway knows it by, or an
answer to a dispute. So a repetition finds what was begun, and goes on with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import transaction
from django.utils.encoding import force_str
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from uuid_utils.compat import uuid7

from billing import clock
from billing.api.errors import MEDIA_TYPE, KeyReusedError
from billing.api.tokens import caller
from billing.core.errors import ConflictError, InvalidError
from billing.models import ApiRequest
from billing.services import locks

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_NOT_STORED: Final = frozenset({409, 429})

Call = Callable[[], Response]
OnError = Callable[[Exception], Response]


class Replayed(Response):
    """A stored answer, letter by letter: no number in it is read and written anew."""

    def __init__(self, row: ApiRequest) -> None:
        status = row.status_code or 0
        super().__init__(
            json.loads(row.body) if row.body else None,
            status=status,
            headers={REPLAYED: "true"},
            content_type=MEDIA_TYPE if status >= 400 else JSONRenderer.media_type,
        )
        self._stored = row.body

    @property
    def rendered_content(self) -> str:
        """As it was rendered the first time."""
        if self._stored:
            self.headers["Content-Type"] = str(self.content_type)
        else:
            del self.headers["Content-Type"]
        return self._stored


@dataclass(frozen=True, slots=True)
class Terms:
    """How an endpoint's calls are run.

    :param on_error: turns an exception of a call into an answer.
    :param is_atomic: whether a call may run inside a transaction with storing its answer.
    :param shown_once: members of the answer that are stored as null.
    """

    on_error: OnError
    is_atomic: bool
    shown_once: frozenset[str]


def once(request: Request, call: Call, terms: Terms) -> Response:
    """Answer a POST; one that carries a key at most once.

    :raises KeyReusedError: if the key was used for another request.
    :raises ConflictError: if the first call is still running.
    """
    key = _key(request)
    if key is None:
        return call()
    token = caller(request).token
    with locks.alone("api_request", uuid5(token.pk, key)) as is_ours:
        row = _row(request, key, is_ours=is_ours, now=clock.now())
        if row is not None and row.fingerprint != fingerprint(request):
            raise KeyReusedError(
                "This idempotency key was used for another request.", code="idempotency_key_reused"
            )
        if row is not None and row.status_code is not None:
            return Replayed(row)
        if row is None or not is_ours:
            raise ConflictError(
                "The first request with this idempotency key is still running.",
                code="idempotency_key_in_progress",
            )
        return _run(request, row, call, terms)


def effect_id(request: Request) -> UUID:
    """The id of what a POST makes: the same when it is run again under its key."""
    rows = ApiRequest.objects.filter(token=caller(request).token, key=_key(request))
    return rows.values_list("effect_id", flat=True).first() or uuid7()


def fingerprint(request: Request) -> str:
    """What makes two requests the same: method, path and body, however that is laid out."""
    body = json.dumps(request.data, sort_keys=True, default=str)
    whole = f"{request.method} {request.get_full_path()}\n{body}"
    return hashlib.sha256(whole.encode()).hexdigest()


def _key(request: Request) -> str | None:
    """The header's key, or the one that a body may carry (api.md, section 6)."""
    key = request.headers.get(HEADER)
    body = request.data if isinstance(request.data, dict) else {}
    in_body = body.get("idempotency_key")
    if key is None and isinstance(in_body, str):
        key = in_body
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidError(
            "An idempotency key has 1 to 255 printable ASCII characters.",
            code="invalid_idempotency_key",
        )
    return key


def _row(request: Request, key: str, *, is_ours: bool, now: datetime) -> ApiRequest | None:
    """The key's row; only who holds its lock makes one."""
    named = {"token": caller(request).token, "key": key}
    if not is_ours:
        return ApiRequest.objects.filter(**named).first()
    row, _ = ApiRequest.objects.get_or_create(
        **named,
        defaults={
            "fingerprint": fingerprint(request),
            "effect_id": uuid7(),
            "created_at": now,
        },
    )
    return row


def _run(request: Request, row: ApiRequest, call: Call, terms: Terms) -> Response:
    together: AbstractContextManager[Any] = (
        transaction.atomic() if terms.is_atomic else nullcontext()
    )
    try:
        with together:
            response = call()
            _store(request, row, response, terms)
    except Exception as failure:  # every failure is an answer to be kept or not
        response = terms.on_error(failure)
        _store(request, row, response, terms)
    return response


def _store(request: Request, row: ApiRequest, response: Response, terms: Terms) -> None:
    """Keep the answer, or forget the request where asking again may end differently.

    A failure that a call may have had an effect in spite of leaves the row without an answer: the
    next one with its key goes on with that.
    """
    stored = ApiRequest.objects.filter(pk=row.pk)
    has_failed = response.status_code >= 500
    if has_failed and not terms.is_atomic:
        return
    if has_failed or response.status_code in _NOT_STORED:
        stored.delete()
        return
    body = "" if response.data is None else _rendered(request, response.data, terms.shown_once)
    stored.update(status_code=response.status_code, body=body)


def _rendered(request: Request, shown: Any, shown_once: frozenset[str]) -> str:
    """An answer as it is stored: what may be seen once is in the first answer only."""
    kept = {**shown, **dict.fromkeys(shown_once & shown.keys())} if shown_once else shown
    return force_str(request.accepted_renderer.render(kept))
