"""Which page answers which address."""

from __future__ import annotations

from urllib.parse import parse_qsl

from stripe_sandbox.call import Call
from stripe_sandbox.messages import Answer, Request
from stripe_sandbox.pages import challenge, checkout, panel
from stripe_sandbox.pages.html import STYLE, page
from stripe_sandbox.state import State
from stripe_sandbox.webhooks.courier import Courier


class Site:
    """Answers browsers."""

    def __init__(self, state: State, courier: Courier, public_url: str | None) -> None:
        """Show this state; links start with `public_url`, or with the host asked."""
        self._state = state
        self._courier = courier
        self._public_url = public_url

    def answer(self, request: Request) -> Answer:
        """Answer one request; each is a transaction, like those of the API."""
        if request.path == "/_assets/style.css":
            return Answer(200, STYLE, {"Content-Type": "text/css; charset=utf-8"})
        if request.method == "POST" and request.is_foreign:
            return page("Not from here", "<p>This form belongs to another site.</p>", status=403)
        call = Call(self._state, self._public_url or f"http://{request.host}")
        form = dict(parse_qsl(request.form, keep_blank_values=True))
        if request.path == "/" or request.path.startswith("/_panel/"):
            return panel.answer(call, self._courier, request, form)
        with self._state.database.transaction():
            found = self._page(call, request, form)
        self._state.news.set()
        return found or page("No such page", "<p>Check the address.</p>", status=404)

    def _page(self, call: Call, request: Request, form: dict[str, str]) -> Answer | None:
        posted = request.method == "POST"
        match request.path.split("/")[1:]:
            case ["c", "pay", session_id]:
                if posted:
                    return checkout.submit(call, session_id, form)
                return checkout.show(call, session_id)
            case ["c", "return", session_id]:
                return checkout.come_back(call, session_id)
            case ["3ds", intent_id]:
                if posted:
                    return challenge.submit(call, intent_id, form)
                return challenge.show(call, intent_id, form.get("secret", ""))
        return None
