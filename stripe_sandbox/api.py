"""`/v1`: a request in, Stripe's answer out."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from stripe_sandbox import errors, faults, ids, journal, routes
from stripe_sandbox.bodies import Json, pretty
from stripe_sandbox.call import Call
from stripe_sandbox.messages import Answer, ConnectionCutError, Request
from stripe_sandbox.sdk import operations
from stripe_sandbox.state import State
from stripe_sandbox.webhooks.events import Origin
from stripe_sandbox.wire import forms, idempotency
from stripe_sandbox.wire.expand import expanded

_logger = logging.getLogger(__name__)
_TEST_KEY = re.compile(r"(sk|rk)_test_\w+")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.\w+)?")


class Api:
    """Answers API requests: key, fault, idempotency, validation, operation, expansion."""

    def __init__(self, state: State, public_url: str | None) -> None:
        """Answer from this state; links start with `public_url`, or wherever one was asked."""
        self._state = state
        self._public_url = public_url
        self._keys = idempotency.Keys(state.database)
        routes.load("stripe_sandbox.resources")

    def answer(self, request: Request) -> Answer:
        """Answer one request.

        :raises ConnectionCutError: if a fault asked for no answer at all.
        """
        request_id = ids.new("req", 14)
        try:
            _authenticate(request)
            _check_version(request)
            with self._keys.held(_key(request)), self._suffering(request) as fault:
                answer = self._once(request, request_id, fault)
        except errors.ApiError as error:
            answer = Answer(error.status, pretty(error.body()))
            self._log(request, request_id, error.status, error.message)
        except ConnectionCutError:
            if not journal.cut(self._state.database, request_id):
                self._log(request, request_id, None, journal.CUT)
            raise
        headers = _headers(request, request_id) | dict(answer.headers)
        return Answer(answer.status, answer.body, headers)

    @contextmanager
    def _suffering(self, request: Request) -> Iterator[faults.Fault | None]:
        """Let a planned fault strike before the work or after it."""
        fault = faults.take(self._state.database, request.method, request.path)
        if fault is None:
            yield None
            return
        if fault.moment == "before":
            self._strike(fault)
            yield fault
        else:
            yield fault
            self._strike(fault)

    def _strike(self, fault: faults.Fault) -> None:
        """Wait, cut, or turn away; other errors are answered, and kept, where the work is done."""
        self._state.stopping.wait(fault.delay)
        if fault.action == faults.CUT:
            raise ConnectionCutError
        refusal = fault.error()
        if refusal and not refusal.remembered:
            raise refusal

    def _once(self, request: Request, request_id: str, fault: faults.Fault | None) -> Answer:
        """Answer from memory if the key is known; else do the work and remember."""
        key = _key(request)
        now = self._state.clock()
        with self._state.database.transaction():
            kept = key and self._keys.recall(key, request.path, request.form, now=now)
            if kept:
                self._log(request, request_id, kept.status, "replayed")
                replayed = {"Idempotent-Replayed": "true", "Original-Request": kept.request}
                return Answer(kept.status, kept.body, replayed)
            status, body, error = self._worked(request, request_id, fault)
            answer = pretty(body)
            if key and (error is None or error.remembered):
                memory = idempotency.Kept(request_id, status, answer)
                self._keys.keep(key, request.path, request.form, memory, now=now)
            self._log(request, request_id, status, error.message if error else None)
        return Answer(status, answer, _advice(request_id) if key else {})

    def _worked(
        self, request: Request, request_id: str, fault: faults.Fault | None
    ) -> tuple[int, Json, errors.ApiError | None]:
        """Do the work, unless a fault forbids it, and keep it unless an error undoes it."""
        planned = fault.error() if fault else None
        try:
            if not (planned and fault and fault.moment == "before"):
                body = self._kept_work(request, request_id)
        except errors.ApiError as error:
            planned = planned or error
        except Exception:
            _logger.exception("%s %s failed", request.method, request.path)
            planned = faults.BrokenError("The stand-in has a fault of its own; its log has more.")
        if planned:
            return planned.status, planned.body(), planned
        return 200, body, None

    def _kept_work(self, request: Request, request_id: str) -> Json:
        """Run the operation; what it wrote stays if it succeeds, or if its error says so."""
        refusal: errors.ApiError | None = None
        with self._state.database.attempt():
            try:
                return self._operate(request, request_id)
            except errors.ApiError as error:
                if not error.keeps_work:
                    raise
                refusal = error
        raise refusal

    def _operate(self, request: Request, request_id: str) -> Json:
        found = routes.find(request.method, request.path)
        if found is None or _is_other(request.path, found[0]):
            raise _unrecognized(request)
        route, args = found
        params = route.parameters.read(forms.decode(request.form), "")
        expand = params.pop("expand", [])
        call = Call(
            state=self._state,
            base_url=self._public_url or f"http://{request.host}",
            params=params,
            args=args,
            path=request.path,
            origin=Origin(request_id, _key(request)),
        )
        body = route.operation(call)
        return expanded(
            body,
            expand,
            find=self._state.objects.find,
            include=lambda here, name: _included(call, here, name),
        )

    def _log(self, request: Request, request_id: str, status: int | None, note: str | None) -> None:
        try:
            params: object = forms.decode(request.form)
        except errors.ApiError:
            params = {"unreadable": len(request.form)}
        asked = journal.Asked(request_id, self._state.clock(), request, params, status, note)
        journal.write(self._state.database, asked)


def _included(call: Call, here: Json, name: str) -> Json | None:
    fill = routes.inclusion(here.get("object", ""), name)
    return fill(call, here) if fill else None


def _key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") if request.method == "POST" else None


def _headers(request: Request, request_id: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("stripe-version", stripe.api_version),
    }
    key = _key(request)
    return headers | {"Idempotency-Key": key} if key else headers


def _advice(request_id: str) -> dict[str, str]:
    """Tell clients not to repeat what the key would only replay."""
    return {"Original-Request": request_id, "Stripe-Should-Retry": "false"}


def _authenticate(request: Request) -> None:
    key = _api_key(request.headers.get("authorization", ""))
    if not key:
        raise errors.UnauthorizedError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if key.startswith(("sk_live_", "rk_live_")):
        raise errors.UnauthorizedError(
            "This is a stand-in for Stripe and takes no live key: you sent one that begins with "
            f"'{key[:8]}'. Use a test key, which begins with 'sk_test_', and consider the live "
            "key exposed."
        )
    if not _TEST_KEY.fullmatch(key):
        raise errors.UnauthorizedError(f"Invalid API Key provided: {key[:8]}{'*' * 8}")


def _api_key(authorization: str) -> str:
    """Read the key of a bearer header, or the user name of a basic one."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _check_version(request: Request) -> None:
    version = request.headers.get("stripe-version")
    if version and not _VERSION.fullmatch(version):
        raise errors.MalformedError(f"Invalid Stripe API version: {version}")


def _is_other(path: str, route: routes.Route) -> bool:
    """Say whether a path only looks like this route, and is an operation of its own."""
    return route.template != path and operations.is_spelled_out(path)


def _unrecognized(request: Request) -> errors.ApiError:
    if operations.known(request.path):
        return errors.MalformedError(
            f"Stripe answers {request.method} {request.path}; this stand-in does not yet.",
            status=404,
        )
    return errors.MalformedError(
        f"Unrecognized request URL ({request.method}: {request.path}). Please see "
        "https://docs.stripe.com/api.",
        status=404,
    )
