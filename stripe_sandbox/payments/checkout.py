"""What a Checkout Session goes through, from being opened to being complete or expired."""

from __future__ import annotations

from stripe_sandbox import ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.errors import ApiError
from stripe_sandbox.fields import metadata
from stripe_sandbox.payments import kinds, mandates, methods, payment_intents, setup_intents
from stripe_sandbox.payments.payment_intents import Manner

KIND = "checkout.session"
_OFFERED = {"setup": ("card", "sepa_debit"), "payment": ("card",)}
_PAID = ("succeeded", "requires_capture")


def require_kinds(types: list[str], mode: str, currency: str | None) -> None:
    """Refuse kinds of payment method that the page could not take.

    :raises ApiError: naming the parameter to change.
    """
    offered = _OFFERED[mode]
    for kind in types:
        if kind not in offered:
            raise ApiError(
                f"This stand-in's page takes {' and '.join(offered)} in `{mode}` mode, and no "
                f"'{kind}' yet.",
                param="payment_method_types",
            )
    if currency:
        kinds.require_currency(types, currency)


def current(call: Call, session: Json) -> Json:
    """Return a session as it is now: one whose time is over has expired."""
    if session["status"] == "open" and session["expires_at"] <= call.now(session["customer"]):
        return expire(call, session)
    return session


def expire(call: Call, session: Json) -> Json:
    """Close a session that nobody completed.

    :raises ApiError: if it is not open.
    """
    if session["status"] != "open":
        raise ApiError(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    intent = _intent(call, session)
    if intent and intent["object"] == "setup_intent" and intent["status"] != "succeeded":
        setup_intents.cancel(call, intent, "abandoned")
    elif intent and intent["object"] == "payment_intent":
        payment_intents.cancel(call, intent, "abandoned")
    return call.change(
        session, {"status": "expired", "url": None}, event="checkout.session.expired"
    )


def submit(call: Call, session: Json, method: Json) -> Json:
    """Use the payment method a person entered; complete the session unless a challenge is due.

    :raises CardError: if the card is refused; the session stays open for another.
    """
    way_back = f"{call.base_url}/c/return/{session['id']}"
    if session["mode"] == "setup":
        intent = call.fetch("setup_intent", session["setup_intent"], "setup_intent")
        intent = call.change(intent, _chosen(method))
        setup_intents.confirm(call, intent, return_url=way_back, leave=mandates.ON_PAGE)
    else:
        session = _with_payment_intent(call, session)
        intent = call.fetch("payment_intent", session["payment_intent"], "payment_intent")
        intent = call.change(intent, _chosen(method))
        payment_intents.confirm(call, intent, Manner(return_url=way_back))
    return finish(call, session)


def finish(call: Call, session: Json) -> Json:
    """Complete a session whose intent has done its work; leave it open otherwise."""
    intent = _intent(call, session)
    if session["status"] != "open" or intent is None or intent["status"] not in _PAID:
        return session
    method = call.fetch("payment_method", intent["payment_method"], "payment_method")
    session = _with_customer(call, session, method)
    details = method["billing_details"]
    changes = {
        "customer_details": {
            "address": details["address"],
            "email": session["customer_email"] or details["email"],
            "name": details["name"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "payment_status": "paid" if session["mode"] == "payment" else "no_payment_required",
        "status": "complete",
        "url": None,
    }
    return call.change(session, changes, event="checkout.session.completed")


def challenge_url(call: Call, session: Json) -> str | None:
    """Return where the card's holder must go first, if anywhere."""
    intent = _intent(call, session)
    if intent is None or intent["status"] != "requires_action":
        return None
    return str(intent["next_action"]["redirect_to_url"]["url"])


def last_error(call: Call, session: Json) -> str | None:
    """Return why the last card did not do."""
    intent = _intent(call, session) or {}
    error = intent.get("last_setup_error") or intent.get("last_payment_error") or {}
    found: str | None = error.get("message")
    return found


def new_setup_intent(call: Call, session: Json, wanted: Json) -> Json:
    """Create the intent a session in setup mode works on."""
    intent_id = ids.new("seti")
    return call.create(
        "setup_intent",
        {
            "id": intent_id,
            "client_secret": ids.client_secret(intent_id),
            "customer": session.get("customer"),
            "description": wanted.get("description"),
            "metadata": metadata({}, wanted.get("metadata")),
            "on_behalf_of": wanted.get("on_behalf_of"),
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": session["payment_method_types"],
            "status": "requires_payment_method",
            "usage": "off_session",
        },
        event="setup_intent.created",
    )


def _with_payment_intent(call: Call, session: Json) -> Json:
    """Create the intent a session in payment mode works on, once somebody pays."""
    if session["payment_intent"]:
        return session
    wanted = call.state.objects.notes(session["id"]).get("payment_intent_data", {})
    intent_id = ids.new("pi")
    carried = ("description", "setup_future_usage", "receipt_email", "statement_descriptor_suffix",
               "statement_descriptor", "transfer_group", "on_behalf_of", "shipping")  # fmt: skip
    intent = call.create(
        "payment_intent",
        {name: wanted[name] for name in carried if name in wanted}
        | {
            "id": intent_id,
            "amount": session["amount_total"],
            "amount_details": {"tip": {}},
            "capture_method": wanted.get("capture_method", "automatic_async"),
            "client_secret": ids.client_secret(intent_id),
            "currency": session["currency"],
            "customer": session["customer"],
            "metadata": metadata({}, wanted.get("metadata")),
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
        },
        event="payment_intent.created",
    )
    return call.change(session, {"payment_intent": intent["id"]})


def _with_customer(call: Call, session: Json, method: Json) -> Json:
    """Make the customer a session is to make, and give it what was paid or saved with."""
    intent = _intent(call, session) or {}
    keeps = session["mode"] == "setup" or bool(intent.get("setup_future_usage"))
    needs_one = session["customer_creation"] == "if_required" and keeps
    if session["customer"] or not (needs_one or session["customer_creation"] == "always"):
        return session
    customer = call.create(
        "customer",
        {
            "id": ids.short("cus"),
            "balance": 0,
            "delinquent": False,
            "email": session["customer_email"] or method["billing_details"]["email"],
            "invoice_prefix": ids.word(8).upper(),
            "invoice_settings": {},
            "name": method["billing_details"]["name"],
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
        },
        event="customer.created",
    )
    if keeps:
        call.state.objects.note(method["id"], spent=False)
        methods.attach(call, method, customer["id"])
    call.change(intent, {"customer": customer["id"]})
    return call.change(session, {"customer": customer["id"]})


def _intent(call: Call, session: Json) -> Json | None:
    intent_id = session["setup_intent"] or session["payment_intent"]
    return call.state.objects.find(intent_id) if intent_id else None


def _chosen(method: Json) -> Json:
    return {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
