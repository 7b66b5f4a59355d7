"""The processes of the demo besides the servers, as data: what runs, after what, ready when."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor import ports, tables
from supervisor.crew import Service
from supervisor.home import Home
from supervisor.ports import HOST
from supervisor.program import Program

PROJECT = Path(__file__).resolve().parent.parent
# All in one process: loading the project costs seconds.
_MIGRATE = """
import pathlib, sys
from django.core.management import execute_from_command_line as run
run(["manage.py", "migrate", "--no-input"])
if len(sys.argv) > 1:
    pathlib.Path(sys.argv[1]).write_text(sys.argv[2])
"""
_VENDORS = {"stripe": "Stripe", "paypal": "PayPal"}
_SERVERS = ("postgres", "valkey", "stripe_sandbox", "paypal_sandbox")


@dataclass(frozen=True)
class Application:
    """What the table of processes is computed from."""

    home: Home
    port: int
    env: Mapping[str, str]
    # None where the person brought an account there.
    stripe_port: int | None
    paypal_port: int | None
    # Where the migrations leave their record; None where the person brought a database.
    tables: Path | None
    publish: Callable[[], None]

    @property
    def seed(self) -> Path:
        return self.home.path / "seed.json"

    def services(self) -> list[Service]:
        """In no order: it follows from the needs. What is not ours to run is absent."""
        found = [self._web(), *self._celery(), self._sample_data()]
        if self.stripe_port is not None:
            secret = {"--webhook-secret": self.env["STRIPE_WEBHOOK_SECRET"]}
            found.append(self._stand_in("stripe", self.stripe_port, secret))
        if self.paypal_port is not None:
            account = {
                "--webhook-id": self.env["PAYPAL_WEBHOOK_ID"],
                "--client-id": self.env["PAYPAL_CLIENT_ID"],
                "--client-secret": self.env["PAYPAL_CLIENT_SECRET"],
            }
            found.append(self._stand_in("paypal", self.paypal_port, account))
        if self.tables is None or not tables.are_current(self.tables, PROJECT):
            found.append(self._migrations())
        return found

    def _stand_in(self, vendor: str, port: int, account: Mapping[str, str]) -> Service:
        name = f"{vendor}_sandbox"
        arguments = {
            "--port": str(port),
            "--host": HOST,
            "--state": str(self.home.path / f"{name}.sqlite3"),
            "--webhook-url": f"http://{HOST}:{self.port}/webhooks/{vendor}/",
            **account,
        }
        flat = [part for pair in arguments.items() for part in pair]
        return Service(
            self._python(name, "-m", name, *flat),
            f"Stand-in for {_VENDORS[vendor]}",
            ready=functools.partial(ports.answers, port, "/_control/health"),
        )

    def _migrations(self) -> Service:
        record = () if self.tables is None else (str(self.tables), tables.digest(PROJECT))
        return Service(
            self._python("migrations", "-c", _MIGRATE, *record),
            "Tables",
            needs=("postgres", "valkey"),
            once=True,
        )

    def _web(self) -> Service:
        # Beside the migrations: until somebody visits it only loads code.
        server = ("granian", "--interface", "wsgi", "--host", HOST, "--port", str(self.port))
        limits = ("--workers", "1", "--blocking-threads", "8", "--workers-kill-timeout", "3")
        quiet = ("--no-ws", "--no-access-log", "--respawn-failed-workers")
        return Service(
            self._python("web", "-m", *server, *limits, *quiet, "config.wsgi:application"),
            "Web server",
            needs=_SERVERS,
            prepare=self.publish,
            ready=functools.partial(ports.answers, self.port, "/healthz"),
            # Its answer takes a look at every other part, and so waits for the tables as well.
            interval=0.25,
            timeout=180,
        )

    def _celery(self) -> list[Service]:
        needs = (*_SERVERS, "migrations")
        worker = ("worker", "--concurrency", "2", "--queues", "celery,billing")
        quiet = ("--loglevel", "INFO", "--without-gossip", "--without-mingle")
        beat = ("beat", "--schedule", str(self.home.run / "beat"), "--loglevel", "WARNING")
        celery = ("-m", "celery", "--app", "config.celery")
        return [
            Service(self._python("worker", *celery, *worker, *quiet), "Worker", needs=needs),
            Service(self._python("beat", *celery, *beat), "Timetable", needs=needs),
        ]

    def _sample_data(self) -> Service:
        arguments = ("manage.py", "seed_demo", "--output", str(self.seed))
        # Its people pay through the whole application; once they have, it does nothing.
        first_needs = () if self.seed.exists() else ("web", "worker")
        return Service(
            self._python("seed_demo", *arguments, shown=True),
            "Sample data",
            needs=(*_SERVERS, "migrations", *first_needs),
            once=True,
        )

    def _python(self, name: str, *arguments: str, shown: bool = False) -> Program:
        return Program(
            name,
            (sys.executable, *arguments),
            self.env,
            log=None if shown else self.home.log(name),
            cwd=PROJECT,
        )
