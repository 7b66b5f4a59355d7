"""The page on which a card or a bank account is saved, or a payment made."""

from __future__ import annotations

import re
from html import escape

from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.errors import ApiError, CardError
from stripe_sandbox.messages import Answer
from stripe_sandbox.pages.html import alert, page, redirect, table
from stripe_sandbox.payments import checkout, kinds, mandates, methods, money
from stripe_sandbox.payments.methods import CardEntry

_EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/-]?\s*(\d{2}|\d{4})\s*")
_HINTS = (
    ("4242 4242 4242 4242", "works"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 0341", "can be saved, and fails when charged"),
    ("4000 0025 0000 3155", "asks for 3-D Secure, then works"),
    ("4000 0027 6000 3184", "asks for 3-D Secure every time"),
)
_ACCOUNTS = (
    ("AT61 1904 3002 3457 3201", "succeeds after a while"),
    ("AT32 1904 3002 3547 3204", "succeeds after some minutes"),
    ("AT86 1904 3002 3547 3202", "fails after a while"),
    ("AT98 1904 3000 0222 2227", "has insufficient funds"),
    ("AT59 1904 3002 3547 3203", "succeeds, and is disputed at once"),
)


def show(call: Call, session_id: str) -> Answer:
    """Show a session's form, or that there is nothing left to do."""
    session = _session(call, session_id)
    if session is None or session["status"] != "open":
        return closed(session)
    return _form(call, session, None, {})


def submit(call: Call, session_id: str, form: dict[str, str]) -> Answer:
    """Use what was entered: on to the shop, to a challenge, or back to the form with a reason."""
    session = _session(call, session_id)
    if session is None or session["status"] != "open":
        return closed(session)
    if form.get("action") == "cancel" and session["cancel_url"]:
        return redirect(session["cancel_url"])
    try:
        session = checkout.submit(call, session, _method(call, session, form))
    except ApiError as refusal:
        return _form(call, session, refusal.message, form)
    return _onward(call, session)


def come_back(call: Call, session_id: str) -> Answer:
    """Go on after a challenge."""
    session = _session(call, session_id)
    if session is None or session["status"] == "expired":
        return closed(session)
    return _onward(call, checkout.finish(call, session))


def closed(session: Json | None) -> Answer:
    """Say that a session is over, or never was, and lead back."""
    if session is None:
        return page("No such page", "<p>Check the address, or start again from the shop.</p>",
                    status=404)  # fmt: skip
    done = session["status"] == "complete"
    title = "This page has been used" if done else "This page has expired"
    text = "What was to be done here is done." if done else "Nothing was saved and nothing paid."
    back = success_url(session) if done else session["cancel_url"] or success_url(session)
    body = f'<p>{text}</p><p><a href="{escape(back)}">Go back</a></p>'
    return page(title, body, status=410)


def success_url(session: Json) -> str:
    """Return where a completed session leads."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _onward(call: Call, session: Json) -> Answer:
    if session["status"] == "complete":
        return redirect(success_url(session))
    challenge = checkout.challenge_url(call, session)
    if challenge:
        return redirect(challenge)
    return _form(call, session, checkout.last_error(call, session), {})


def _session(call: Call, session_id: str) -> Json | None:
    found = call.state.objects.find(session_id, checkout.KIND)
    return checkout.current(call, found) if found else None


def _method(call: Call, session: Json, form: dict[str, str]) -> Json:
    """Make a payment method of what was entered.

    :raises ApiError: if it cannot be one.
    """
    if "iban" in form and "sepa_debit" in session["payment_method_types"]:
        email = form.get("email") or session["customer_email"]
        holder = {"name": form.get("holder", "").strip(), "email": email}
        if not holder["name"] or not email:
            raise CardError("Enter the account holder's name and email.")
        wanted = {"sepa_debit": {"iban": form["iban"]}, "billing_details": holder}
        return kinds.made(call, wanted | {"type": "sepa_debit"})
    entry = _entry(form)
    fields: Json = {"exp_month": entry.exp_month, "exp_year": entry.exp_year}
    if form.get("name"):
        fields["billing_details"] = {"name": form["name"]}
    return methods.create(call, entry.test_card(call.now(session["customer"])), fields)


def _entry(form: dict[str, str]) -> CardEntry:
    """Read the form's card.

    :raises CardError: if the expiry cannot be read.
    """
    match = _EXPIRY.fullmatch(form.get("expiry", ""))
    if not match:
        raise CardError("Your card's expiry is incomplete. Write it as month / year.")
    year = int(match[2])
    return CardEntry(
        number=form.get("card_number", ""),
        exp_month=int(match[1]),
        exp_year=year + 2000 if year < 100 else year,
        cvc=form.get("cvc", "").strip(),
    )


def _form(call: Call, session: Json, error: str | None, form: dict[str, str]) -> Answer:
    saving = session["mode"] == "setup"
    offered = session["payment_method_types"]
    what = f"<p>Your {_noun(session)} is saved for later. Nothing is charged now.</p>"
    parts = {
        "card": lambda: _card_form(session, form, refused=error is not None),
        "sepa_debit": lambda: _account_form(session, form, refused=error is not None),
    }
    body = f"""{alert(error)}
{what if saving else _items(call, session)}
{"".join(parts[kind]() for kind in offered)}"""
    return page(_title(session), body, status=402 if error else 200)


def _title(session: Json) -> str:
    if session["mode"] != "setup":
        return "Pay"
    return f"Save a {_noun(session)}"


def _noun(session: Json) -> str:
    nouns = {"card": "card", "sepa_debit": "bank account"}
    return " or ".join(nouns[kind] for kind in session["payment_method_types"])


def _card_form(session: Json, form: dict[str, str], *, refused: bool) -> str:
    verb = "Save card" if session["mode"] == "setup" else f"Pay {_total(session)}"
    described = ' aria-describedby="error" aria-invalid="true"' if refused else ""
    return f"""<form method="post" action="/c/pay/{session["id"]}" novalidate>
<label for="card_number">Card number</label>
<input id="card_number" name="card_number" inputmode="numeric" autocomplete="cc-number"
 placeholder="1234 1234 1234 1234" maxlength="25" required autofocus{described}>
<div class="pair">
<div><label for="expiry">Expiry</label>
<input id="expiry" name="expiry" inputmode="numeric" autocomplete="cc-exp" placeholder="MM / YY"
 maxlength="9" required value="{escape(form.get("expiry", ""))}"></div>
<div><label for="cvc">CVC</label>
<input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="123"
 maxlength="4" required></div>
</div>
<label for="name">Name on card <small>(optional)</small></label>
<input id="name" name="name" autocomplete="cc-name" maxlength="100"
 value="{escape(form.get("name", ""))}">
<button type="submit" name="action" value="submit">{escape(verb)}</button>
{_way_back(session)}
</form>
<details><summary>Cards to try</summary>
{table("With any date to come and any code", ("Number", "What it does"), _hints(_HINTS))}
</details>"""


def _account_form(session: Json, form: dict[str, str], *, refused: bool) -> str:
    described = ' aria-describedby="error" aria-invalid="true"' if refused else ""
    email = form.get("email") or session["customer_email"] or ""
    alone = session["payment_method_types"] == ["sepa_debit"]
    return f"""<form method="post" action="/c/pay/{session["id"]}" novalidate>
<label for="iban">IBAN</label>
<input id="iban" name="iban" autocomplete="off" placeholder="AT61 1904 3002 3457 3201"
 maxlength="42" required{" autofocus" if alone else ""}{described}>
<label for="holder">Account holder</label>
<input id="holder" name="holder" autocomplete="name" maxlength="100" required
 value="{escape(form.get("holder", ""))}">
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="email" maxlength="200" required
 value="{escape(email)}">
<p><small>{escape(mandates.TEXT)}</small></p>
<button type="submit" name="action" value="submit">Save bank account</button>
{_way_back(session) if alone else ""}
</form>
<details><summary>Accounts to try</summary>
{table("With any name and email", ("IBAN", "What a debit does"), _hints(_ACCOUNTS))}
</details>"""


def _items(call: Call, session: Json) -> str:
    items = call.state.objects.notes(session["id"])["line_items"]
    lines = "".join(
        f'<div class="sum"><dt>{escape(item["description"])} × {item["quantity"]}</dt>'
        f"<dd>{money.written(item['amount_total'], item['currency'])}</dd></div>"
        for item in items
    )
    total = f'<div class="sum total"><dt>Total</dt><dd>{_total(session)}</dd></div>'
    return f"<dl>{lines}{total}</dl>"


def _way_back(session: Json) -> str:
    if not session["cancel_url"]:
        return ""
    return (
        '<button class="plain" type="submit" name="action" value="cancel" formnovalidate>'
        "Cancel and go back</button>"
    )


def _total(session: Json) -> str:
    return money.written(session["amount_total"], session["currency"])


def _hints(known: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(f"<code>{number}</code>", escape(meaning)) for number, meaning in known]
