"""The one entry to everything: `Sandbox.handle`. Adapters only carry its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stripe_sandbox.api import Api
from stripe_sandbox.control.routes import Control
from stripe_sandbox.messages import Answer, Request
from stripe_sandbox.pages.site import Site
from stripe_sandbox.state import State
from stripe_sandbox.upkeep import Upkeep
from stripe_sandbox.webhooks.courier import Courier


class Sandbox:
    """One stand-in: its state, and all that answers from it."""

    def __init__(
        self,
        path: str = ":memory:",
        *,
        public_url: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Open the state file, or keep all in memory.

        Links in answers start with `public_url`, or with the host that was asked.
        """
        self.state = State(path, clock=clock) if clock else State(path)
        self.courier = Courier(self.state, chores=Upkeep(self.state).run)
        self._api = Api(self.state, public_url)
        self._control = Control(self.state, self.courier)
        self._site = Site(self.state, self.courier, public_url)

    def handle(
        self, method: str, path: str, form: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Answer one request; `form` is its query string or its body, still encoded.

        :raises ConnectionCutError: if a fault asked for no answer at all.
        """
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(method.upper(), path, form, lower)
        if path.startswith(("/v1/", "/v2/")):
            return self._api.answer(request)
        if path.startswith("/_control/"):
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
