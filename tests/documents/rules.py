"""An XML invoice read back, and the rules of EN 16931 that bind its sums and its taxes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

from drafthorse.utils import validate_xml

from billing.core.money import exponent

_NAMES: Final = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_LINES: Final = ".//ram:IncludedSupplyChainTradeLineItem"
_SETTLEMENT: Final = ".//ram:ApplicableHeaderTradeSettlement"
_PRICE: Final = "SpecifiedLineTradeAgreement/NetPriceProductTradePrice"
_SUMS: Final = f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
_SELLER: Final = ".//ram:SellerTradeParty"
_BUYER: Final = ".//ram:BuyerTradeParty"
_NEEDS_REASON: Final = {"E", "AE", "G", "O"}


class Read:
    """An XML invoice."""

    def __init__(self, xml: bytes) -> None:
        self.root = ET.fromstring(xml)  # noqa: S314  # we wrote it
        self.xml = xml

    def all(self, path: str, under: ET.Element | None = None) -> list[ET.Element]:
        """The elements at a path, without prefixes where they are the usual one."""
        return (self.root if under is None else under).findall(_full(path), _NAMES)

    def text(self, path: str, under: ET.Element | None = None) -> str | None:
        """What one of them says; None where there is none."""
        found = self.all(path, under)
        assert len(found) < 2, path
        return found[0].text if found else None

    def number(self, path: str, under: ET.Element | None = None) -> Decimal:
        """The same as a number; nothing is 0."""
        return Decimal(self.text(path, under) or 0)

    @property
    def lines(self) -> list[ET.Element]:
        """BG-25."""
        return self.all(_LINES)

    @property
    def taxes(self) -> list[ET.Element]:
        """BG-23."""
        return self.all(f"{_SETTLEMENT}/ApplicableTradeTax")

    def sum(self, name: str) -> Decimal:
        """One of the document's totals (BG-22)."""
        return self.number(f"{_SUMS}/{name}")


def faults(xml: bytes) -> list[str]:
    """The rules that it breaks; nothing for what is right."""
    validate_xml(xml, "FACTUR-X_EN16931")
    read = Read(xml)
    rules = (_parties, _line_sums, _totals, _breakdown, _numbers, _categories, _decimals)
    return [fault for rule in rules for fault in rule(read)]


def _parties(read: Read) -> Iterator[str]:
    for party in (_SELLER, _BUYER):
        if not read.text(f"{party}/Name") or not read.text(f"{party}/PostalTradeAddress/CountryID"):
            yield f"BR-6 to BR-11: {party}"
    known = ("ID", "SpecifiedLegalOrganization/ID", "SpecifiedTaxRegistration/ID[@schemeID='VA']")
    if not any(read.text(f"{_SELLER}/{path}") for path in known):
        yield "BR-CO-26: nothing identifies the seller"
    for number in read.all(".//SpecifiedTaxRegistration/ID[@schemeID='VA']"):
        if not re.match("[A-Z]{2}", number.text or ""):
            yield f"BR-CO-9: {number.text}"


def _line_sums(read: Read) -> Iterator[str]:
    for line in read.lines:
        price = read.number(f"{_PRICE}/ChargeAmount", line)
        per = read.number(f"{_PRICE}/BasisQuantity", line)
        quantity = read.number("SpecifiedLineTradeDelivery/BilledQuantity", line)
        off = read.number(".//SpecifiedTradeAllowanceCharge/ActualAmount", line)
        net = read.number(".//LineTotalAmount", line)
        if price < 0 or off < 0:
            yield "BR-27: a price or a discount below 0"
        if abs(quantity * price / (per or 1) - off - net) > _half_a_unit(read):
            yield f"BT-131: {quantity} × {price} / {per} − {off} is not {net}"
        if not read.text("SpecifiedTradeProduct/Name", line):
            yield "BR-25: an item without a name"


def _half_a_unit(read: Read) -> Decimal:
    """The most that rounding a line makes of a difference."""
    return Decimal(5).scaleb(-1 - exponent(read.text(".//InvoiceCurrencyCode") or ""))


