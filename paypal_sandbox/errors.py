"""Everything that can go wrong in an answer, in PayPal's own names and shape."""

from __future__ import annotations

from stripe_sandbox.bodies import Json

_DOCS = "https://developer.paypal.com/api/rest/responses/"

_MESSAGES = {
    "INVALID_REQUEST": "Request is not well-formed, syntactically incorrect, or violates schema.",
    "AUTHENTICATION_FAILURE": "Authentication failed due to missing authorization header, or "
    "invalid authentication credentials.",
    "RESOURCE_NOT_FOUND": "The specified resource does not exist.",
    "RESOURCE_CONFLICT": "The server has detected a conflict while processing this request.",
    "UNSUPPORTED_MEDIA_TYPE": "The server does not support the request payload's media type.",
    "UNPROCESSABLE_ENTITY": "The requested action could not be performed, semantically "
    "incorrect, or failed business validation.",
    "RATE_LIMIT_REACHED": "Too many requests. Blocked due to rate limiting.",
    "INTERNAL_SERVER_ERROR": "An internal server error has occurred.",
    "SERVICE_UNAVAILABLE": "Service Unavailable.",
}


class PayPalError(Exception):
    """An answer that is an error.

    `kept` says that the answer is kept for the request's id, as that of a payment that was
    tried and refused; what was never tried may be tried again under the same id.
    """

    def __init__(
        self, status: int, name: str, details: list[Json] | None = None, *, kept: bool = False
    ) -> None:
        """Name the error; its message follows from the name."""
        issue = details[0]["issue"] if details else name
        super().__init__(f"{name}: {issue}" if details else name)
        self.status = status
        self.name = name
        self.details = details or []
        self.kept = kept

    def body(self, debug_id: str) -> Json:
        """Return the whole answer."""
        body: Json = {
            "name": self.name,
            "message": _MESSAGES[self.name],
            "debug_id": debug_id,
        }
        if self.details:
            issue = self.details[0]["issue"]
            body["details"] = self.details
            body["links"] = [
                {"href": f"{_DOCS}#{issue}", "rel": "information_link", "method": "GET"}
            ]
        return body


def invalid(issue: str, description: str, field: str, *, location: str = "body") -> PayPalError:
    """Return the error for a request that is not of the operation's form; nothing has begun."""
    detail = {"field": field, "location": location, "issue": issue, "description": description}
    return PayPalError(400, "INVALID_REQUEST", [detail])


def missing(field: str, *, location: str = "body") -> PayPalError:
    """Return the error for a required parameter that is not there."""
    return invalid(
        "MISSING_REQUIRED_PARAMETER", "A required parameter is missing.", field, location=location
    )


def not_a_choice(field: str) -> PayPalError:
    """Return the error for a value outside its list."""
    return invalid("INVALID_PARAMETER_VALUE", "A parameter value is not valid.", field)


def not_supported(field: str, description: str) -> PayPalError:
    """Return the error for what PayPal acts on and the stand-in does not."""
    return invalid("NOT_SUPPORTED", f"Not in this stand-in: {description}", field)


def refused(
    issue: str, description: str, *, field: str | None = None, kept: bool = False
) -> PayPalError:
    """Return the error for what was understood and cannot be done."""
    detail: Json = {"issue": issue, "description": description}
    if field:
        detail = {"field": field, "location": "body"} | detail
    return PayPalError(422, "UNPROCESSABLE_ENTITY", [detail], kept=kept)


def not_found(name: str = "id") -> PayPalError:
    """Return the error for an id that leads nowhere."""
    detail = {
        "field": name,
        "location": "path",
        "issue": "INVALID_RESOURCE_ID",
        "description": "Specified resource ID does not exist. Please check the resource ID and "
        "try again.",
    }
    return PayPalError(404, "RESOURCE_NOT_FOUND", [detail])


def in_progress() -> PayPalError:
    """Return the error for a request whose first sending is still being answered."""
    detail = {
        "issue": "PREVIOUS_REQUEST_IN_PROGRESS",
        "description": "A previous request on this resource is currently in progress. Please "
        "wait for some time and try again.",
    }
    return PayPalError(409, "RESOURCE_CONFLICT", [detail])
