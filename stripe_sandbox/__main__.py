"""Run the stand-in: `python -m stripe_sandbox --port 12111 --state stripe.sqlite3`."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading

from stripe_sandbox.core import Sandbox
from stripe_sandbox.endpoints import listen_at
from stripe_sandbox.loopback import NotLoopbackError
from stripe_sandbox.server import Server


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    options = _parser().parse_args(arguments)
    if bool(options.webhook_url) != bool(options.webhook_secret):
        return _refuse("--webhook-url and --webhook-secret go together.")
    try:
        server = _server(options)
    except (NotLoopbackError, OSError, sqlite3.Error) as reason:
        return _refuse(str(reason))
    _serve(server)
    return 0


def _server(options: argparse.Namespace) -> Server:
    public_url = options.public_url.rstrip("/") if options.public_url else None
    sandbox = Sandbox(options.state, public_url=public_url)
    try:
        server = Server(sandbox, options.host, options.port, public_url)
    except BaseException:
        sandbox.close()
        raise
    if options.webhook_url:
        listen_at(sandbox.state, options.webhook_url, options.webhook_secret)
    return server


def _serve(server: Server) -> None:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    thread = server.start()
    sys.stdout.write(f"stripe_sandbox ready on {server.url}\n")
    sys.stdout.flush()
    told.wait()
    server.stop()
    thread.join()


def _refuse(message: str) -> int:
    sys.stderr.write(f"stripe_sandbox: {message}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stripe_sandbox", description="A stand-in for Stripe.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=12111, help="0 picks a free one")
    parser.add_argument("--state", default=":memory:", help="the file to remember in")
    parser.add_argument("--public-url", help="what links start with, if not with the host asked")
    parser.add_argument("--webhook-url", help="an endpoint that hears of everything")
    parser.add_argument("--webhook-secret", help="its secret, whsec_…")
    return parser


if __name__ == "__main__":
    sys.exit(main())
