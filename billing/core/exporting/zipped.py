"""A ZIP archive as it is written, file by file; only the list of names grows with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import RawIOBase
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_FOR_ITS_OWNER: Final = 0o600 << 16


@dataclass(frozen=True, slots=True)
class File:
    """A file of the archive, small enough to be held whole.

    :param at: when it was written, as the archive says; the same files give the same bytes.
    """

    name: str
    at: datetime
    content: bytes


def zipped(files: Iterable[File]) -> Iterator[bytes]:
    """The archive in pieces, one for each file and one for the list at its end."""
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:
        for file in files:
            entry = ZipInfo(file.name, date_time=file.at.astimezone(UTC).timetuple()[:6])
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, _FOR_ITS_OWNER
            archive.writestr(entry, file.content)
            yield pipe.taken()
    yield pipe.taken()


class _Pipe(RawIOBase):
    """What cannot be sought in: then `ZipFile` writes strictly from front to back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        """All that was written since it was last asked."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
