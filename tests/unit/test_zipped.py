"""A ZIP archive, written from front to back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from billing.core.exporting.zipped import File, zipped

APRIL = datetime(2026, 4, 1, 9, tzinfo=UTC)


@given(st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=50)), max_size=5))
def test_a_zip_is_read_back(files: list[tuple[str, bytes]]) -> None:
    given_files = [
        File(f"{index}/{name.encode('ascii', 'ignore').hex()}", APRIL, content)
        for index, (name, content) in enumerate(files)
    ]

    archive = zipfile.ZipFile(io.BytesIO(b"".join(zipped(given_files))))

    assert archive.testzip() is None
    assert [(found, archive.read(found)) for found in archive.namelist()] == [
        (file.name, file.content) for file in given_files
    ]


def test_a_zip_is_written_file_by_file_and_the_same_each_time() -> None:
    made: list[int] = []

    def files() -> Iterator[File]:
        for index in range(3):
            made.append(index)
            yield File(f"{index}.txt", APRIL, b"content")

    pieces = zipped(files())
    next(pieces)
    assert made == [0]
    pieces.close()  # type: ignore[attr-defined]  # it is a generator

    assert b"".join(zipped(files())) == b"".join(zipped(files()))
