"""Run one command with Bursar's settings, beside the demo or with servers of its own."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from supervisor import environment, postgres, servers, valkey
from supervisor import home as homes
from supervisor.errors import HomeBusyError, StopRequestedError, SupervisorError
from supervisor.files import write_private
from supervisor.home import Home
from supervisor.options import Options
from supervisor.signals import Stop, handling

_WAIT_FOR_SERVERS_SECONDS = 30.0


def execute(options: Options, command: Sequence[str], stop: Stop) -> int:
    """Run the command; its exit code, or 128 + the signal that ended it.

    :raises StopRequestedError: if told to stop before the command began.
    :raises SupervisorError: if the servers do not start or the command does not exist.
    """
    with _settings(options, stop) as chosen:
        return _run(command, environment.complete(options.given, chosen), stop)


def publish(home: Home, chosen: Mapping[str, str]) -> None:
    """Say what runs here, for commands that join."""
    write_private(home.environment, json.dumps(dict(chosen), indent=1))


def embedded(home: Home, given: Mapping[str, str]) -> servers.Embedded:
    """The servers the person did not bring."""
    brought = environment.own(given)
    return servers.Embedded(
        postgres=None if brought.database else postgres.at(home, durable=True),
        valkey=None if brought.redis else valkey.at(home, durable=True),
    )


@contextmanager
def _settings(options: Options, stop: Stop) -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        try:
            home = stack.enter_context(homes.claim(options.home))
        except HomeBusyError as busy:
            yield _joined(busy, options, stop)
        else:
            ours = embedded(home, options.given)
            chosen = environment.settings(options.given, home, port=options.port) | ours.urls()
            stack.enter_context(servers.manned(home, ours.services(), stop=stop))
            publish(home, chosen)
            yield chosen


def _joined(busy: HomeBusyError, options: Options, stop: Stop) -> dict[str, str]:
    """The settings of the supervisor that holds the home, once it has its servers."""
    published = Home(options.home).environment
    deadline = time.monotonic() + _WAIT_FOR_SERVERS_SECONDS
    while not published.exists():
        stop.wait(0.1)
        if stop.is_set():
            raise StopRequestedError("stopped while waiting for servers")
        if time.monotonic() > deadline:
            raise SupervisorError(f"{busy} It has no servers to share yet.")
    return environment.read_texts(published) | environment.brought(options.given)


def _run(command: Sequence[str], env: Mapping[str, str], stop: Stop) -> int:
    with _signals_for_the_command() as pass_on_to:
        if stop.is_set():
            raise StopRequestedError("stopped before the command began")
        try:
            process = subprocess.Popen(command, env=dict(env))
        except OSError as error:
            raise SupervisorError(f"{command[0]}: {error.strerror}") from error
        pass_on_to(process)
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_for_the_command() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """From here on signals are the command's; those that come before it runs are kept for it."""
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def receive(number: int, _frame: FrameType | None) -> None:
        # The terminal's Ctrl-C reaches the command by itself.
        if number == signal.SIGINT:
            return
        early.append(number)
        deliver()

    def deliver() -> None:
        while running and early:
            running[0].send_signal(early.pop())

    def pass_on_to(process: subprocess.Popen[bytes]) -> None:
        running.append(process)
        deliver()

    with handling((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), receive):
        yield pass_on_to