def _totals(read: Read) -> Iterator[str]:
    lines = sum(read.number(".//LineTotalAmount", line) for line in read.lines)
    net, gross = read.sum("TaxBasisTotalAmount"), read.sum("GrandTotalAmount")
    tax, due = read.sum("TaxTotalAmount"), read.sum("DuePayableAmount")
    if read.sum("LineTotalAmount") != lines:
        yield "BR-CO-10: the lines do not sum to BT-106"
    if net != lines:
        yield "BR-CO-13: BT-109 is not the lines"
    if tax != sum(read.number("CalculatedAmount", row) for row in read.taxes):
        yield "BR-CO-14: the taxes do not sum to BT-110"
    if gross != net + tax:
        yield "BR-CO-15: BT-112 is not net and tax"
    if due != gross - read.sum("TotalPrepaidAmount"):
        yield "BR-CO-16: BT-115 is not what is left"
    terms = f"{_SETTLEMENT}/SpecifiedTradePaymentTerms"
    if due > 0 and not (
        read.text(f"{terms}//udt:DateTimeString") or read.text(f"{terms}/Description")
    ):
        yield "BR-CO-25: no day and no terms for what is due"


def _breakdown(read: Read) -> Iterator[str]:
    bases: defaultdict[tuple[str | None, Decimal], Decimal] = defaultdict(Decimal)
    for line in read.lines:
        bases[_taxed(read, line, ".//ApplicableTradeTax/")] += read.number(
            ".//LineTotalAmount", line
        )
    stated = {_taxed(read, row, ""): read.number("BasisAmount", row) for row in read.taxes}
    if stated != dict(bases) or len(stated) != len(read.taxes):
        yield f"BR-S-8 and its like: {stated} is not {dict(bases)}"
    for row in read.taxes:
        exact = read.number("BasisAmount", row) * read.number("RateApplicablePercent", row) / 100
        if abs(exact - read.number("CalculatedAmount", row)) > Decimal("0.02"):
            yield "BR-CO-17: the tax is not base × rate"


def _numbers(read: Read) -> Iterator[str]:
    codes = {read.text("CategoryCode", row) or "" for row in read.taxes}
    has_number = bool(read.all(f"{_SELLER}/SpecifiedTaxRegistration"))
    has_buyers = bool(read.all(f"{_BUYER}/SpecifiedTaxRegistration"))
    if "O" in codes and len(codes) > 1:
        yield "BR-O-11: O beside others"
    if "O" in codes and read.all(".//SpecifiedTaxRegistration/ID[@schemeID='VA']"):
        yield "BR-O-2: O with a VAT id"
    if codes - {"O"} and not has_number:
        yield "BR-S-2 and its like: no number of the seller's"
    if "AE" in codes and not has_buyers:
        yield "BR-AE-2: no number of the buyer's"


def _categories(read: Read) -> Iterator[str]:
    for row in read.taxes:
        code = read.text("CategoryCode", row) or ""
        if bool(read.text("ExemptionReason", row)) != (code in _NEEDS_REASON):
            yield f"BR-{code}-10: the reason"
        if (read.text("RateApplicablePercent", row) is None) != (code == "O"):
            yield f"BR-48: the rate of {code}"
        if code != "S" and (read.number("CalculatedAmount", row) or _taxed(read, row, "")[1]):
            yield f"BR-{code}-9: tax on what bears none"


def _decimals(read: Read) -> Iterator[str]:
    amounts = [node for node in read.root.iter() if node.tag.endswith("Amount")]
    for node in amounts:
        is_price = node.tag.endswith("}ChargeAmount")
        if not is_price and len((node.text or "").partition(".")[2]) > 2:
            yield f"BR-DEC: {node.tag} {node.text}"


def _taxed(read: Read, under: ET.Element, path: str) -> tuple[str | None, Decimal]:
    code = read.text(f"{path}CategoryCode", under)
    return code, read.number(f"{path}RateApplicablePercent", under)


def _full(path: str) -> str:
    """With the usual prefix where a step has none."""
    return re.sub(r"(^|(?<=/))(?=[A-Z])", "ram:", path)
