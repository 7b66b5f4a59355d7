"""The page on which a card's holder proves themselves, or does not (3-D Secure)."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.errors import CardError
from stripe_sandbox.messages import Answer
from stripe_sandbox.pages.html import page, redirect
from stripe_sandbox.payments import money, payment_intents, setup_intents
from stripe_sandbox.payments.payment_intents import Manner


def show(call: Call, intent_id: str, secret: str) -> Answer:
    """Ask for the proof."""
    intent = _waiting(call, intent_id, secret)
    if intent is None:
        return _over()
    what = "save this card"
    if intent["object"] == "payment_intent":
        what = f"pay {money.written(intent['amount'], intent['currency'])}"
    body = f"""<p>Your bank would ask here whether you want to {escape(what)}.</p>
<form method="post" action="/3ds/{intent["id"]}">
<input type="hidden" name="secret" value="{escape(secret)}">
<button type="submit" name="outcome" value="complete">Complete authentication</button>
<button class="plain" type="submit" name="outcome" value="fail">Fail authentication</button>
</form>"""
    return page("Is it you?", body)


def submit(call: Call, intent_id: str, form: dict[str, str]) -> Answer:
    """Let the challenge end, and send the browser back where it came from."""
    intent = _waiting(call, intent_id, form.get("secret", ""))
    if intent is None:
        return _over()
    back = _way_back(intent)
    settled = _settled(call, intent, passed=form.get("outcome") == "complete")
    if back is None:
        return page("Done", "<p>You can close this page.</p>")
    return redirect(_with_outcome(back, settled))


def _settled(call: Call, intent: Json, *, passed: bool) -> Json:
    paying = intent["object"] == "payment_intent"
    if not passed:
        fail = payment_intents.fail_challenge if paying else setup_intents.fail_challenge
        return fail(call, intent)
    try:
        if paying:
            return payment_intents.confirm(call, intent, Manner(challenged=True))
        return setup_intents.confirm(call, intent, return_url=None, challenged=True)
    except CardError:
        return call.fetch(intent["object"], intent["id"], "intent")


def _waiting(call: Call, intent_id: str, secret: str) -> Json | None:
    """Return the intent, if it waits for a challenge and this browser may answer it."""
    intent = call.state.objects.find(intent_id)
    if intent is None or intent.get("status") != "requires_action":
        return None
    if intent["next_action"]["type"] not in ("redirect_to_url", "use_stripe_sdk"):
        return None
    return intent if intent["client_secret"] == secret else None


def _way_back(intent: Json) -> str | None:
    redirection = intent["next_action"].get("redirect_to_url")
    return str(redirection["return_url"]) if redirection else None


def _with_outcome(url: str, intent: Json) -> str:
    """Add to the way back what Stripe adds: which intent, its secret, and how it went."""
    name = intent["object"]
    went_well = intent["status"] in ("succeeded", "requires_capture")
    added = urlencode(
        {
            name: intent["id"],
            f"{name}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if went_well else "failed",
        }
    )
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}".lstrip("&")))


def _over() -> Answer:
    return page(
        "This page has been used",
        "<p>There is nothing to prove here any more. Go back to where you came from.</p>",
        status=410,
    )
