"""Typst, in this process: the template and a document's texts → PDF/A-3.

The template reads nothing but what it is given. What is compiled shares only the fonts, so that
threads do not meet; the same input gives the same bytes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

_TEMPLATE: Final = Path(__file__).parent / "templates" / "document.typ"
_STANDARD: Final = "a-3b"
# PDF/A has no place for a character without a glyph, and Typst names each that it has none for.
_UNKNOWN: Final = re.compile(r"the text `\"(.+?)\"` could not be displayed")
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-f]+)\}")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# Typst keeps what it computed until it has compiled so many others: some 60 MB for 1,000 lines.
_KEEPS: Final = 10
_LARGE: Final = 100_000


def pdf(page: Mapping[str, Any], *, at: datetime, xml: bytes | None = None) -> bytes:
    """PDF/A-3b, with the XML attached where there is one.

    :param at: when it says it was made.
    """
    inputs = {"page": json.dumps(page, ensure_ascii=False)}
    if xml is not None:
        inputs["xml"] = xml.decode()
    try:
        return _compiled(inputs, at)
    finally:
        if len(inputs["page"]) > _LARGE:
            _forget()


def _compiled(inputs: dict[str, str], at: datetime) -> bytes:
    """The PDF, in which a character that no font has is replaced."""
    while True:
        compiler = typst.Compiler(
            _TEMPLATE,
            root=_TEMPLATE.parent,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs=inputs,
        )
        try:
            made = compiler.compile(format="pdf", pdf_standards=[_STANDARD], timestamp=at)
        except typst.TypstError as error:
            page = _without(_unknown(error), inputs["page"])
            if page == inputs["page"]:
                raise
            inputs = {**inputs, "page": page}
        else:
            assert isinstance(made, bytes)  # noqa: S101  # it is one file, and goes nowhere else
            return made


def _unknown(error: typst.TypstError) -> set[str]:
    """The characters that no font has; none if it is about something else.

    A character and the marks on it are named together where no font has both: the marks go first.
    """
    named = {
        char
        for text in _UNKNOWN.findall(error.diagnostic)
        for char in _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)
        if char != _REPLACEMENT and not char.isascii()
    }
    marks = {char for char in named if unicodedata.category(char)[0] in "MC"}
    return marks or named


def _without(chars: set[str], text: str) -> str:
    return text.translate({ord(char): _REPLACEMENT for char in chars})


def _forget() -> None:
    for _ in range(_KEEPS + 1):
        typst.compile(b"", font_paths=_fonts(), ignore_system_fonts=True, format="pdf")


@cache
def _fonts() -> typst.Fonts:
    """Those that Typst brings: the same on every machine."""
    return typst.Fonts(include_system_fonts=False)
