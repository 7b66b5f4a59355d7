"""Who is charged which tax: one policy for each regime, chosen by the seller.

A policy is handed a sale and answers with its tax. Another regime is a class with that one
method, a `TaxPolicyKind`, and a row in `_POLICIES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from billing.core import vat_area
from billing.core.errors import ConflictError
from billing.core.taxes import Tax, TaxCategory, TaxRounding

# The classes of what is sold that mean something here; a plan may name any other.
STANDARD: Final = "standard"
REDUCED: Final = "reduced"
SUPER_REDUCED: Final = "super_reduced"
ZERO: Final = "zero"
EXEMPT: Final = "exempt"
# Prepaid credit that may be used for anything: taxed when it is used, not when it is sold.
VOUCHER: Final = "voucher"

_NOTHING: Final = Decimal(0)
_REVERSE_CHARGE_NOTE: Final = (
    "Reverse charge: the customer is liable for the VAT (Article 196 of Directive 2006/112/EC)."
)
_EXPORT_NOTE: Final = (
    "No VAT is charged: the place of supply is outside the VAT area of the European Union "
    "(Articles 44, 58 and 59 of Directive 2006/112/EC)."
)
_EXEMPT_NOTE: Final = "Exempt from tax."
_NO_TAX: Final = Tax(TaxCategory.OUT_OF_SCOPE, _NOTHING)
_EXPORT: Final = Tax(TaxCategory.EXPORT, _NOTHING, note=_EXPORT_NOTE)


class TaxPolicyKind(StrEnum):
    """The regimes a seller can be under."""

    NONE = "NONE"
    EU_VAT = "EU_VAT"
    FIXED_RATE = "FIXED_RATE"


class WhenUnverified(StrEnum):
    """What to do about a tax number that nobody has confirmed or denied yet."""

    STANDARD_RATE = "STANDARD_RATE"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is, as an address says it.

    :param country: ISO 3166; empty if not known.
    :param region: a state or province, as the rates name it.
    """

    country: str
    region: str = ""
    postal_code: str = ""

    @property
    def taxing(self) -> str:
        """The country whose tax is levied there."""
        return vat_area.country_of(self.country)

    @property
    def taxing_region(self) -> str:
        """The region whose rates apply, if it has its own."""
        return vat_area.region_of(self.country, self.postal_code) or self.region.strip()

    @property
    def is_in_eu(self) -> bool:
        """Whether the Union's VAT is levied there."""
        return vat_area.is_inside(self.country, self.postal_code)


@dataclass(frozen=True, slots=True)
class TaxNumber:
    """A buyer's number.

    :param country: ISO 3166, or as the number begins (EL, XI).
    :param is_valid: None as long as there is no answer.
    """

    country: str
    is_valid: bool | None


@dataclass(frozen=True, slots=True)
class Seller:
    """What tax needs to know of who sells.

    :param is_oss_registered: pays consumers' VAT to all member states through its own (One Stop
        Shop), or, from outside, through one of them.
    """

    place: Place
    kind: TaxPolicyKind
    is_oss_registered: bool = False
    when_unverified: WhenUnverified = WhenUnverified.STANDARD_RATE
    rounding: TaxRounding = TaxRounding.DOCUMENT


@dataclass(frozen=True, slots=True)
class Buyer:
    """What tax needs to know of who buys.

    :param exemption: why nothing may be charged to them; empty where it may.
    """

    place: Place
    tax_number: TaxNumber | None = None
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a country, or a region of it, charges on a class of things.

    :param ends_on: the last day; None while it is in force.
    """

    country: str
    region: str
    tax_class: str
    percent: Decimal
    starts_on: date
    ends_on: date | None = None

    def covers(self, on: date) -> bool:
        """Whether it is in force that day."""
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


class RateTable:
    """Rates by place, class and day. Regions are compared without regard to case."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates: dict[tuple[str, str, str], list[Rate]] = {}
        for rate in sorted(rates, key=lambda rate: rate.starts_on, reverse=True):
            key = (rate.country, rate.region.casefold(), rate.tax_class)
            self._rates.setdefault(key, []).append(rate)

    def find(self, country: str, region: str, tax_class: str, on: date) -> Decimal | None:
        """The percentage; None where the country has none that day."""
        rate = self.rate(country, region, tax_class, on)
        return None if rate is None else rate.percent

    def rate(self, country: str, region: str, tax_class: str, on: date) -> Rate | None:
        """What is in force that day; None where the country has nothing.

        A class that a place does not know is taxed as standard: a country without a reduced rate
        has no other, and a misspelt class must not make a sale free of tax. The class counts for
        more than the region, so that a region may state its standard rate alone.
        """
        for wanted in dict.fromkeys((tax_class, STANDARD)):
            for part in dict.fromkeys((region.casefold(), "")):
                for rate in self._rates.get((country, part, wanted), ()):
                    if rate.covers(on):
                        return rate
        return None


@dataclass(frozen=True, slots=True)
class Sale:
    """Who sells what kind of thing to whom, and the day its tax falls due."""

    seller: Seller
    buyer: Buyer
    tax_class: str
    on: date
    rates: RateTable

    def exempted(self, place: Place) -> Tax | None:
        """That nothing is charged, because of the buyer or of the class; None where it is."""
        reason = self.buyer.exemption or (_EXEMPT_NOTE if self.tax_class == EXEMPT else "")
        if not reason:
            return None
        return Tax(TaxCategory.EXEMPT, _NOTHING, place.taxing, note=reason)

    def levied_in(self, place: Place) -> Tax | None:
        """What the class bears there; None where the place has no rate."""
        rate = self.rates.rate(place.taxing, place.taxing_region, self.tax_class, self.on)
        if rate is None:
            return None
        if rate.percent and self.tax_class != ZERO:
            return Tax(TaxCategory.STANDARD, rate.percent, rate.country, rate.region)
        return Tax(TaxCategory.ZERO, _NOTHING, rate.country, rate.region)


