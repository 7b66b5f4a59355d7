"""Whether the embedded database already has the tables of this code.

Looking for migrations costs seconds at every start. What decides them is files, so their digest,
left beside the data when the migrations have run, says at once that there is nothing to do.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_DECIDING = (
    "*/migrations/*.py",
    "billing/gateways/stripe/mirror_migrations/*.py",
    "config/settings.py",
    "requirements.lock",
)


def digest(project: Path) -> str:
    """Changes with every file that has a say in the tables."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in _DECIDING for path in project.glob(pattern)):
        found.update(f"{path.relative_to(project)}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def are_current(record: Path, project: Path) -> bool:
    """Whether the migrations that left this record were those of this code."""
    return record.exists() and record.read_text() == digest(project)
