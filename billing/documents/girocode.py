"""The code that banking apps read: a SEPA credit transfer (EPC069-12), drawn as SVG."""

from __future__ import annotations

import io
from typing import Final

from segno import helpers

from billing.core.money import Money
from billing.documents.means import Account

_LONGEST_NAME: Final = 70


def of(account: Account, amount: Money) -> str:
    """As SVG; empty for what is no transfer in euros, or cannot be written in the code."""
    if amount.currency != "EUR":
        return ""
    is_structured = account.reference.startswith("RF")
    try:
        code = helpers.make_epc_qr(
            " ".join(account.holder.split())[:_LONGEST_NAME],
            account.iban,
            amount.major,
            reference=account.reference if is_structured else None,
            text=None if is_structured else account.reference,
            bic=account.bic or None,
        )
    except ValueError:
        return ""
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()
