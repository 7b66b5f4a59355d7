"""Who is taxed how: sellers, customers and rates as the rules of tax know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from billing.core import vat_area
from billing.core.tax_policies import (
    UNTAXED,
    Buyer,
    Place,
    Rate,
    RateTable,
    Seller,
    Taxation,
    TaxNumber,
    TaxPolicyKind,
    WhenUnverified,
)
from billing.core.taxes import TaxRounding
from billing.models import Seller as SellerRow
from billing.models import TaxRate
from billing.queries import sellers
from billing.queries import sellers as sellers_of
from customers import countries
from customers.models import BillingDetails, Customer, TaxId
from customers.vat import EU_VAT

# Of several numbers of the customer's own country, the best one counts.
_BEST_FIRST: Final = {True: 0, None: 1, False: 2}


def rate_table() -> RateTable:
    """Every rate there is: some hundred rows, read anew, so that what is loaded counts at once."""
    return RateTable(
        Rate(*row)
        for row in TaxRate.objects.values_list(
            "country", "region", "tax_class", "percent", "starts_on", "ends_on"
        )
    )


def taxations(
    customers: Sequence[Customer], sellers: Mapping[UUID, SellerRow]
) -> dict[UUID, Taxation]:
    """Customer → how they are taxed, in three queries for all of them, or none where nobody is.

    :param sellers: customer → who sells to them; one that is missing is not taxed.
    """
    found = {customer.pk: UNTAXED for customer in customers}
    taxed = [customer for customer in customers if _is_taxed(sellers.get(customer.pk))]
    if not taxed:
        return found
    keys = [customer.pk for customer in taxed]
    rates, places, numbers = rate_table(), _places(keys), _numbers(keys)
    for customer in taxed:
        place = places.get(customer.pk, Place(""))
        number = _best(numbers.get(customer.pk, ()), place)
        buyer = Buyer(place, number, customer.tax_exemption)
        found[customer.pk] = Taxation(seller(sellers[customer.pk]), buyer, rates)
    return found


def supposed(customer: Customer | None, country: str | None) -> Taxation:
    """How a customer, or anybody in a country, would be taxed; without either, not at all."""
    if customer is None and country is None:
        return UNTAXED
    known = {} if customer is None else sellers.of_customers([customer.pk])
    row = sellers.default() if customer is None else known.get(customer.pk)
    if row is None or not _is_taxed(row):
        return UNTAXED
    found = Taxation(seller(row), Buyer(Place(country or "")), rate_table())
    if customer is not None:
        found = taxations([customer], {customer.pk: row})[customer.pk]
    if customer is None or country is None:
        return found
    moved = replace(found.buyer, place=Place(country))
    number = moved.tax_number
    if number is not None and vat_area.country_of(number.country) != moved.place.taxing:
        moved = replace(moved, tax_number=None)
    return replace(found, buyer=moved)


def seller(row: SellerRow) -> Seller:
    """A seller as the rules of tax know it."""
    return Seller(
        Place(row.country, row.region, row.postal_code),
        TaxPolicyKind(row.tax_policy),
        is_oss_registered=row.is_oss_registered,
        when_unverified=WhenUnverified(row.when_unverified),
        rounding=TaxRounding(row.tax_rounding),
    )


def own_vat_id() -> str:
    """The number that registers are asked in the name of; empty if there is none."""
    row = sellers_of.default()
    return "" if row is None else row.vat_id


def _is_taxed(row: SellerRow | None) -> bool:
    return row is not None and row.tax_policy != TaxPolicyKind.NONE


def _places(customers: Iterable[UUID]) -> dict[UUID, Place]:
    """Customer → their address. Where what they wrote is no country, rules know of none."""
    rows = BillingDetails.objects.filter(customer_id__in=customers)
    return {
        key: Place(countries.code_of(country), state, postal_code)
        for key, country, state, postal_code in rows.values_list(
            "customer_id", "country", "state", "postal_code"
        )
    }


def _numbers(customers: Iterable[UUID]) -> dict[UUID, list[TaxNumber]]:
    """Customer → their EU VAT numbers, the oldest first."""
    numbers: dict[UUID, list[TaxNumber]] = {}
    for row in TaxId.objects.filter(customer_id__in=customers, kind=EU_VAT).order_by("pk"):
        number = TaxNumber(row.country, row.is_valid)
        numbers.setdefault(row.customer_id, []).append(number)
    return numbers


def _best(numbers: Iterable[TaxNumber], place: Place) -> TaxNumber | None:
    """The number that may count: of the country where they are."""
    fitting = [each for each in numbers if vat_area.country_of(each.country) == place.taxing]
    return min(fitting, key=lambda each: _BEST_FIRST[each.is_valid], default=None)
