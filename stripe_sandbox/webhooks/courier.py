"""The threads that deliver notifications, and try again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPException

from stripe_sandbox.bodies import pretty
from stripe_sandbox.state import State
from stripe_sandbox.store.database import Row
from stripe_sandbox.webhooks import outbox
from stripe_sandbox.webhooks.post import Post

_logger = logging.getLogger(__name__)
_AT_ONCE = 8
_PATIENCE = 20.0
_IDLE = 0.25
_BLINK = 0.01


class Courier:
    """Delivers what is due, several at once, and promises no order, as Stripe does not."""

    def __init__(self, state: State, *, chores: Callable[[], None] = lambda: None) -> None:
        """Deliver for this state; `chores` is what else falls due now and then."""
        self._state = state
        self._chores = chores
        self._post = Post()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="courier")
        self._slots = threading.Semaphore(_AT_ONCE)
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        """Begin, with whatever an earlier process left undelivered."""
        outbox.release_all(self._state)
        self._thread.start()

    def stop(self) -> None:
        """End at once; what was under way is delivered by the next process."""
        self._state.stopping.set()
        self._state.news.set()
        self._post.break_off()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def drain(self) -> dict[str, int]:
        """Send everything that waits, once each, however far off it is due.

        What fails waits again for its next try. Nothing is sent while deliveries are paused.
        """
        sent = [self._send_soon(seq) for seq in outbox.due(self._state, however_far=True)]
        wait([future for future in sent if future is not None])
        for _ in range(int(_PATIENCE / _BLINK)):
            if outbox.counts(self._state)[outbox.SENDING] == 0:
                break
            self._state.stopping.wait(_BLINK)
        return outbox.counts(self._state)

    def _work(self) -> None:
        while not self._state.stopping.is_set():
            self._state.news.wait(_IDLE)
            self._state.news.clear()
            try:
                self._round()
            except Exception:
                # A full disk, say: delivery must go on once there is room again.
                _logger.exception("a round of deliveries failed")

    def _round(self) -> None:
        self._chores()
        for seq in outbox.due(self._state, limit=100):
            if self._state.stopping.is_set():
                break
            self._send_soon(seq)

    def _send_soon(self, seq: int) -> Future[None] | None:
        """Hand one delivery to a free hand, once there is one and nobody else has taken it."""
        self._slots.acquire()
        taken = outbox.claim(self._state, seq)
        if taken is None or self._state.stopping.is_set():
            self._slots.release()
            return None
        future = self._pool.submit(self._deliver, taken)
        future.add_done_callback(lambda _: self._slots.release())
        return future

    def _deliver(self, delivery: Row) -> None:
        error: str | None = None
        status: int | None = None
        try:
            status = self._send(delivery)
        except (OSError, ValueError, HTTPException) as reason:
            error = f"{type(reason).__name__}: {reason}"
        if status is not None or not self._state.stopping.is_set():
            outbox.settle(self._state, delivery, status=status, error=error)

    def _send(self, delivery: Row) -> int:
        """Send a delivery as its event is now; one that nobody waits for any more is done."""
        event = self._state.objects.find(delivery["event"])
        endpoint = self._state.objects.find(delivery["endpoint"])
        if event is None or endpoint is None or endpoint.get("deleted"):
            return 200
        secret = self._state.objects.notes(endpoint["id"])["secret"]
        return self._post.send(endpoint["url"], pretty(event), secret)
