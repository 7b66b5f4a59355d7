"""The page on which a payer agrees to be charged later, or does not."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from paypal_sandbox import accounts
from paypal_sandbox.payments import vault
from paypal_sandbox.state import State
from stripe_sandbox.bodies import Json
from stripe_sandbox.messages import Answer
from stripe_sandbox.pages.html import page, redirect


def show(state: State, setup_id: str) -> Answer:
    """Ask for the agreement."""
    setup = state.records.get(vault.SETUP, setup_id)
    if setup is None:
        return page("No such page", "<p>Check the address, or start again from the shop.</p>",
                    status=404)  # fmt: skip
    if setup["status"] != "PAYER_ACTION_REQUIRED":
        return _over(state, setup_id)
    return _form(setup)


def submit(state: State, form: dict[str, str]) -> Answer:
    """Take the answer and send the browser back where it came from."""
    setup_id = form.get("approval_session_id", "")
    setup = state.records.get(vault.SETUP, setup_id)
    if setup is None or setup["status"] != "PAYER_ACTION_REQUIRED":
        return show(state, setup_id)
    notes = state.records.notes(setup_id)
    if form.get("action") != "approve":
        return redirect(_with_ids(notes["cancel_url"], setup_id))
    kind = form.get("account", "good")
    if kind not in accounts.BY_KIND:
        return _form(setup)
    vault.approve(state, setup, kind)
    return redirect(_with_ids(notes["return_url"], setup_id))


def _form(setup: Json) -> Answer:
    source = setup["payment_source"]["paypal"]
    what = source.get("description") or "future payments"
    body = f"""<p>The payer would log in here and agree to be charged for
<strong>{escape(what)}</strong> whenever the merchant asks.</p>
<form method="post" action="{vault.APPROVE}">
<input type="hidden" name="approval_session_id" value="{escape(setup["id"])}">
<label for="account">Which test account pays?</label>
<select id="account" name="account">{_choices()}</select>
<button type="submit" name="action" value="approve">Agree and continue</button>
<button class="plain" type="submit" name="action" value="cancel">Cancel and return</button>
</form>"""
    return page("Agree to be charged later?", body)


def _choices() -> str:
    return "".join(
        f'<option value="{account.kind}">{escape(account.label)}</option>'
        for account in accounts.BY_KIND.values()
    )


def _over(state: State, setup_id: str) -> Answer:
    back = _with_ids(state.records.notes(setup_id)["return_url"], setup_id)
    text = f'<p>What was to be agreed is agreed.</p><p><a href="{escape(back)}">Go back</a></p>'
    return page("This page has been used", text, status=410)


def _with_ids(url: str, setup_id: str) -> str:
    """Add to the way back what PayPal adds: which setup token it was, by both its names."""
    added = urlencode({"approval_token_id": setup_id, "approval_session_id": setup_id})
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}".lstrip("&")))
