"""The thread that delivers notifications, signs them, and tries again."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPException

from stripe import WebhookSignature

from stripe_sandbox.bodies import pretty
from stripe_sandbox.state import State
from stripe_sandbox.store.database import Row
from stripe_sandbox.webhooks import outbox

_AT_ONCE = 8
_PATIENCE = 20.0
_IDLE = 0.25


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: to Stripe, one is a failed delivery."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        """Go nowhere."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight())


class Courier:
    """Delivers what is due, several at once, and promises no order, as Stripe does not."""

    def __init__(self, state: State, *, chores: Callable[[], None] = lambda: None) -> None:
        """Deliver for this state; `chores` is what else falls due now and then."""
        self._state = state
        self._chores = chores
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="courier")
        self._slots = threading.Semaphore(_AT_ONCE)
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        """Begin, with whatever an earlier process left undelivered."""
        outbox.release_all(self._state)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being sent and end."""
        self._state.stopping.set()
        self._state.news.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def drain(self) -> dict[str, int]:
        """Send everything that waits, once each, however far off it is due.

        What fails waits again for its next try. Nothing is sent while deliveries are paused.
        """
        sent = [self._send_soon(seq) for seq in outbox.due(self._state, however_far=True)]
        wait([future for future in sent if future is not None])
        pause = threading.Event()
        for _ in range(int(_PATIENCE / 0.01)):
            if outbox.counts(self._state)[outbox.SENDING] == 0:
                break
            pause.wait(0.01)
        return outbox.counts(self._state)

    def _work(self) -> None:
        while not self._state.stopping.is_set():
            self._state.news.wait(_IDLE)
            self._state.news.clear()
            self._chores()
            for seq in outbox.due(self._state, limit=100):
                if self._state.stopping.is_set():
                    break
                self._send_soon(seq)

    def _send_soon(self, seq: int) -> Future[None] | None:
        """Hand one delivery to a free hand, once there is one and nobody else has taken it."""
        self._slots.acquire()  # released by the hand
        taken = outbox.claim(self._state, seq)
        if taken is None:
            self._slots.release()
            return None
        future = self._pool.submit(self._deliver, taken)
        future.add_done_callback(lambda _: self._slots.release())
        return future

    def _deliver(self, delivery: Row) -> None:
        try:
            status, error = self._send(delivery)
        except (OSError, ValueError, HTTPException) as reason:
            status, error = None, f"{type(reason).__name__}: {reason}"
        outbox.settle(self._state, delivery, status=status, error=error)

    def _send(self, delivery: Row) -> tuple[int | None, str | None]:
        event = self._state.objects.find(delivery["event"])
        endpoint = self._state.objects.find(delivery["endpoint"])
        if event is None or endpoint is None or endpoint.get("deleted"):
            return 200, "nobody is listening any more"
        payload = pretty(event)
        secret = self._state.objects.notes(endpoint["id"])["secret"]
        request = urllib.request.Request(  # noqa: S310 - endpoints are http or https
            endpoint["url"], data=payload, headers=_headers(payload, secret), method="POST"
        )
        try:
            with _OPENER.open(request, timeout=_PATIENCE) as response:
                return response.status, None
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.reason


def _headers(payload: bytes, secret: str) -> dict[str, str]:
    """Sign with the real time: clients check it against theirs, whatever a test clock says."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (stand-in)",
        "Stripe-Signature": WebhookSignature.generate_signature_header(payload.decode(), secret),
    }
