"""How a document is paid: EN 16931's payment instructions (BG-16), and those for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drafthorse.models.payment import PaymentMeans
from drafthorse.models.trade import TradeSettlement

from billing.core import references
from billing.documents.characters import speakable
from billing.documents.values import Document, PaidBy

_TRANSFER: Final = "30"
_SEPA_TRANSFER: Final = "58"
_CARD: Final = "48"
# Kind of payment method → what UNCL 4461 calls it.
_CODES: Final[Mapping[str, str]] = {
    "card": _CARD,
    "sepa_debit": "59",
    "paypal": "68",
    "pix": "68",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where to transfer to, and what to write on it.

    :param reference: by ISO 11649, or the bare number where it is too long for that.
    """

    holder: str
    iban: str
    bic: str
    bank: str
    reference: str


def account(document: Document) -> Account | None:
    """The seller's account, by the document's own words; None where they name none."""
    seller = document.seller
    iban = references.bare(seller.get("iban") or "")
    if not iban:
        return None
    return Account(
        holder=seller.get("account_holder") or seller.get("name") or "",
        iban=iban,
        bic=references.bare(seller.get("bic") or ""),
        bank=seller.get("bank_name") or "",
        reference=references.creditor_reference(document.number) or document.number,
    )


def put(settlement: TradeSettlement, document: Document) -> None:
    """BT-83 and BG-16: how the last payment came; before there is any, where to transfer to."""
    if document.standing is None:
        return
    settlement.payment_reference = speakable(
        references.creditor_reference(document.number) or document.number
    )
    paid, where = document.standing.payments, account(document)
    if paid and paid[-1].kind in _CODES:
        settlement.payment_means.add(_paid(paid[-1]))
    elif where is not None:
        settlement.payment_means.add(_transfer(where, document.currency))


def _paid(payment: PaidBy) -> PaymentMeans:
    found = PaymentMeans()
    found.type_code = _CODES[payment.kind]
    if payment.last4:
        found.financial_card.id = payment.last4
    return found


def _transfer(where: Account, currency: str) -> PaymentMeans:
    found = PaymentMeans()
    found.type_code = _SEPA_TRANSFER if currency == "EUR" else _TRANSFER
    found.payee_account.iban = where.iban
    found.payee_account.account_name = speakable(where.holder)
    if where.bic:
        found.payee_institution.bic = where.bic
    return found
