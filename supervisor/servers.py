"""PostgreSQL and Valkey together, for the demo, for one command, or for a test run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor import home as homes
from supervisor import place, postgres, valkey
from supervisor.crew import Crew, Service
from supervisor.home import Home
from supervisor.roster import Roster
from supervisor.signals import Stop

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Servers:
    """How to reach what runs: `postgresql://postgres@%2F…:5432/bursar` and `unix:///….sock`.

    Celery spells the second `redis+socket://` and is otherwise content with it.
    """

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class Embedded:
    """The servers that are ours to run; None where the person brought their own."""

    postgres: postgres.Postgres | None
    valkey: valkey.Valkey | None

    def urls(self) -> dict[str, str]:
        """The settings that name them."""
        found = {}
        if self.postgres is not None:
            found["DATABASE_URL"] = self.postgres.url
        if self.valkey is not None:
            found["REDIS_URL"] = self.valkey.url
        return found

    def services(self) -> list[Service]:
        found: list[Service] = []
        for name, server in (("PostgreSQL", self.postgres), ("Valkey", self.valkey)):
            if server is not None:
                title = f"{name} {server.version()}"
                program, prepare, ready = server.program(), server.prepare, server.accepts
                found.append(Service(program, title, prepare=prepare, ready=ready))
        return found


@contextmanager
def running(home: Path, *, durable: bool) -> Iterator[Servers]:
    """Both servers, up while the block runs; the data stays in the home.

    Without `durable` they are faster and may lose everything in a crash of the machine.
    Call from a thread that lives as long as the block.

    :raises SupervisorError: if the home is in use, or a server does not start.
    """
    with homes.claim(home) as claimed:
        database, cache = postgres.at(claimed, durable=durable), valkey.at(claimed, durable=durable)
        with manned(claimed, Embedded(database, cache).services()):
            yield Servers(database.url, cache.url)


@contextmanager
def manned(
    home: Home,
    services: Sequence[Service],
    *,
    tell: Tell = lambda _: None,
    stop: Stop | None = None,
) -> Iterator[Crew]:
    """These services in a home already claimed: started, and all gone afterwards.

    :raises SupervisorError: if one does not start, or `stop` was set meanwhile.
    """
    crew = Crew(services, end_leftovers(home, tell), tell, stop or Stop())
    try:
        crew.start()
        yield crew
    finally:
        crew.stop()
        home.environment.unlink(missing_ok=True)
        _tidy(home)


def end_leftovers(home: Home, tell: Tell) -> Roster:
    """Stop what a killed supervisor left running in this home; its roster, now empty."""
    roster = Roster(home.run / "children.json")
    if left := roster.end_leftovers():
        tell(f"Stopped what an earlier run had left: {', '.join(left)}.")
    return roster


def _tidy(home: Home) -> None:
    """Remove the sockets' directory, and what holds it when nothing else is there."""
    for directory in place.elsewhere(home):
        shutil.rmtree(directory / "sockets", ignore_errors=True)
        if not any(directory.iterdir()):
            directory.rmdir()
