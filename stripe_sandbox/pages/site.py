"""Which page answers which address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

from stripe_sandbox.call import Call
from stripe_sandbox.messages import Answer, Request
from stripe_sandbox.pages import challenge, checkout, mandate, panel, pix
from stripe_sandbox.pages.html import STYLE, page
from stripe_sandbox.state import State
from stripe_sandbox.webhooks.courier import Courier

Show: TypeAlias = Callable[[Call, str, dict[str, str]], Answer]

# By the address before the last part: what shows the page, and what its form does.
_PAGES: dict[str, tuple[Show, Show]] = {
    "c/pay": (lambda call, name, _: checkout.show(call, name), checkout.submit),
    "c/return": (
        lambda call, name, _: checkout.come_back(call, name),
        lambda call, name, _: checkout.come_back(call, name),
    ),
    "3ds": (
        lambda call, name, form: challenge.show(call, name, form.get("secret", "")),
        challenge.submit,
    ),
    "pix": (lambda call, name, form: pix.show(call, name, form.get("secret", "")), pix.submit),
    "mandates": (
        lambda call, name, _: mandate.show(call, name),
        lambda call, name, _: mandate.show(call, name),
    ),
}
_ASSETS = {
    "/_assets/style.css": (STYLE, "text/css; charset=utf-8"),
    "/_assets/pix.svg": (pix.PLACEHOLDER, "image/svg+xml"),
}


class Site:
    """Answers browsers."""

    def __init__(self, state: State, courier: Courier, public_url: str | None) -> None:
        """Show this state; links start with `public_url`, or with the host asked."""
        self._state = state
        self._courier = courier
        self._public_url = public_url

    def answer(self, request: Request) -> Answer:
        """Answer one request; each is a transaction, like those of the API."""
        if request.path in _ASSETS:
            content, kind = _ASSETS[request.path]
            return Answer(200, content, {"Content-Type": kind})
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
        folder, _, name = request.path.removeprefix("/").rpartition("/")
        found = _PAGES.get(folder)
        if found is None:
            return None
        shown, submitted = found
        return (submitted if request.method == "POST" else shown)(call, name, form)
