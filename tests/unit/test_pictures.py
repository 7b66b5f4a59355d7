"""What a picture is, by how it begins."""

from __future__ import annotations

import pytest

from billing.core import pictures
from billing.core.errors import InvalidError

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG + b"rest", "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (PNG.ljust(256 * 1024, b"x"), "image/png"),
    ],
)
def test_what_is_shown(content: bytes, media_type: str) -> None:
    assert pictures.kind_of(content).media_type == media_type


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unknown_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown_picture"),
        (b"<html>", "unknown_picture"),
        (b"GIF89a", "unknown_picture"),
        (b" " + PNG, "unknown_picture"),
        (b"RIFF\x10\x00\x00\x00WAVE", "unknown_picture"),
        (PNG.ljust(256 * 1024 + 1, b"x"), "picture_too_large"),
    ],
)
def test_what_is_not(content: bytes, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        pictures.kind_of(content)

    assert refused.value.code == code
