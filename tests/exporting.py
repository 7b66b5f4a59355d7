"""What beancount itself says of an export."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core import inventory, realization

from billing.core.exporting import names


def bean_check(text: str, folder: Path) -> str:
    """What `bean-check` complains of; nothing, if it accepts the text."""
    path = folder / "journal.beancount"
    path.write_text(text, encoding="utf-8")
    program = Path(sys.executable).with_name("bean-check")
    ran = subprocess.run([str(program), str(path)], capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).strip() or ("" if ran.returncode == 0 else "it failed")


def faults(text: str) -> list[str]:
    """What beancount finds wrong with it, read in this process."""
    _, errors, _ = loader.load_string(text)
    return [error.message for error in errors]


def balances(text: str) -> dict[tuple[str, str], str]:
    """What beancount makes of the transactions: account and currency → what it holds."""
    read, _, _ = loader.load_string(text)
    found = {}
    accounts: Any = realization  # it has no types
    for account in accounts.iter_children(accounts.realize(read)):
        for position in inventory.Inventory(account.balance):
            key = (names.account_of(account.account).code, position.units.currency)
            found[key] = f"{position.units.number}"
    return found
