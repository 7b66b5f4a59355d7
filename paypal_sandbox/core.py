"""The one entry to everything: `Sandbox.handle`. Adapters only carry its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paypal_sandbox import messages, request_ids
from paypal_sandbox.api import Api
from paypal_sandbox.control import Control
from paypal_sandbox.pages.site import Site
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events
from paypal_sandbox.webhooks.courier import Courier
from stripe_sandbox.messages import Answer

_API = ("/v1/", "/v2/", "/v3/")


@dataclass(frozen=True)
class Options:
    """How one stand-in differs from another; `client` is an id and a secret."""

    public_url: str | None = None
    webhook_url: str | None = None
    webhook_id: str | None = None
    client: tuple[str, str] | None = None


class Sandbox:
    """One stand-in: its state, and all that answers from it."""

    def __init__(
        self,
        path: str = ":memory:",
        options: Options | None = None,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Open the state file, or keep all in memory."""
        self.options = options or Options()
        self.state = State(path, clock=clock) if clock else State(path)
        if self.options.public_url:
            self.state.base_url = self.options.public_url
        if self.options.webhook_url and self.options.webhook_id:
            events.listen_at(self.state, self.options.webhook_url, self.options.webhook_id)
        self.courier = Courier(self.state, chores=self._tidy)
        self._api = Api(self.state, self.options.client)
        self._control = Control(self.state, self.courier)
        self._site = Site(self.state, self.courier)

    def handle(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Answer one request; `target` is its path, decoded, with its query if it has one.

        :raises ConnectionCutError: if a fault asked for no answer at all.
        """
        request = messages.request(method, target, body, headers or {})
        if request.path.startswith(_API):
            return self._api.answer(request)
        if request.path.startswith("/_control/"):
            return self._control.answer(request)
        return self._site.answer(request)

    def start(self) -> None:
        """Begin delivering notifications."""
        self.courier.start()

    def stop_waiting(self) -> None:
        """Let nothing wait any longer: it is about to be closed."""
        self.state.stopping.set()

    def close(self) -> None:
        """Stop delivering and close the state file."""
        self.courier.stop()
        self.state.database.close()

    def _tidy(self) -> None:
        request_ids.forget_old(self.state.database, self.state.clock())
