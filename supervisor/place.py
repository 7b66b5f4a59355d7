"""Where the embedded servers keep their data and sockets, and whom PostgreSQL runs as.

Data lives in the home. Two things may forbid that or more: PostgreSQL refuses to run as root, and
the user it then runs as may be unable to reach the home; and a socket's path must be short. What
cannot be in the home is in a directory of ours under the temporary one, named after the home.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import stat
import subprocess
import tempfile
from pathlib import Path

from supervisor.errors import SupervisorError
from supervisor.home import Home
from supervisor.program import Owner, Program

# sun_path holds 104 bytes on macOS, and ".s.PGSQL.5432" and its like must fit.
_LONGEST_SOCKET_DIRECTORY = 80
# The directory becomes the host of a URL, and URL parsers fold a host's capitals.
_PLAIN = re.compile(r"[a-z0-9/._-]+")


def server_owner(home: Home) -> Owner | None:
    """Whom PostgreSQL must run as: None for ourselves, else who owns the data, else `nobody`."""
    if os.geteuid() != 0:
        return None
    data = home.path / "postgres"
    if data.exists() and data.stat().st_uid != 0:
        return Owner(data.stat().st_uid, data.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise SupervisorError(
            "PostgreSQL does not run as root and there is no user `nobody`; "
            "run as an ordinary user, or set DATABASE_URL."
        ) from None
    return Owner(nobody.pw_uid, nobody.pw_gid)


def sockets(home: Home) -> Path:
    """The directory of the servers' sockets: short, plain, and closed to everyone else."""
    for parent in _temporary_directories():
        directory = parent / _name(home) / "sockets"
        text = str(directory)
        if _PLAIN.fullmatch(text) and len(text) <= _LONGEST_SOCKET_DIRECTORY:
            return _owned(_private(directory.parent) / "sockets", server_owner(home))
    raise SupervisorError(f"no temporary directory serves for sockets: {_temporary_directories()}")


def data(home: Home, owner: Owner | None) -> Path:
    """PostgreSQL's directory: `<home>/postgres`, which is a link where it had to go elsewhere.

    The link is the record: the next start follows it, whatever TMPDIR says by then.
    """
    inside = home.path / "postgres"
    if inside.is_symlink():
        elsewhere = inside.readlink()
        _private(elsewhere.parent)
        return _owned(elsewhere, owner)
    if owner is None or inside.is_dir() or can_reach(home.path, owner):
        return _owned(inside, owner)
    elsewhere = _lasting_directory(owner) / _name(home) / "postgres"
    _private(elsewhere.parent)
    inside.symlink_to(elsewhere)
    return _owned(elsewhere, owner)


def elsewhere(home: Home) -> list[Path]:
    """Every directory outside the home that belongs to it, for those who tidy up."""
    found = [parent / _name(home) for parent in _temporary_directories()]
    link = home.path / "postgres"
    if link.is_symlink():
        found.append(link.readlink().parent)
    return [path for path in dict.fromkeys(found) if _is_private(path)]


def can_reach(path: Path, owner: Owner) -> bool:
    """Whether this user can pass through every directory down to the path; asks the kernel."""
    test = Program(
        "reach", ("/bin/sh", "-c", 'cd "$1"', "sh", str(path)), {}, log=None, owner=owner
    )
    done = subprocess.run(test.command(), check=False, capture_output=True, cwd="/")
    return done.returncode == 0


def _name(home: Home) -> str:
    digest = hashlib.sha256(str(home.path.resolve()).encode()).hexdigest()
    return f"bursar-{os.geteuid()}-{digest[:10]}"


def _temporary_directories() -> list[Path]:
    return [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - checked


def _lasting_directory(owner: Owner) -> Path:
    """Where data outlives a reboot, which `/var/tmp` promises and `/tmp` does not."""
    for parent in reversed(_temporary_directories()):
        if parent.is_dir() and os.access(parent, os.W_OK) and can_reach(parent, owner):
            return parent
    raise SupervisorError("no directory is reachable for PostgreSQL's user; set DATABASE_URL.")


def _private(directory: Path) -> Path:
    """Make a directory under a shared one, or check that the one there is ours."""
    try:
        directory.mkdir(mode=0o700, parents=False)
    except FileExistsError:
        if not _is_private(directory):
            raise SupervisorError(f"{directory} is not ours alone; remove it.") from None
    directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return directory


def _is_private(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return False
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not others_write


def _owned(directory: Path, owner: Owner | None) -> Path:
    """A directory inside one of ours, for PostgreSQL's user alone."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if owner is not None:
        os.chown(directory, owner.uid, owner.gid)
    return directory