class TaxPolicy(Protocol):
    """A regime."""

    def tax(self, sale: Sale) -> Tax:
        """What the sale bears.

        :raises ConflictError: if that cannot be said, without a rate, or the seller's country.
        """
        ...


class Untaxed:
    """No tax at all."""

    def tax(self, sale: Sale) -> Tax:
        """Nothing."""
        return _NO_TAX


class FixedRate:
    """The rate of the buyer's region or country, where the table has one; elsewhere nothing.

    A buyer whose country is not known is taken to be where the seller is.
    """

    def tax(self, sale: Sale) -> Tax:
        """What the buyer's place levies."""
        place = sale.buyer.place if sale.buyer.place.country else sale.seller.place
        return sale.exempted(place) or sale.levied_in(place) or _NO_TAX


class EuVat:
    """VAT on services by Directive 2006/112/EC: art. 44 and 196 to businesses, 58 to consumers.

    A buyer whose country is not known is taken to be where the seller is, and one whose number is
    not confirmed to be a consumer. A seller whom no member state taxes at home owes nothing in the
    Union but the VAT of consumers, and that only through OSS.
    """

    def tax(self, sale: Sale) -> Tax:
        """What the sale bears, by where both are and what the buyer's number is worth."""
        if not sale.seller.place.country:
            raise ConflictError(
                "VAT cannot be reckoned: the seller has no country.", code="seller_without_country"
            )
        place = sale.buyer.place if sale.buyer.place.country else sale.seller.place
        exempted = sale.exempted(place)
        if exempted is not None:
            return exempted
        if sale.seller.place.is_in_eu:
            return self._from_inside(sale, place)
        return self._from_outside(sale, place)

    def _from_inside(self, sale: Sale, place: Place) -> Tax:
        seller = sale.seller
        if not place.is_in_eu:
            return _EXPORT
        if is_business_abroad(sale.buyer, seller=seller):
            note = _REVERSE_CHARGE_NOTE
            return Tax(TaxCategory.REVERSE_CHARGE, _NOTHING, place.taxing, note=note)
        is_taxed_there = seller.is_oss_registered or _is_domestic(place, seller=seller)
        return self._levied(sale, place if is_taxed_there else seller.place)

    def _from_outside(self, sale: Sale, place: Place) -> Tax:
        seller = sale.seller
        if _is_domestic(place, seller=seller):
            return sale.levied_in(place) or _NO_TAX
        if not (seller.is_oss_registered and place.is_in_eu):
            return _NO_TAX
        if is_business_abroad(sale.buyer, seller=seller):
            return _NO_TAX
        return self._levied(sale, place)

    def _levied(self, sale: Sale, place: Place) -> Tax:
        tax = sale.levied_in(place)
        if tax is None:
            raise ConflictError(
                f"There is no rate of VAT for {place.taxing} on {sale.on}.", code="no_tax_rate"
            )
        return tax


def is_business_abroad(buyer: Buyer, *, seller: Seller) -> bool:
    """Whether the buyer owes the VAT: in another member state, with a valid number of that one."""
    number, place = buyer.tax_number, buyer.place
    return (
        number is not None
        and number.is_valid is True
        # XI, for goods in Northern Ireland, is the number of no country's.
        and vat_area.country_of(number.country) == place.taxing
        and place.is_in_eu
        and not _is_domestic(place, seller=seller)
    )


@dataclass(frozen=True, slots=True)
class Taxation:
    """What a customer is charged by a seller, for anything on any day."""

    seller: Seller
    buyer: Buyer
    rates: RateTable

    def tax_of(self, tax_class: str, on: date) -> Tax:
        """What something of that class bears.

        :raises ConflictError: if that cannot be said, without a rate, or the seller's country.
        """
        if tax_class == VOUCHER:
            return _NO_TAX
        sale = Sale(self.seller, self.buyer, tax_class, on, self.rates)
        return _POLICIES[self.seller.kind].tax(sale)

    @property
    def rounding(self) -> TaxRounding:
        """How the seller's documents round."""
        return self.seller.rounding

    @property
    def must_wait(self) -> bool:
        """Whether an answer about the buyer's number has to come before the invoice goes out."""
        number = self.buyer.tax_number
        if number is None or number.is_valid is not None or self.buyer.exemption:
            return False
        if self.seller.when_unverified != WhenUnverified.HOLD:
            return False
        return self._is_decided_by_a_number and is_business_abroad(
            replace(self.buyer, tax_number=replace(number, is_valid=True)), seller=self.seller
        )

    @property
    def _is_decided_by_a_number(self) -> bool:
        return self.seller.kind == TaxPolicyKind.EU_VAT and (
            self.seller.place.is_in_eu or self.seller.is_oss_registered
        )


def _is_domestic(place: Place, *, seller: Seller) -> bool:
    return place.taxing == seller.place.taxing


_POLICIES: Final[Mapping[TaxPolicyKind, TaxPolicy]] = {
    TaxPolicyKind.NONE: Untaxed(),
    TaxPolicyKind.EU_VAT: EuVat(),
    TaxPolicyKind.FIXED_RATE: FixedRate(),
}

UNTAXED: Final = Taxation(
    Seller(Place(""), TaxPolicyKind.NONE), Buyer(Place("")), rates=RateTable(())
)
