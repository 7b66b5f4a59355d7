"""What payers write on a transfer, and which invoices it means.

The reference is ISO 11649 (a creditor reference, `RF` and two check digits by ISO 7064 mod 97-10),
made of the invoice's number, so that banks find slips of the pen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 21  # characters after the check digits
_BASE: Final = 36


def bare(text: str) -> str:
    """Letters and digits alone, in upper case, as banks hand them on."""
    return "".join(char for char in text.upper() if char.isascii() and char.isalnum())


def creditor_reference(number: str) -> str:
    """The reference of an invoice; empty for a number that is too long, or has no such characters.

    >>> creditor_reference("INV-2026-000042")
    'RF54INV2026000042'
    """
    body = bare(number)
    if not 0 < len(body) <= _LONGEST:
        return ""
    digits = "".join(str(int(char, _BASE)) for char in f"{body}RF00")
    return f"RF{98 - int(digits) % 97:02}{body}"


def in_groups(reference: str) -> str:
    """In groups of four, for people."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def named(text: str, numbers: Iterable[str]) -> list[str]:
    """Which of these invoice numbers a transfer's text names: by their reference, or as they are.

    A number that is only part of another word of the text is not named by it.
    """
    whole, upper = bare(text), text.upper()
    by_reference = [
        number
        for number in numbers
        if (reference := creditor_reference(number)) and reference in whole
    ]
    if by_reference:  # of "RF..A1" and "RF..A11" in one text, the shorter is part of the longer
        return [one for one in by_reference if not _is_part(one, by_reference)]
    return [number for number in numbers if _stands_in(number.upper(), upper)]


def _is_part(number: str, others: Iterable[str]) -> bool:
    ours = creditor_reference(number)
    return any(ours != theirs and ours in theirs for theirs in map(creditor_reference, others))


def _stands_in(number: str, text: str) -> bool:
    found = rf"(?<![A-Z0-9]){re.escape(number)}(?![A-Z0-9])"
    return bool(number) and re.search(found, text) is not None
