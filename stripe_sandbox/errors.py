"""Everything that can go wrong in an answer, in Stripe's own words and shape."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stripe_sandbox.bodies import Json

_DOCS = "https://docs.stripe.com/error-codes"


class ApiError(Exception):
    """An answer that is an error.

    `keeps_work` says that what was written so far stays (a declined charge is on record);
    `remembered` says that the answer is kept for the request's idempotency key, which Stripe
    does once an operation has begun, and not for a request it could not even read.
    """

    kind = "invalid_request_error"
    status = 400
    keeps_work = False
    remembered = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        extra: Json | None = None,
    ) -> None:
        """Describe the error; `extra` goes into the error beside the usual fields."""
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.status = status or self.status
        self.extra = extra or {}

    def body(self) -> Json:
        """Return the whole answer."""
        error: Json = {**self.extra}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"{_DOCS}#{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        error["type"] = self.kind
        return {"error": error}


class MalformedError(ApiError):
    """The request's parameters are not of the operation's form; nothing has begun."""

    remembered = False


class UnauthorizedError(ApiError):
    """No key, or one that opens nothing here."""

    status = 401
    remembered = False


class CardError(ApiError):
    """A card was refused; what led to it stays on record."""

    kind = "card_error"
    status = 402
    keeps_work = True


class IdempotencyError(ApiError):
    """An idempotency key was used for two different things, or twice at once."""

    kind = "idempotency_error"
    remembered = False


def missing(param: str) -> MalformedError:
    """Return the error for a required parameter that is not there."""
    return MalformedError(
        f"Missing required param: {param}.", code="parameter_missing", param=param
    )


def unknown(params: Sequence[str]) -> MalformedError:
    """Return the error for parameters the operation does not have."""
    word = "parameter" if len(params) == 1 else "parameters"
    return MalformedError(
        f"Received unknown {word}: {', '.join(params)}", code="parameter_unknown", param=params[0]
    )


def not_a_choice(param: str, choices: Sequence[str]) -> MalformedError:
    """Return the error for a value outside its list."""
    return MalformedError(f"Invalid {param}: must be one of {_any_of(choices)}", param=param)


def invalid(kind: str, value: object, param: str) -> MalformedError:
    """Return the error for a value of the wrong kind (`integer`, `boolean`, `array`, …)."""
    is_telling = isinstance(value, str) and kind not in ("array", "object")
    code = "parameter_invalid_integer" if kind == "integer" else None
    return MalformedError(
        f"Invalid {kind}: {value}" if is_telling else f"Invalid {kind}", code=code, param=param
    )


def empty(param: str) -> MalformedError:
    """Return the error for an empty string where a value cannot be unset."""
    return MalformedError(
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to "
        f"unset a parameter; however '{param}' cannot be unset. You should remove '{param}' from "
        "your request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=param,
    )


def not_yet(params: Collection[str], refused: Collection[str]) -> None:
    """Refuse parameters that Stripe acts on and the stand-in would have to ignore.

    :raises MalformedError: if there is one.
    """
    for param in params:
        if param in refused:
            raise MalformedError(f"This stand-in does not act on `{param}` yet.", param=param)


def no_such(noun: str, object_id: str, param: str, *, status: int = 400) -> ApiError:
    """Return the error for an id that leads nowhere; 404 is for one in the path."""
    return ApiError(
        f"No such {noun}: '{object_id}'", code="resource_missing", param=param, status=status
    )


def unexpected_state(noun: str, message: str, body: Json) -> ApiError:
    """Return the error for an intent that is past what is asked of it."""
    return ApiError(message, code=f"{noun}_unexpected_state", extra={noun: body})


def _any_of(choices: Sequence[str]) -> str:
    shown = [choice for choice in choices if choice]
    if len(shown) < 3:
        return " or ".join(shown)
    return f"{', '.join(shown[:-1])}, or {shown[-1]}"
