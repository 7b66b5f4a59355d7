"""PayPal's paths: a request in, PayPal's answer out."""

from __future__ import annotations

import json
import logging

from paypal_sandbox import errors, ids, multipart, oauth, request_ids, routes
from paypal_sandbox.call import Call
from paypal_sandbox.messages import Request
from paypal_sandbox.routes import Reply, Route
from paypal_sandbox.state import State
from stripe_sandbox import faults, journal
from stripe_sandbox.bodies import Json, dumps
from stripe_sandbox.messages import Answer, ConnectionCutError

_logger = logging.getLogger(__name__)
_TOKEN = "/v1/oauth2/token"  # noqa: S105 - a path
_MINIMAL = ("id", "status", "links")
_PLANNED = {
    "429": (429, "RATE_LIMIT_REACHED"),
    "500": (500, "INTERNAL_SERVER_ERROR"),
    "503": (503, "SERVICE_UNAVAILABLE"),
}


class Api:
    """Answers API requests: fault, token, request id, operation, representation."""

    def __init__(self, state: State, client: tuple[str, str] | None) -> None:
        """Answer from this state, to this client or to any."""
        self._state = state
        self._client = client
        self._ids = request_ids.RequestIds(state.database)
        routes.load("paypal_sandbox.resources")

    def answer(self, request: Request) -> Answer:
        """Answer one request.

        :raises ConnectionCutError: if a fault asked for no answer at all.
        """
        debug_id = ids.debug()
        status: int | None = None
        note: str | None = journal.CUT
        try:
            answer, note = self._alone(request, debug_id)
            status = answer.status
        finally:
            self._log(request, debug_id, status, note)
        return Answer(answer.status, answer.body, _headers(debug_id) | dict(answer.headers))

    def _alone(self, request: Request, debug_id: str) -> tuple[Answer, str | None]:
        """Answer while no other request with the same id is answered, however slowly."""
        found = routes.find(request.method, request.path)
        try:
            with self._ids.held(request_ids.key_of(found[0], request) if found else None):
                return self._suffered(request, debug_id)
        except errors.PayPalError as error:
            return _refusal(error, debug_id), str(error)

    def _suffered(self, request: Request, debug_id: str) -> tuple[Answer, str | None]:
        """Answer, and let a planned fault strike before the work or after it."""
        fault = faults.take(self._state.database, request.method, request.path)
        if fault and fault.moment == "before":
            struck = self._strike(fault, debug_id)
            if struck:
                return struck, f"fault: {fault.action}"
        answer, note = self._answered(request, debug_id)
        if fault and fault.moment == "after":
            struck = self._strike(fault, debug_id)
            if struck:
                return struck, f"fault: {fault.action}"
        return answer, note

    def _strike(self, fault: faults.Fault, debug_id: str) -> Answer | None:
        """Wait, cut, or answer with the error that was planned."""
        self._state.stopping.wait(fault.delay)
        if fault.action == faults.CUT:
            raise ConnectionCutError
        if fault.action == "502":
            # What stands before PayPal answers this one, and not in JSON.
            return Answer(502, b"<h1>Bad Gateway</h1>", {"Content-Type": "text/html"})
        if fault.action in _PLANNED:
            return _refusal(errors.PayPalError(*_PLANNED[fault.action]), debug_id)
        return None

    def _answered(self, request: Request, debug_id: str) -> tuple[Answer, str | None]:
        if (request.method, request.path) == ("POST", _TOKEN):
            return oauth.issue(self._state, request, self._client), None
        try:
            return self._operated(request)
        except errors.PayPalError as error:
            return _refusal(error, debug_id), str(error)
        except Exception:
            _logger.exception("%s %s failed", request.method, request.path)
            broken = errors.PayPalError(500, "INTERNAL_SERVER_ERROR")
            return _refusal(broken, debug_id), "The stand-in has a fault of its own."

    def _operated(self, request: Request) -> tuple[Answer, str | None]:
        """Answer from memory if the request's id is known; else do the work and remember."""
        found = routes.find(request.method, request.path)
        if found is None:
            raise errors.not_found()
        route, args = found
        if not route.is_open:
            oauth.check(self._state, request)
        call = Call(self._state, request, args)
        key = request_ids.key_of(route, request)
        with self._state.database.transaction():
            kept = key and self._ids.recall(key, route, request, now=call.now())
            if kept:
                return _replayed(call, route, kept), "replayed"
            return self._worked(call, route, key), None

    def _worked(self, call: Call, route: Route, key: str | None) -> Answer:
        """Do the work and keep what came of it; undo it if it ends in an error."""
        until = call.now() + route.kept
        try:
            with self._state.database.attempt():
                reply = route.operation(call)
        except errors.PayPalError as error:
            if not (key and error.kept):
                raise
            refusal = error.body(ids.debug())
            kept = request_ids.Kept(error.status, refusal=refusal)
            self._ids.keep(key, call.request, kept, until=until)
            return _json(error.status, refusal)
        if isinstance(reply, Answer):
            return reply
        if key and reply.made:
            kept = request_ids.Kept(reply.status, made=reply.made)
            self._ids.keep(key, call.request, kept, until=until)
        return _represented(call, route, reply)

    def _log(self, request: Request, debug_id: str, status: int | None, note: str | None) -> None:
        asked = journal.Asked(
            debug_id, self._state.clock(), request, _params(request), status, note
        )
        journal.write(self._state.database, asked)


def _replayed(call: Call, route: Route, kept: request_ids.Kept) -> Answer:
    """Answer a repetition: 200, with what was made as it is now; or the refusal there was."""
    if kept.made is None:
        return _json(kept.status, kept.refusal)
    return _represented(call, route, Reply(200, made=kept.made))


def _represented(call: Call, route: Route, reply: Reply) -> Answer:
    """Write an answer, as much of it as the caller prefers."""
    body = routes.show(call, reply.made) if reply.made else reply.body
    if body is None:
        return Answer(reply.status)
    wants_all = "return=representation" in call.request.headers.get("prefer", "")
    if route.prefers and not wants_all:
        body = {name: body[name] for name in _MINIMAL if name in body}
    return _json(reply.status, body)


def _refusal(error: errors.PayPalError, debug_id: str) -> Answer:
    return _json(error.status, error.body(debug_id))


def _json(status: int, body: object) -> Answer:
    return Answer(status, dumps(body).encode())


def _headers(debug_id: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "PayPal-Debug-Id": debug_id}


def _params(request: Request) -> object:
    """Return what a request said, for the log; of files only what they are called and how big."""
    if multipart.is_multipart(request):
        return [part.described() for part in multipart.parts(request)]
    query: Json = dict(request.query)
    if not request.body:
        return query
    try:
        body = json.loads(request.body)
    except ValueError:
        return query | {"body": request.form}
    return query | body if isinstance(body, dict) else query | {"body": body}
