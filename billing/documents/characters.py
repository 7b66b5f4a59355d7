"""What is done to texts that others wrote before they stand in a file."""

from __future__ import annotations

import re
from typing import Final

# XML 1.0 has no place for these, not even escaped; nor do people.
_UNSPEAKABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONG_WORD: Final = re.compile(r"\S{24}(?=\S)")
_MAY_BREAK: Final = "\N{ZERO WIDTH SPACE}"


def speakable(text: str) -> str:
    """As it was written, but for what is no character of a text."""
    return _UNSPEAKABLE.sub("", text)


def breakable(text: str) -> str:
    """The same to look at, but that a word without end goes on in the next line."""
    return _LONG_WORD.sub(lambda found: found.group() + _MAY_BREAK, speakable(text))
