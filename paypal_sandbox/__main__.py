"""Run the stand-in: `python -m paypal_sandbox --port 12112 --state paypal.sqlite3`."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading

from paypal_sandbox.core import Options, Sandbox
from paypal_sandbox.server import Server
from stripe_sandbox.loopback import NotLoopbackError


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    given = _parser().parse_args(arguments)
    for one, other in (("webhook_url", "webhook_id"), ("client_id", "client_secret")):
        if bool(getattr(given, one)) != bool(getattr(given, other)):
            return _refuse(f"--{one} and --{other} go together.".replace("_", "-"))
    options = Options(
        public_url=given.public_url.rstrip("/") if given.public_url else None,
        webhook_url=given.webhook_url,
        webhook_id=given.webhook_id,
        client=(given.client_id, given.client_secret) if given.client_id else None,
    )
    try:
        server = _server(given, options)
    except (NotLoopbackError, OSError, sqlite3.Error) as reason:
        return _refuse(str(reason))
    _serve(server)
    return 0


def _server(given: argparse.Namespace, options: Options) -> Server:
    sandbox = Sandbox(given.state, options)
    try:
        return Server(sandbox, given.host, given.port)
    except BaseException:
        sandbox.close()
        raise


def _serve(server: Server) -> None:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    thread = server.start()
    sys.stdout.write(f"paypal_sandbox ready on {server.url}\n")
    sys.stdout.flush()
    told.wait()
    server.stop()
    thread.join()


def _refuse(message: str) -> int:
    sys.stderr.write(f"paypal_sandbox: {message}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paypal_sandbox", description="A stand-in for PayPal.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=12112, help="0 picks a free one")
    parser.add_argument("--state", default=":memory:", help="the file to remember in")
    parser.add_argument("--public-url", help="what links start with, if not with host and port")
    parser.add_argument("--webhook-url", help="an endpoint that hears of everything")
    parser.add_argument("--webhook-id", help="the id its signatures are made with")
    parser.add_argument("--client-id", help="the only client let in, if not any")
    parser.add_argument("--client-secret", help="its secret")
    return parser


if __name__ == "__main__":
    sys.exit(main())
