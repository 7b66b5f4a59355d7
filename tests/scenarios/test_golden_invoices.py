"""Whole documents, as the API answers them, beside those that were reckoned by hand.

The files are in `tests/golden/documents/`; ids and the words of addresses are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from billing.api import invoice_shapes, return_shapes
from billing.core.crediting import Request, Wish
from billing.core.invoicing import Item
from billing.core.money import Money
from billing.core.tax_policies import TaxPolicyKind
from billing.core.taxes import TaxRounding
from billing.models import Invoice, Seller, TaxRate
from billing.models.credit_note import CreditReason
from billing.services import credit_notes, invoices
from billing.services.credit_notes import Order
from customers import services as customer_services
from customers import tax_ids
from customers.models import Customer
from plans import services as plan_services
from plans.services import CouponTerms
from tests.world import World

pytestmark = pytest.mark.django_db

DOCUMENTS: Final = Path(__file__).parent.parent / "golden" / "documents"
LEFT_OUT: Final = {
    "id",
    "customer",
    "invoice",
    "invoice_line",
    "line",
    "organization_id",
    "payments",
    "subscription",
}
GERMAN: Final = {
    "name": "Beispiel GmbH",
    "line1": "Hauptstraße 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "vat_id": "DE136695976",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "tax_policy": TaxPolicyKind.EU_VAT,
    "is_oss_registered": True,
    "is_default": True,
}
Story = Callable[[World], Invoice]


def _sold(world: World, buyer: Customer, *items: Item, currency: str = "EUR") -> Invoice:
    draft = invoices.draft(buyer.pk, currency=currency, items=items, by="operator:1", now=world.now)
    return invoices.issue(draft.pk, now=world.now)


def _buyer(world: World, country: str, vat: str = "", **fields: str) -> Customer:
    customer = world.customer("buyer", country=country, **fields)
    if vat:
        customer_services.set_tax_ids(customer.pk, [("eu_vat", vat)], by="test", now=world.now)
        [number] = customer.tax_ids.all()
        tax_ids.confirm(number.pk, reason="in this story", by="test", now=world.now)
    return customer


def _seller(world: World, **fields: Any) -> World:
    Seller.objects.create(**{**GERMAN, **fields})
    return world


HOURS: Final = Item("Advice", Decimal(3), Decimal("33.33"))
BOOKS: Final = Item("Book", Decimal(2), Decimal("9.99"), tax_class="reduced")


def domestic(world: World) -> Invoice:
    """Two rates on one invoice: 19 % of 99.99 is 19.00, 7 % of 19.98 is 1.40."""
    return _sold(_seller(world), _buyer(world, "DE"), HOURS, BOOKS)


def reverse_charge(world: World) -> Invoice:
    """A French company whose number is valid owes the tax itself."""
    return _sold(_seller(world), _buyer(world, "FR", "FR40303265045"), HOURS)


def oss(world: World) -> Invoice:
    """A French consumer pays the French rate: 20 % of 99.99 is 20.00."""
    return _sold(_seller(world), _buyer(world, "FR"), HOURS)


def inclusive(world: World) -> Invoice:
    """Austrian consumers are told 10.00 with tax: 1.67 of it, at 20 %."""
    item = Item("E-mail", Decimal(1), Decimal(10), is_tax_included=True)
    return _sold(_seller(world), _buyer(world, "AT"), item)


def export(world: World) -> Invoice:
    """Nothing is charged to the United States."""
    return _sold(_seller(world), _buyer(world, "US"), HOURS)


def zero(world: World) -> Invoice:
    """An invoice over nothing has its number, and is paid."""
    return _sold(_seller(world), _buyer(world, "DE"), Item("A gift", Decimal(1), Decimal(0)))


def yen(world: World) -> Invoice:
    """No decimals: 10 % of 3702 is 370."""
    TaxRate.objects.create(country="JP", percent=10, starts_on="2019-10-01")
    _seller(world, name="Rei K.K.", country="JP", tax_policy=TaxPolicyKind.FIXED_RATE, vat_id="")
    item = Item("Seat", Decimal(3), Decimal(1234))
    invoice = _sold(world, _buyer(world, "JP"), item, currency="JPY")
    TaxRate.objects.filter(country="JP").delete()
    return invoice


def dinar(world: World) -> Invoice:
    """Three decimals: 19 % of 12.345 is 2.346."""
    item = Item("Seat", Decimal(1), Decimal("12.345"))
    return _sold(_seller(world), _buyer(world, "DE"), item, currency="KWD")


def each_line_rounded(world: World) -> Invoice:
    """Silver's convention: 34.80 and three times 24.22, where the whole would give 107.45."""
    _seller(world, country="FR", vat_id="", tax_rounding=TaxRounding.LINE)
    extra = Item("Above", Decimal(1345), Decimal("0.0150"))
    plan = Item("Plan", Decimal(1), Decimal("29.00"))
    return _sold(world, _buyer(world, "FR"), plan, extra, extra, extra)


def discounts_over_mixed_rates(world: World) -> Invoice:
    """From a plan at 7 % to one at 19 % in mid-month, under a coupon over a quarter.

    Credited: half of the 30.00 − 7.50 that were paid; charged: half of 60.00, less a quarter.
    """
    _seller(world)
    world.sells("Reader", "30.00", currency="EUR", tax_class="reduced")
    world.sells("Everything", "60.00", currency="EUR")
    plan_services.create_coupon(
        "QUARTER", terms=CouponTerms(percent_off=Decimal(25)), by="test", now=world.now
    )
    buyer = _buyer(world, "DE", currency="EUR")
    world.adds_card(buyer)
    world.subscribes(buyer, "Reader", coupon="QUARTER")
    world.at("2026-04-16").changes(buyer, plan="Everything")
    return world.newest_invoice(buyer)


def credit_note(world: World) -> Invoice:
    """One of three hours and 5.00 of the books: 33.33 at 19 % is 6.33, 5.00 at 7 % is 0.35."""
    invoice = domestic(world)
    hours, book = invoice.lines.order_by("position")
    wishes = (
        Wish(str(hours.pk), quantity=Decimal(1)),
        Wish(str(book.pk), net=Money(5_00, "EUR")),
    )
    order = Order(Request(wishes=wishes), reason=CreditReason.RETURN, note="Returned")
    credit_notes.issue(invoice.pk, order, by="operator:1", now=world.now)
    return invoice


STORIES: Final[list[Story]] = [
    domestic,
    reverse_charge,
    oss,
    inclusive,
    export,
    zero,
    yen,
    dinar,
    each_line_rounded,
    discounts_over_mixed_rates,
    credit_note,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_document_is_exactly_that(story: Story, world: World) -> None:
    invoice = story(world.at("2026-04-01"))

    [shown] = invoice_shapes.show([invoice_shapes.readable().get(pk=invoice.pk)])

    if shown["credit_notes"]:
        notes = return_shapes.credit_notes().filter(invoice=invoice)
        shown["credit_notes"] = [return_shapes.CreditNoteOutput.of(note) for note in notes]
    expected = json.loads((DOCUMENTS / f"{story.__name__}.json").read_text())
    assert _plain(json.loads(json.dumps(shown, default=str))) == expected


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(found) for name, found in value.items() if name not in LEFT_OUT}
    return [_plain(found) for found in value] if isinstance(value, list) else value
