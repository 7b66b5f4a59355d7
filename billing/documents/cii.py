"""A document as data: EN 16931 in the syntax CII, which is Factur-X's profile of that name.

`docs/documents.md` lists the business terms (BT-…) and what they are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from drafthorse.models.accounting import ApplicableTradeTax, TradeAllowanceCharge
from drafthorse.models.document import Document as Tree
from drafthorse.models.note import IncludedNote
from drafthorse.models.payment import PaymentTerms
from drafthorse.models.trade import TradeSettlement
from drafthorse.models.tradelines import LineItem

from billing.core.errors import ConflictError
from billing.core.figures import plain
from billing.core.money import Money, exponent
from billing.core.taxes import TaxCategory
from billing.documents import means, parties, quantities, tax_categories, wording
from billing.documents.characters import speakable
from billing.documents.tax_categories import Breakdown, Stated
from billing.documents.values import Document, DocumentKind, DocumentLine

_PROFILE: Final = "urn:cen.eu:en16931:2017"
_TYPES: Final = {DocumentKind.INVOICE: "380", DocumentKind.CREDIT_NOTE: "381"}
_MOST_DECIMALS: Final = 2
_UNIT: Final = "C62"  # "one": whatever is counted
_TAX: Final = "VAT"
_DISCOUNT: Final = "95"  # UNCL 5189
_INSTANT: Final = timedelta(microseconds=1)


def render(document: Document) -> bytes:
    """The XML.

    :raises ConflictError: with code `not_en16931`, if what was frozen does not suffice for it.
    """
    lacking = missing(document)
    if lacking:
        raise ConflictError(
            f"It cannot be stated by EN 16931: {'; '.join(lacking)}.", code="not_en16931"
        )
    with wording.speaking(document):
        return _written(document)


def missing(document: Document) -> list[str]:
    """Why a document cannot be stated by EN 16931; nothing where it can."""
    found = []
    if exponent(document.currency) > _MOST_DECIMALS:
        found.append(f"amounts in {document.currency} have more than two decimals")
    if not document.seller.get("country"):
        found.append("the seller has no country")
    categories = {row.tax.category for row in document.taxes}
    names = ["vat_id"] if TaxCategory.EXPORT in categories else ["vat_id", "tax_number"]
    is_taxed = bool(categories - {TaxCategory.OUT_OF_SCOPE})
    if is_taxed and not any(document.seller.get(name) for name in names):
        found.append("the seller has no VAT id")
    return found


def _written(document: Document) -> bytes:
    categories = [line.tax.category for line in document.lines]
    stated = tax_categories.stated_in([*categories, *(row.tax.category for row in document.taxes)])
    tree = Tree()
    tree.context.guideline_parameter.id = _PROFILE
    _head(tree, document)
    parties.put(tree.trade.agreement, document, is_taxed=_is_taxed(stated))
    for position, line in enumerate(document.lines, start=1):
        tree.trade.items.add(_line(line, position, stated[line.tax.category], document))
    _settlement(tree.trade.settlement, document, stated)
    return bytes(tree.serialize(schema=None))


def _is_taxed(stated: Mapping[TaxCategory, Stated]) -> bool:
    return any(row.has_rate for row in stated.values())


def _head(tree: Tree, document: Document) -> None:
    tree.header.id = speakable(document.number)
    tree.header.type_code = _TYPES[document.kind]
    tree.header.issue_date_time = _day(document.issued_at, document)
    for said in [*document.notes, document.seller.get("footer") or ""]:
        if said:
            tree.header.notes.add(_note(said))


def _line(line: DocumentLine, position: int, stated: Stated, document: Document) -> LineItem:
    item, sums = LineItem(), quantities.counted(line)
    item.document.line_id = str(position)
    if line.explanation:
        item.document.notes.add(_note(line.explanation))
    item.product.name = speakable(line.description) or document.kind.value
    item.agreement.net.amount = plain(sums.price)
    if sums.per is not None:
        item.agreement.net.basis_quantity = (plain(sums.per), _UNIT)
    item.delivery.billed_quantity = (plain(sums.quantity), _UNIT)
    settlement = item.settlement
    settlement.trade_tax.type_code = _TAX
    settlement.trade_tax.category_code = stated.code
    if stated.has_rate:
        settlement.trade_tax.rate_applicable_percent = plain(line.tax.percent)
    if line.start is not None and line.end is not None:
        settlement.period.start = _day(line.start, document)
        settlement.period.end = _day(line.end - _INSTANT, document)
    if sums.discount:
        settlement.allowance_charge.add(_discount(sums.discount))
    settlement.monetary_summation.total_amount = line.net.major
    return item


def _discount(amount: Money) -> TradeAllowanceCharge:
    found = TradeAllowanceCharge()
    found.indicator = False
    found.actual_amount = amount.major
    found.reason_code, found.reason = _DISCOUNT, "Discount"
    return found


def _settlement(
    settlement: TradeSettlement, document: Document, stated: Mapping[TaxCategory, Stated]
) -> None:
    settlement.currency_code = document.currency
    means.put(settlement, document)
    for row in tax_categories.breakdown(document.taxes, stated):
        settlement.trade_tax.add(_tax(row))
    if document.start is not None and document.end is not None:
        settlement.period.start = _day(document.start, document)
        settlement.period.end = _day(document.end - _INSTANT, document)
    settlement.terms.add(_terms(document))
    _sums(settlement, document)
    if document.correction is not None:
        said = settlement.invoice_referenced_document
        said.issuer_assigned_id = speakable(document.correction.invoice_number)
        said.issue_date_time = _day(document.correction.invoice_issued_at, document)


def _tax(row: Breakdown) -> ApplicableTradeTax:
    found = ApplicableTradeTax()
    found.calculated_amount, found.basis_amount = row.amount.major, row.base.major
    found.type_code, found.category_code = _TAX, row.stated.code
    if row.stated.has_rate:
        found.rate_applicable_percent = plain(row.percent)
    if row.stated.has_reason:
        found.exemption_reason = speakable(row.reason)
    if row.stated.reason_code:
        found.exemption_reason_code = row.stated.reason_code
    return found


def _terms(document: Document) -> PaymentTerms:
    found = PaymentTerms()
    found.description = speakable(wording.terms(document))
    if document.due_at is not None:
        found.due = _day(document.due_at, document)
    return found


def _sums(settlement: TradeSettlement, document: Document) -> None:
    """What is paid later by credit notes is theirs to say: of an invoice, only what was paid."""
    paid = document.standing.paid if document.standing else Money.zero(document.currency)
    sums = settlement.monetary_summation
    sums.line_total = document.net.major
    sums.tax_basis_total = document.net.major
    sums.tax_total = (document.tax.major, document.currency)
    sums.grand_total = document.total.major
    if paid:
        sums.prepaid_total = paid.major
    sums.due_amount = (document.total - paid).major


def _note(said: str) -> IncludedNote:
    found = IncludedNote()
    found.content = speakable(said)
    return found


def _day(instant: datetime, document: Document) -> date:
    return instant.astimezone(document.zone).date()
