"""Typst, in this process: the template and a document's texts → PDF/A-3, or pictures of its pages.

The template reads nothing but what it is given. What is compiled shares only the fonts, so that
threads do not meet; the same input gives the same bytes.
"""

from __future__ import annotations

import json
import re
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


def pdf(page: Mapping[str, Any], *, at: datetime, xml: bytes | None = None) -> bytes:
    """PDF/A-3b, with the XML attached where there is one.

    :param at: when it says it was made.
    """
    inputs = {"page": _text(page)}
    if xml is not None:
        inputs["xml"] = xml.decode()
    [made] = _compiled(inputs, at, format="pdf", pdf_standards=[_STANDARD])
    return made


def pictures(page: Mapping[str, Any], *, at: datetime) -> list[bytes]:
    """A PNG of each page."""
    return _compiled({"page": _text(page)}, at, format="png")


def _compiled(inputs: dict[str, str], at: datetime, **options: Any) -> list[bytes]:
    """A PDF, or each page's picture; a character that no font has is replaced."""
    while True:
        compiler = typst.Compiler(
            _TEMPLATE,
            root=_TEMPLATE.parent,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs=inputs,
        )
        try:
            made = compiler.compile(timestamp=at, **options)
        except typst.TypstError as error:
            inputs = {**inputs, "page": _without(_unknown(error), inputs["page"])}
        else:
            return made if isinstance(made, list) else [made or b""]


def _unknown(error: typst.TypstError) -> set[str]:
    """The characters that no font has.

    :raises TypstError: the same, if it is about something else.
    """
    found = {
        char
        for text in _UNKNOWN.findall(error.diagnostic)
        for char in _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)
    } - {_REPLACEMENT}
    if not found:
        raise error
    return found


def _without(chars: set[str], text: str) -> str:
    return text.translate({ord(char): _REPLACEMENT for char in chars})


def _text(page: Mapping[str, Any]) -> str:
    return json.dumps(page, ensure_ascii=False)


@cache
def _fonts() -> typst.Fonts:
    """Those that Typst brings: the same on every machine."""
    return typst.Fonts(include_system_fonts=False)
