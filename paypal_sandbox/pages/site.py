"""Which page answers which address."""

from __future__ import annotations

from urllib.parse import parse_qsl

from paypal_sandbox.messages import Request
from paypal_sandbox.pages import approve, panel
from paypal_sandbox.payments import vault
from paypal_sandbox.state import State
from stripe_sandbox.messages import Answer
from stripe_sandbox.pages.html import STYLE, page
from stripe_sandbox.webhooks.courier import Courier


class Site:
    """Answers browsers."""

    def __init__(self, state: State, courier: Courier) -> None:
        """Show this state."""
        self._state = state
        self._courier = courier

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if request.path == "/_assets/style.css":
            return Answer(200, STYLE, {"Content-Type": "text/css; charset=utf-8"})
        if request.method == "POST" and request.is_foreign:
            return page("Not from here", "<p>This form belongs to another site.</p>", status=403)
        form = dict(parse_qsl(request.form, keep_blank_values=True))
        if request.path == "/" or request.path.startswith("/_panel/"):
            return panel.answer(self._state, self._courier, request, form)
        if request.path == vault.APPROVE:
            with self._state.database.transaction():
                if request.method == "POST":
                    return approve.submit(self._state, form)
                return approve.show(self._state, form.get("approval_session_id", ""))
        return page("No such page", "<p>Check the address.</p>", status=404)
