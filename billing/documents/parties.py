"""Who sells and who buys, by EN 16931: from the names and numbers that the document froze."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from drafthorse.models.party import PostalTradeAddress, TaxRegistration, TradeParty
from drafthorse.models.trade import TradeAgreement

from billing.documents.characters import speakable
from billing.documents.values import Document
from customers import countries

_VAT: Final = "VA"
_FISCAL: Final = "FC"
_EMAIL: Final = "EM"
# BT-31, BT-48: a country's prefix first (BR-CO-9).
_VAT_ID: Final = re.compile(r"[A-Z]{2}[0-9A-Z]{2,}")
_VAT_KIND: Final = "_vat"


def put(agreement: TradeAgreement, document: Document, *, is_taxed: bool) -> None:
    """BG-4 and BG-7.

    :param is_taxed: whether anything is subject to VAT; of what is not, VAT ids may not be said
        (BR-O-2).
    """
    _seller(agreement.seller, document, is_taxed=is_taxed)
    _buyer(agreement.buyer, document, is_taxed=is_taxed)


def _seller(party: TradeParty, document: Document, *, is_taxed: bool) -> None:
    said = document.seller
    party.name = speakable(said.get("name") or "")
    vat_id = _bare(said.get("vat_id") or "")
    is_known = bool(said.get("registration")) or (is_taxed and bool(_VAT_ID.fullmatch(vat_id)))
    if not is_known:
        party.id = document.seller_id
    if said.get("registration"):
        party.legal_organization.id = speakable(said["registration"])
    _contact(party, said)
    lines = [said.get("line1") or said.get("address") or "", said.get("line2") or ""]
    _address(party.address, said, lines, country=said["country"], region=said.get("region") or "")
    if is_taxed and vat_id:
        _register(party, vat_id, _VAT if _VAT_ID.fullmatch(vat_id) else _FISCAL)
    if said.get("tax_number"):
        _register(party, speakable(said["tax_number"]), _FISCAL)


def _contact(party: TradeParty, said: Mapping[str, Any]) -> None:
    if said.get("phone"):
        party.contact.telephone.number = speakable(said["phone"])
    if said.get("email"):
        party.contact.email.address = speakable(said["email"])
        party.electronic_address.uri_ID = (_EMAIL, speakable(said["email"]))


def _buyer(party: TradeParty, document: Document, *, is_taxed: bool) -> None:
    """A buyer whose country is not known is taken to be where the seller is, as for tax."""
    said = document.buyer
    organization = said.get("organization_id") or ""
    party.id = speakable(organization)
    party.name = speakable(said.get("name") or "") or speakable(organization)
    country = countries.code_of(said.get("country") or "") or document.seller["country"]
    lines = [said.get("line1") or "", said.get("line2") or ""]
    _address(party.address, said, lines, country=country, region=said.get("state") or "")
    for row in said.get("tax_ids") or ():
        number = _bare(row["value"])
        if is_taxed and row["type"].endswith(_VAT_KIND) and _VAT_ID.fullmatch(number):
            _register(party, number, _VAT)
            break


def _address(
    address: PostalTradeAddress,
    said: Mapping[str, Any],
    lines: Sequence[str],
    *,
    country: str,
    region: str,
) -> None:
    address.postcode = speakable(said.get("postal_code") or "")
    address.line_one, address.line_two = (" ".join(speakable(line).split()) for line in lines)
    address.city_name = speakable(said.get("city") or "")
    address.country_id = country
    address.country_subdivision = speakable(region)


def _register(party: TradeParty, number: str, scheme: str) -> None:
    found = TaxRegistration()
    found.id = (scheme, number)
    party.tax_registrations.add(found)


def _bare(number: str) -> str:
    """A number as registers write it."""
    return re.sub(r"[^0-9A-Z]", "", number.upper())
