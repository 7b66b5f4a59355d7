"""Events told, the certificate that proves them, and the check of a signature."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from paypal_sandbox import errors, instants
from paypal_sandbox.call import Call
from paypal_sandbox.links import vault_link
from paypal_sandbox.records import Find
from paypal_sandbox.routes import Reply, operation
from paypal_sandbox.webhooks import events, signing
from stripe_sandbox.bodies import Json
from stripe_sandbox.messages import Answer

_PATH = "/v1/notifications/webhooks-events"
_SIGNED = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time",
           "webhook_id", "webhook_event")  # fmt: skip


@operation("GET", _PATH)
def listed(call: Call) -> Reply:
    """List events, newest first."""
    size = call.number("page_size", 10, most=1000)
    page = call.number("page", 1, most=100_000)
    wanted = _wanted(call, size + 1, (page - 1) * size)
    found = call.state.records.find(wanted)
    links = [vault_link(call.base_url, "self", _address(call, page))]
    if len(found) > size:
        links.append(vault_link(call.base_url, "next", _address(call, page + 1)))
    found = found[:size]
    return Reply(body={"events": found, "count": len(found), "links": links})


@operation("GET", _PATH + "/{id}")
def get(call: Call) -> Reply:
    """Show an event."""
    return Reply(body=_event(call))


@operation("POST", _PATH + "/{id}/resend")
def resend(call: Call) -> Reply:
    """Tell of an event again."""
    found = _event(call)
    events.resend(call.state, found["id"])
    return Reply(202, found)


@operation("GET", signing.CERTIFICATES + "{name}", is_open=True)
def certificate(call: Call) -> Answer:
    """Show the certificate that proves the signatures."""
    signer = call.state.signer
    if call.request.path != signer.certificate_path:
        raise errors.not_found("name")
    return Answer(200, signer.certificate.encode(), {"Content-Type": "application/x-pem-file"})


@operation("POST", "/v1/notifications/verify-webhook-signature")
def verify(call: Call) -> Reply:
    """Say whether a notification is ours, as it came: the event is taken letter by letter."""
    for name in _SIGNED:
        if name not in call.params:
            raise errors.missing(f"/{name}")
    given = {name: str(call.params[name]) for name in _SIGNED if name != "webhook_event"}
    signer = call.state.signer
    message = signing.Message(
        transmission=given["transmission_id"],
        time=given["transmission_time"],
        webhook=given["webhook_id"],
        body=_letters(call.request.body.decode("utf-8", "replace"), "webhook_event"),
    )
    is_ours = (
        given["auth_algo"] == signing.ALGORITHM
        and given["cert_url"] == f"{call.base_url}{signer.certificate_path}"
        and signer.verifies(message, given["transmission_sig"])
    )
    return Reply(body={"verification_status": "SUCCESS" if is_ours else "FAILURE"})


def _wanted(call: Call, limit: int, skip: int) -> Find:
    conditions = [
        ("create_time", sign, instants.fine(instants.read(call.query[name], name)))
        for name, sign in (("start_time", ">="), ("end_time", "<="))
        if name in call.query
    ]
    if "event_type" in call.query:
        conditions.append(("event_type", "=", call.query["event_type"]))
    owner = call.query.get("transaction_id")
    return Find(events.KIND, owner=owner, where=conditions, limit=limit, skip=skip)


def _event(call: Call) -> Json:
    found = call.state.records.get(events.KIND, call.args["id"])
    if found is None:
        raise errors.not_found("event_id")
    return found


def _address(call: Call, page: int) -> str:
    return f"{_PATH}?{urlencode(call.query | {'page': str(page)})}"


def _letters(text: str, wanted: str) -> bytes:
    """Return what stands in a JSON object under a name, exactly as it was written."""
    decoder = json.JSONDecoder()
    at = text.index("{") + 1
    while True:
        at = _past(text, at, " \t\r\n,")
        name, at = decoder.raw_decode(text, at)
        start = _past(text, at, " \t\r\n:")
        _, at = decoder.raw_decode(text, start)
        if name == wanted:
            return text[start:at].encode()


def _past(text: str, at: int, characters: str) -> int:
    while text[at] in characters:
        at += 1
    return at
