"""The page that shows a Pix code, where the payer's bank is one button."""

from __future__ import annotations

from html import escape

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.messages import Answer
from stripe_sandbox.pages.html import page, time_of
from stripe_sandbox.payments import delayed, money

# Whoever shows the code draws it from its data; this only says that it is not drawn here.
PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200">'
    b'<rect width="200" height="200" fill="#fff" stroke="#000"/>'
    b'<text x="100" y="104" font-size="16" text-anchor="middle">Stand-in for Pix</text></svg>'
)
_OUTCOMES = {"pay": "succeeded", "expire": "expired"}
_TOLD = {
    "succeeded": ("Paid", "The payment was made. You can close this page."),
    "canceled": ("Canceled", "The payment was canceled. Nothing can be paid here any more."),
}
_OVER = ("Expired", "The code is no longer good. Nothing was paid.")


def show(call: Call, intent_id: str, secret: str) -> Answer:
    """Show the code, or how it ended."""
    intent = _intent(call, intent_id, secret)
    if intent is None:
        return page("No such page", "<p>Check the address.</p>", status=404)
    code = delayed.code(intent)
    if code is None:
        title, text = _TOLD.get(intent["status"], _OVER)
        return page(title, f"<p>{escape(text)}</p>", status=410)
    amount = money.written(intent["amount"], intent["currency"])
    body = f"""<p>Your bank would let you pay <strong>{escape(amount)}</strong> with this code until
{time_of(code["expires_at"])} UTC.</p>
<label for="code">Pix code</label>
<textarea id="code" rows="5" readonly>{escape(code["data"])}</textarea>
<form method="post" action="/pix/{intent["id"]}">
<input type="hidden" name="secret" value="{escape(secret)}">
<button type="submit" name="outcome" value="pay">Pay</button>
<button class="plain" type="submit" name="outcome" value="expire">Let it expire</button>
</form>"""
    return page("Pay by Pix", body)


def submit(call: Call, intent_id: str, form: dict[str, str]) -> Answer:
    """Pay, or let it expire; then show how it ended."""
    secret = form.get("secret", "")
    intent = _intent(call, intent_id, secret)
    outcome = _OUTCOMES.get(form.get("outcome", ""))
    if intent is None or outcome is None or delayed.code(intent) is None:
        return show(call, intent_id, secret)
    ended = delayed.settle(call, intent, outcome)
    title, text = _TOLD.get(ended["status"], _OVER)
    return page(title, f"<p>{escape(text)}</p>")


def _intent(call: Call, intent_id: str, secret: str) -> Json | None:
    found = call.state.objects.find(intent_id, "payment_intent")
    if found is None or found["client_secret"] != secret:
        return None
    return delayed.current(call, found)
