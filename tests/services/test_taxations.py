"""How many customers are taxed, in a few queries: from their sellers, details, numbers, rates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.core.tax_policies import UNTAXED, TaxNumber, TaxPolicyKind, WhenUnverified
from billing.core.taxes import TaxCategory, TaxRounding
from billing.models import Seller, TaxRate
from billing.queries import taxes
from billing.services import tax_rates
from customers import services, tax_ids
from customers.models import Customer, TaxId
from customers.vies import Answer
from tests.builders import make_customer

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _rates(db: None) -> None:
    TaxRate.objects.all().delete()
    tax_rates.load(tax_rates.read(tax_rates.BUNDLED))


def german(**fields: object) -> Seller:
    usual: dict[str, object] = {
        "name": "Ours GmbH",
        "country": "DE",
        "tax_policy": TaxPolicyKind.EU_VAT,
        "is_oss_registered": True,
        "when_unverified": WhenUnverified.HOLD,
        "tax_rounding": TaxRounding.LINE,
    }
    return Seller.objects.create(**(usual | fields))


def gives(customer: Customer, value: str, *, answer: bool | None) -> TaxId:
    known = [(row.kind, row.value) for row in customer.tax_ids.all()]
    services.set_tax_ids(customer.pk, [*known, ("eu_vat", value)], by="test", now=NOW)
    number = TaxId.objects.get(customer=customer, value=value)
    if answer is not None:
        tax_ids.record_answer(number.pk, Answer(answer), now=NOW)
    return number


def taxed(customer: Customer, seller: Seller, kind: str = "standard") -> tuple[str, int]:
    tax = taxes.taxations([customer], {customer.pk: seller})[customer.pk].tax_of(kind, TODAY)
    return tax.category, int(tax.percent)


def test_a_business_abroad_is_reverse_charged_once_its_number_is_valid() -> None:
    alice, seller = make_customer("alice", country="FR"), german()

    assert taxed(alice, seller) == (TaxCategory.STANDARD, 20)
    number = gives(alice, "FR40303265045", answer=None)
    waiting = taxes.taxations([alice], {alice.pk: seller})[alice.pk]
    assert waiting.must_wait
    assert waiting.rounding == TaxRounding.LINE
    tax_ids.record_answer(number.pk, Answer(is_valid=True), now=NOW)
    assert taxed(alice, seller) == (TaxCategory.REVERSE_CHARGE, 0)


def test_a_number_that_could_not_be_checked_again_keeps_its_last_answer() -> None:
    alice, seller = make_customer("alice", country="FR"), german()
    number = gives(alice, "FR40303265045", answer=True)

    tax_ids.record_answer(number.pk, Answer(None, trouble="MS_UNAVAILABLE"), now=NOW)

    assert TaxId.objects.get().is_stale
    assert taxed(alice, seller) == (TaxCategory.REVERSE_CHARGE, 0)


def test_the_best_number_of_the_customers_own_country_counts() -> None:
    alice, seller = make_customer("alice", country="IT"), german()
    gives(alice, "FR40303265045", answer=True)

    found = taxes.taxations([alice], {alice.pk: seller})[alice.pk]
    assert found.buyer.tax_number is None
    gives(alice, "IT00743110157", answer=False)
    found = taxes.taxations([alice], {alice.pk: seller})[alice.pk]
    assert found.buyer.tax_number == TaxNumber("IT", is_valid=False)
    gives(alice, "IT01533030480", answer=True)
    assert taxed(alice, seller) == (TaxCategory.REVERSE_CHARGE, 0)


def test_an_exemption_and_an_address_are_heeded() -> None:
    seller = german()
    exempt = make_customer("alice", country="DE", tax_exemption="Diplomatic mission.")
    islander = make_customer("bob", country="ES", postal_code="35001")
    nobody = make_customer("charlie", country="Wonderland")

    assert taxed(exempt, seller) == (TaxCategory.EXEMPT, 0)
    assert taxed(islander, seller) == (TaxCategory.EXPORT, 0)
    assert taxed(nobody, seller) == (TaxCategory.STANDARD, 19)


def test_a_state_decides_where_rates_are_by_state() -> None:
    TaxRate.objects.create(country="US", region="NY", percent=4, starts_on=date(2020, 1, 1))
    seller = german(country="US", tax_policy=TaxPolicyKind.FIXED_RATE)

    assert taxed(make_customer("alice", country="US", state="ny"), seller) == ("S", 4)
    assert taxed(make_customer("bob", country="US", state="OR"), seller) == ("O", 0)


def test_who_has_no_taxing_seller_is_not_taxed_and_costs_nothing() -> None:
    alice, bob = make_customer("alice"), make_customer("bob")
    seller = german(tax_policy=TaxPolicyKind.NONE)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = taxes.taxations([alice, bob], {alice.pk: seller})

    assert found == {alice.pk: UNTAXED, bob.pk: UNTAXED}
    assert len(queries) == 0


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_does_not_grow_with_customers(count: int) -> None:
    seller = german()
    customers = [make_customer(f"c{index}", country="FR") for index in range(count)]
    gives(customers[0], "FR40303265045", answer=True)

    with CaptureQueriesContext(connection) as queries:
        found = taxes.taxations(customers, dict.fromkeys([c.pk for c in customers], seller))

    assert len(found) == count
    assert len(queries) == 3


def test_what_is_loaded_counts_at_once() -> None:
    alice, seller = make_customer("alice", country="DE"), german()
    assert taxed(alice, seller) == ("S", 19)

    TaxRate.objects.filter(country="DE", tax_class="standard").update(percent=21)

    assert taxed(alice, seller) == ("S", 21)
