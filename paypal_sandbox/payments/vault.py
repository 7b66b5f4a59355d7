"""Ways of paying that are kept: agreed to on the page, exchanged for a token, deleted."""

from __future__ import annotations

from dataclasses import dataclass

from paypal_sandbox import accounts, errors, ids, instants
from paypal_sandbox.links import vault_link
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from stripe_sandbox.bodies import Json

SETUP = "setup_token"
TOKEN = "payment_token"  # noqa: S105 - a kind
APPROVE = "/agreements/approve"
_SETUPS = "/v3/vault/setup-tokens"
_TOKENS = "/v3/vault/payment-tokens"
_READY_SOURCE: Json = {"usage_type": "MERCHANT", "permit_multiple_payment_tokens": False}
_TOLD_OF_PAYER = ("name", "email_address", "payer_id")


@dataclass(frozen=True)
class _New:
    """A payment token to make: whose, of which customer, and what was said of it."""

    account: accounts.Account
    customer: str
    source: Json


def show_setup(state: State, setup: Json) -> Json:
    """Return a setup token with where to go from here."""
    base, setup_id = state.base_url, setup["id"]
    links = [vault_link(base, "self", f"{_SETUPS}/{setup_id}")]
    if setup["status"] == "PAYER_ACTION_REQUIRED":
        path = f"{APPROVE}?approval_session_id={setup_id}"
        links.insert(0, vault_link(base, "approve", path))
    if setup["status"] == "APPROVED":
        links.append(vault_link(base, "confirm", _TOKENS, "POST"))
    return setup | {"links": links}


def show_token(state: State, token: Json) -> Json:
    """Return a payment token with where to go from here."""
    path = f"{_TOKENS}/{token['id']}"
    return token | {
        "links": [
            vault_link(state.base_url, "self", path),
            vault_link(state.base_url, "delete", path, "DELETE"),
        ]
    }


def open_setup(state: State, customer: str | None, source: Json, urls: tuple[str, str]) -> Json:
    """Begin to save a way of paying; `urls` lead back after agreeing and after cancelling."""
    setup_id = ids.transaction()
    body: Json = {
        "id": setup_id,
        "customer": {"id": customer or ids.customer()},
        "status": "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": source},
    }
    notes = {"return_url": urls[0], "cancel_url": urls[1]}
    return state.records.add(SETUP, setup_id, body, notes=notes)


def approve(state: State, setup: Json, kind: str) -> Json:
    """Let the payer agree, with an account of this kind."""
    state.records.note(setup["id"], account=kind)
    return state.records.save(setup["id"], setup | {"status": "APPROVED"})


def exchange(state: State, setup_id: str, customer: str | None) -> Json:
    """Make a payment token of a setup token the payer agreed to, or of one that is ready-made.

    :raises PayPalError: if there is none, it is not agreed to, or it was exchanged before.
    """
    ready = accounts.ready_made(setup_id)
    if ready:
        return _add(state, _New(ready, customer or ids.customer(), _READY_SOURCE))
    setup = state.records.get(SETUP, setup_id)
    if setup is None:
        raise errors.not_found("/payment_source/token/id")
    if setup["status"] == "PAYER_ACTION_REQUIRED":
        raise errors.refused(
            "PAYER_ACTION_REQUIRED",
            "Please make sure setup up token is approved. Please complete the approval flow.",
        )
    if setup["status"] != "APPROVED":
        raise errors.refused(
            "SETUP_TOKEN_ALREADY_TOKENIZED",
            "The setup token has been used previously to generate a payment token.",
        )
    state.records.save(setup_id, setup | {"status": "TOKENIZED"})
    account = accounts.BY_KIND[state.records.notes(setup_id)["account"]]
    source = setup["payment_source"]["paypal"]
    return _add(state, _New(account, setup["customer"]["id"], source))


def token(state: State, token_id: str) -> Json | None:
    """Return a payment token that is there; a ready-made one comes to be when it is asked for."""
    found = state.records.get(TOKEN, token_id)
    ready = accounts.ready_made(token_id)
    if found or not ready or state.records.is_gone(TOKEN, token_id):
        return found
    return _stored(state, token_id, _New(ready, "standin", _READY_SOURCE))


def delete(state: State, token_id: str) -> None:
    """Delete a payment token, if it is there."""
    found = token(state, token_id)
    if found is None:
        return
    state.records.bury(TOKEN, token_id)
    for event, summary in (
        ("VAULT.PAYMENT-TOKEN.DELETION-INITIATED", "Deletion of a payment token was requested."),
        ("VAULT.PAYMENT-TOKEN.DELETED", "A payment token has been deleted."),
    ):
        _tell(state, event, found, summary)


def _add(state: State, new: _New) -> Json:
    body = _stored(state, ids.payment_token(), new)
    _tell(state, "VAULT.PAYMENT-TOKEN.CREATED", body, "A payment token has been created.")
    return body


def _stored(state: State, token_id: str, new: _New) -> Json:
    payer_id = ids.account()
    payer = accounts.payer(new.account, payer_id)
    told = {name: payer[name] for name in _TOLD_OF_PAYER}
    body: Json = {
        "id": token_id,
        "customer": {"id": new.customer},
        "payment_source": {"paypal": new.source | told | {"account_id": payer_id}},
    }
    notes = {"account": new.account.kind, "payer_id": payer_id}
    return state.records.add(TOKEN, token_id, body, owner=new.customer, notes=notes)


def _tell(state: State, event: str, body: Json, summary: str) -> None:
    resource = {"time_created": instants.fine(state.clock())} | show_token(state, body)
    events.record(state, events.Told(event, body["id"], "payment_token", resource, summary, "3.0"))
