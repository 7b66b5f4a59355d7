"""The signals that ask us to stop, as something to wait for."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

_SLICE_SECONDS = 0.05


class Stop:
    """Whether we were asked to stop.

    Not a `threading.Event`: that can deadlock when set from a signal handler.
    """

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        self._asked = True

    def is_set(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> None:
        """Sleep, but hardly beyond being asked."""
        until = time.monotonic() + seconds
        while not self._asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """A Stop set by Ctrl-C, SIGTERM or a closed terminal, as often as they come.

    Nothing is interrupted: whoever waits must wait for the Stop.
    """
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    # Under nohup a closed terminal is to be survived.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    with handling(numbers, ask):
        yield stop


@contextmanager
def handling(
    numbers: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    """Let this handler have these signals while the block runs."""
    former = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in former.items():
            signal.signal(number, before)
