"""Run one command with Bursar's settings, beside the demo or with servers of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from supervisor import environment, postgres, servers, valkey
from supervisor import home as homes
from supervisor.errors import HomeBusyError, SupervisorError
from supervisor.files import write_private
from supervisor.home import Home
from supervisor.options import Options
from supervisor.signals import stop_on_signals

_WAIT_FOR_DEMO_SECONDS = 30.0


def execute(options: Options, command: Sequence[str]) -> int:
    """Run the command; its exit code, or 128 + the signal that ended it.

    :raises SupervisorError: if the servers do not start or the command does not exist.
    """
    with _settings(options) as chosen:
        return _run(command, environment.complete(options.given, chosen))


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
def _settings(options: Options) -> Iterator[dict[str, str]]:
    busy: HomeBusyError | None = None
    try:
        with homes.claim(options.home) as home:
            with _own_servers(home, options) as chosen:
                yield chosen
            return
    except HomeBusyError as error:
        busy = error
    yield _joined(Home(options.home), busy) | environment.brought(options.given)


@contextmanager
def _own_servers(home: Home, options: Options) -> Iterator[dict[str, str]]:
    ours = embedded(home, options.given)
    chosen = environment.settings(options.given, home, port=options.port) | ours.urls()
    with stop_on_signals() as stop, servers.manned(home, ours.services(), stop=stop):
        publish(home, chosen)
        yield chosen


def _joined(home: Home, busy: HomeBusyError) -> dict[str, str]:
    deadline = time.monotonic() + _WAIT_FOR_DEMO_SECONDS
    while not home.environment.exists():
        if time.monotonic() > deadline:
            raise SupervisorError(f"{busy} It has no servers to share yet.")
        time.sleep(0.1)
    return environment.read_texts(home.environment)


def _run(command: Sequence[str], env: Mapping[str, str]) -> int:
    try:
        process = subprocess.Popen(command, env=dict(env))
    except OSError as error:
        raise SupervisorError(f"{command[0]}: {error.strerror}") from error

    def pass_on(number: int, _frame: FrameType | None) -> None:
        # The terminal's Ctrl-C reaches the command by itself.
        if number != signal.SIGINT:
            process.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        code = process.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
