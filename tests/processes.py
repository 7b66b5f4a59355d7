"""Doing things in processes of their own: at once, or behind one socket as a server's workers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any, Final, TypeVar

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections

_Result = TypeVar("_Result")

FORK: Final = multiprocessing.get_context("fork")
HOST: Final = "127.0.0.1"


def in_processes(*calls: Callable[[], _Result]) -> Sequence[_Result]:
    """Run each call in a process of its own, all at once; what each gave, to be pickled."""
    connections.close_all()
    ready, pipes = FORK.Barrier(len(calls)), [FORK.Pipe(duplex=False) for _ in calls]

    def run(call: Callable[[], _Result], answers: Connection) -> None:
        forget_connections()
        ready.wait(timeout=20)
        answers.send(call())

    running = [
        FORK.Process(target=run, args=(call, answers))
        for call, (_, answers) in zip(calls, pipes, strict=True)
    ]
    for process in running:
        process.start()
    found: list[_Result] = []
    for given, _ in pipes:
        assert given.poll(60), "a process gives no answer"
        found.append(given.recv())
    for process in running:
        process.join()
    return found


@contextmanager
def served(processes: int) -> Iterator[str]:
    """The application behind one socket, in so many processes, with a thread for each call.

    What was patched before holds in them. One that dies is not replaced.
    """
    connections.close_all()
    with socket.create_server((HOST, 0), backlog=256) as listening:
        running = [FORK.Process(target=_serve, args=(listening,)) for _ in range(processes)]
        for process in running:
            process.start()
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            _kill(running)


def forget_connections() -> None:
    """Those of the parent, whose pool's threads are not here."""
    settings = connections.databases["default"]
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": False}
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]


class _Quiet(WSGIRequestHandler):
    """Writes no line for each call."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name in the base
        """Nothing."""


def _serve(listening: socket.socket) -> None:
    forget_connections()
    server = ThreadedWSGIServer((HOST, 0), _Quiet, bind_and_activate=False)
    server.socket = listening
    server.server_address = listening.getsockname()
    server.server_name, server.server_port = HOST, listening.getsockname()[1]
    server.setup_environ()
    server.set_app(get_wsgi_application())
    server.serve_forever()


def _kill(running: Sequence[ForkProcess]) -> None:
    for process in running:
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
