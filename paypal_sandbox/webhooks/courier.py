"""The threads that deliver notifications: `stripe_sandbox`'s, with PayPal's message and seal."""

from __future__ import annotations

import time
from collections.abc import Callable

from paypal_sandbox import ids, instants
from paypal_sandbox.state import State
from paypal_sandbox.webhooks import events, signing
from paypal_sandbox.webhooks.post import Post
from stripe_sandbox.bodies import dumps
from stripe_sandbox.store.database import Row
from stripe_sandbox.webhooks import courier


class Courier(courier.Courier):
    """Delivers what is due, several at once, and promises no order, as PayPal does not."""

    def __init__(self, state: State, *, chores: Callable[[], None]) -> None:
        """Deliver for this state; `chores` is what else falls due now and then."""
        super().__init__(state, chores=chores)
        self._here = state
        self._wire = Post()
        self._post = self._wire

    def _send(self, delivery: Row) -> int:
        """Send a delivery; one that nobody waits for any more is done."""
        event = self._here.records.get(events.KIND, delivery["event"])
        endpoint = self._here.objects.find(delivery["endpoint"])
        if event is None or endpoint is None:
            return 200
        payload = dumps(event).encode()
        return self._wire.deliver(
            endpoint["url"], payload, sealed(self._here, endpoint["id"], payload)
        )


def sealed(state: State, webhook_id: str, payload: bytes) -> dict[str, str]:
    """Return the headers of a notification.

    The time is the real one, as on any letter: clients may check it against theirs.
    """
    message = signing.Message(
        transmission=ids.transmission(),
        time=instants.written(time.time()),
        webhook=webhook_id,
        body=payload,
    )
    return {
        "Content-Type": "application/json",
        "User-Agent": "PayPal/stand-in",
        "PAYPAL-TRANSMISSION-ID": message.transmission,
        "PAYPAL-TRANSMISSION-TIME": message.time,
        "PAYPAL-TRANSMISSION-SIG": state.signer.sign(message),
        "PAYPAL-AUTH-ALGO": signing.ALGORITHM,
        "PAYPAL-CERT-URL": f"{state.base_url}{state.signer.certificate_path}",
    }
