"""Our account codes as beancount's account names, and back.

A name begins with its kind, and each part of a code becomes a part of the name: `tax:DE:19` is
`Liabilities:Tax:DE:19`, `credit_carried` is `Liabilities:Credit-carried`. Such a part begins with
a capital or a digit and goes on with letters, digits and hyphens. What cannot be written so that
it is read back the same is written out letter by letter behind a mark.
"""

from __future__ import annotations

import re
from typing import Final

from billing.core.postings import Account, AccountKind

_ROOTS: Final = {
    AccountKind.ASSET: "Assets",
    AccountKind.LIABILITY: "Liabilities",
    AccountKind.EQUITY: "Equity",
    AccountKind.INCOME: "Income",
    AccountKind.EXPENSE: "Expenses",
}
_KINDS: Final = {root: kind for kind, root in _ROOTS.items()}
_LEGAL: Final = re.compile(r"[A-Z0-9][A-Za-z0-9-]*")
_UUID: Final = re.compile(r"[0-9A-F][0-9a-f]{7}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLACE: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]+)?")
_PERCENT: Final = re.compile(r"[0-9]+(?:-[0-9]+)?")
_MARK: Final = "X---"  # what is read without it never has three hyphens
_ESCAPED: Final = re.compile(r"-([0-9a-f]+)-")


def name_of(account: Account) -> str:
    """The account's name in beancount's notation."""
    return ":".join((_ROOTS[account.kind], *map(_written, account.code.split(":"))))


def account_of(name: str) -> Account:
    """The account of which that is the name.

    :raises ValueError: if no account is called so.
    """
    root, *parts = name.split(":")
    if root not in _KINDS or not parts:
        raise ValueError(f"{name} is no account's name.")
    return Account(":".join(map(_read, parts)), _KINDS[root])


def _written(part: str) -> str:
    natural = _naturally(part)
    if _LEGAL.fullmatch(natural) and _read(natural) == part:
        return natural
    return _MARK + "".join(char if _is_plain(char) else f"-{ord(char):x}-" for char in part)


def _naturally(part: str) -> str:
    capital = part[:1].upper() + part[1:]
    if _UUID.fullmatch(capital) or _PLACE.fullmatch(part):
        return capital
    return capital.replace("_", "-").replace(".", "-")


def _read(part: str) -> str:
    if part.startswith(_MARK):
        rest = part.removeprefix(_MARK)
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), rest)
    if _PLACE.fullmatch(part):
        return part
    if _UUID.fullmatch(part):
        return part.lower()
    if _PERCENT.fullmatch(part):
        return part.replace("-", ".")
    return (part[:1].lower() + part[1:]).replace("-", "_")


def _is_plain(char: str) -> bool:
    return char.isascii() and char.isalnum()
