"""What kind of picture some bytes are, by how they begin and not by what somebody calls them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from billing.core.errors import InvalidError

MAX_BYTES: Final = 256 * 1024


class PictureKind(StrEnum):
    """Kinds that every browser shows and none runs: SVG, which holds scripts, is not among them."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return f"image/{self.lower()}"


def kind_of(content: bytes) -> PictureKind:
    """Look at a picture.

    :raises InvalidError: with `picture_too_large` or `unknown_picture`.
    """
    if len(content) > MAX_BYTES:
        raise InvalidError(
            f"A picture of at most {MAX_BYTES // 1024} KB.", code="picture_too_large"
        )
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureKind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return PictureKind.JPEG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return PictureKind.WEBP
    raise InvalidError("A picture in PNG, JPEG or WebP.", code="unknown_picture")
