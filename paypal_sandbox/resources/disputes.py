"""Cases, and what a merchant may do about them."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

from paypal_sandbox import errors, instants, multipart
from paypal_sandbox.call import Call
from paypal_sandbox.links import link
from paypal_sandbox.payments import disputes
from paypal_sandbox.records import Find
from paypal_sandbox.routes import Reply, operation
from stripe_sandbox.bodies import Json

_FILES = ("evidence_type", "evidence_info", "documents", "notes", "item_id")


@operation("GET", "/v1/customer/disputes")
def listed(call: Call) -> Reply:
    """List cases, newest first."""
    if {"start_time", "disputed_transaction_id"} <= call.query.keys():
        raise errors.invalid(
            "INVALID_PARAMETER_VALUE",
            "Either start_time or disputed_transaction_id, not both.",
            "start_time",
            location="query",
        )
    size = call.number("page_size", 10, most=50)
    skip = _skip(call.query.get("next_page_token"))
    found = [disputes.summary(call.state, one) for one in call.state.records.find(_wanted(call))]
    states = call.query.get("dispute_state")
    if states:
        found = [one for one in found if one["dispute_state"] in states.split(",")]
    page = found[skip : skip + size]
    links = [link(call.base_url, "self", _address(call, skip)),
             link(call.base_url, "first", _address(call, 0))]  # fmt: skip
    if len(found) > skip + size:
        links.append(link(call.base_url, "next", _address(call, skip + size)))
    return Reply(body={"items": page, "links": links})


@operation("GET", disputes.PATH + "{id}")
def get(call: Call) -> Reply:
    """Show a case."""
    return Reply(body=disputes.show(call.state, _dispute(call)))


@operation("POST", disputes.PATH + "{id}/provide-evidence")
def provide_evidence(call: Call) -> Reply:
    """Take evidence: a JSON part and files, of which only name, type and size are kept."""
    if not multipart.is_multipart(call.request):
        raise errors.PayPalError(415, "UNSUPPORTED_MEDIA_TYPE")
    dispute = _dispute(call)
    body, files = multipart.taken_apart(call.request)
    given = body.get("evidences") or [body]
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise errors.missing("/input/evidences")
    kept = [{name: one[name] for name in _FILES if name in one} for one in given]
    if not any(kept):
        raise errors.missing("/input/evidences")
    if files:
        kept[0]["documents"] = [{"name": file.filename} for file in files]
    disputes.answer(call.state, dispute, kept)
    return _done(call)


@operation("POST", disputes.PATH + "{id}/accept-claim")
def accept_claim(call: Call) -> Reply:
    """Give in."""
    if not multipart.is_multipart(call.request):
        call.params  # noqa: B018 - what is sent must be JSON, then
    disputes.give_in(call.state, _dispute(call))
    return _done(call)


def _wanted(call: Call) -> Find:
    conditions = [
        (name, sign, instants.fine(instants.read(call.query[parameter], parameter)))
        for parameter, name, sign in (
            ("start_time", "create_time", ">="),
            ("update_time_after", "update_time", ">="),
            ("update_time_before", "update_time", "<="),
        )
        if parameter in call.query
    ]
    owner = call.query.get("disputed_transaction_id")
    return Find(disputes.KIND, owner=owner, where=conditions)


def _dispute(call: Call) -> Json:
    found = call.state.records.get(disputes.KIND, call.args["id"])
    if found is None:
        raise errors.not_found()
    return found


def _done(call: Call) -> Reply:
    path = f"{disputes.PATH}{call.args['id']}"
    return Reply(body={"links": [link(call.base_url, "self", path)]})


def _address(call: Call, skip: int) -> str:
    query = {name: value for name, value in call.query.items() if name != "next_page_token"}
    if skip:
        query["next_page_token"] = base64.b64encode(str(skip).encode()).decode()
    return f"{call.request.path}?{urlencode(query)}"


def _skip(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token))
    except (binascii.Error, ValueError):
        raise errors.invalid(
            "INVALID_PARAMETER_VALUE", "A parameter value is not valid.", "next_page_token",
            location="query",
        ) from None  # fmt: skip
