"""Paying an invoice by bank transfer: what the payer writes on it."""

from __future__ import annotations

from dataclasses import dataclass

from billing.core import references
from billing.core.money import Money
from billing.models import Invoice


@dataclass(frozen=True, slots=True)
class Particulars:
    """Where to, how much, and what it is for."""

    amount: Money
    holder: str
    iban: str
    bic: str
    bank: str
    reference: str


def to_seller(invoice: Invoice, amount: Money) -> Particulars | None:
    """By the document's own words for its seller; None where they name no account."""
    seller = invoice.seller or {}
    iban = references.bare(seller.get("iban") or "")
    if not iban:
        return None
    number = str(invoice.number)
    reference = references.creditor_reference(number)
    return Particulars(
        amount=amount,
        holder=seller.get("account_holder") or seller.get("name") or "",
        iban=references.in_groups(iban),
        bic=seller.get("bic") or "",
        bank=seller.get("bank_name") or "",
        reference=references.in_groups(reference) if reference else number,
    )
