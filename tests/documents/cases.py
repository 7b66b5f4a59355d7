"""Documents of every kind that there is, each made by the real engine in a short story."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from billing.core.crediting import WHOLE, Request
from billing.core.invoicing import Item
from billing.core.tax_policies import TaxPolicyKind
from billing.models import CreditNote, Invoice, Seller, TaxRate
from billing.services import invoices, payments
from customers import services as customer_services
from customers import tax_ids
from customers.models import Customer, TaxId
from customers.vies import Answer
from plans.prices import Price, Tier, UsageModel
from plans.services import CouponTerms, create_coupon
from plans.terms import Alignment, Billed, UsageTerms
from tests import builders
from tests.services import paying, returning
from tests.world import World

Story = Callable[[World], Invoice | CreditNote]

SELLER = {
    "name": "Wunderland GmbH",
    "line1": "Kaninchenbau 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "email": "billing@wunderland.example",
    "phone": "+49 30 1234567",
    "vat_id": "DE136695976",
    "tax_number": "29/815/08150",
    "registration": "HRB 4711 B, Amtsgericht Charlottenburg",
    "bank_name": "Musterbank",
    "account_holder": "Wunderland GmbH",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "terms": "Payable without deduction.",
    "footer": "Managing director: A. Liddell",
    "tax_policy": TaxPolicyKind.EU_VAT,
    "is_oss_registered": True,
}


def opens(world: World, **seller: Any) -> None:
    """A German seller, and the rates that are needed."""
    world.at("2026-04-01")
    Seller.objects.create(is_default=True, **{**SELLER, **seller})
    TaxRate.objects.all().delete()
    for country, tax_class, percent in (
        ("DE", "standard", 19),
        ("DE", "reduced", 7),
        ("FR", "standard", 20),
        ("AT", "standard", 20),
    ):
        TaxRate.objects.create(
            country=country, tax_class=tax_class, percent=Decimal(percent), starts_on="2020-01-01"
        )


def alice(world: World, country: str = "DE", **fields: str) -> Customer:
    """Somebody who buys."""
    usual = {"city": "Köln", "postal_code": "50667", "timezone": "Europe/Berlin"}
    return builders.make_customer(
        "alice", now=world.now, test_clock=world.clock, country=country, **{**usual, **fields}
    )


def sells(
    world: World, customer: Customer, *items: tuple[str, str, str, str], **options: Any
) -> Invoice:
    """A finalized invoice by hand: description, quantity, unit amount and class of each item."""
    is_included = bool(options.pop("is_tax_included", False))
    draft = invoices.draft(
        customer.pk,
        currency=options.pop("currency", "EUR"),
        items=[
            Item(text, Decimal(quantity), Decimal(amount), tax_class, is_included)
            for text, quantity, amount, tax_class in items
        ],
        by="test",
        now=world.now,
    )
    invoices.issue(draft.pk, now=world.now)
    return returning.fresh(draft)


def plain(world: World) -> Invoice:
    opens(world)
    return sells(world, alice(world), ("Set-up", "3", "33.335", "standard"))


def several_rates(world: World) -> Invoice:
    opens(world)
    return sells(
        world,
        alice(world),
        ("Software", "7", "14.99", "standard"),
        ("Handbook", "3", "9.95", "reduced"),
        ("Training", "1", "120", "exempt"),
    )


def tax_included(world: World) -> Invoice:
    opens(world)
    return sells(world, alice(world), ("App", "3", "9.99", "standard"), is_tax_included=True)


def discount(world: World) -> Invoice:
    opens(world)
    terms = CouponTerms(percent_off=Decimal("12.5"))
    create_coupon("SPRING", terms=terms, by="test", now=world.now)
    return _subscribes(world, "29.99", coupon="SPRING")


def discount_with_tax_included(world: World) -> Invoice:
    opens(world)
    terms = CouponTerms(percent_off=Decimal(33))
    create_coupon("SPRING", terms=terms, by="test", now=world.now)
    return _subscribes(world, "29.99", coupon="SPRING", is_tax_included=True)


def minimum(world: World) -> Invoice:
    opens(world)
    return _month(world, minimum=Decimal(100))


def tiers(world: World) -> Invoice:
    opens(world)
    steps = (Tier(Decimal(10), Decimal("0.5")), Tier(None, Decimal("0.33"), Decimal(5)))
    return _month(world, usage=(UsageTerms("api_calls", Price(UsageModel.GRADUATED, tiers=steps)),))


def prorated(world: World) -> Invoice:
    opens(world)
    customer = alice(world)
    world.at("2026-04-12").sells(
        "Team", "99", currency="EUR", alignment=Alignment.CALENDAR, first_day_counts=True
    )
    world.adds_card(customer)
    world.subscribes(customer, "Team")
    return world.newest_invoice(customer)


def credit_applied(world: World) -> Invoice:
    opens(world)
    customer = alice(world)
    paying.give(world, customer, "5.00")  # in USD
    return sells(world, customer, ("Set-up", "1", "20", "standard"), currency="USD")


def paid_by_card(world: World) -> Invoice:
    opens(world)
    customer = alice(world)
    world.adds_card(customer)
    invoice = sells(world, customer, ("Set-up", "1", "20", "standard"))
    attempt = payments.charge(invoice.pk, by="test", now=world.now)
    assert attempt is not None
    payments.collect(attempt.pk, now=world.now)
    return returning.fresh(invoice)


def partly_paid(world: World) -> Invoice:
    opens(world)
    customer = alice(world)
    invoice = sells(world, customer, ("Set-up", "1", "20", "standard"))
    paying.pay(world, customer, "7.00", (invoice, "7.00"), currency="EUR")
    return returning.fresh(invoice)


def reverse_charge(world: World) -> Invoice:
    opens(world)
    customer = alice(world, "FR", city="Paris", postal_code="75001")
    customer_services.set_tax_ids(
        customer.pk, [("eu_vat", "FR40303265045")], by="test", now=world.now
    )
    number = TaxId.objects.get(customer=customer)
    tax_ids.record_answer(number.pk, Answer(is_valid=True), now=world.now)
    return sells(world, customer, ("Licence", "2", "49.5", "standard"))


def destination(world: World) -> Invoice:
    opens(world)
    return sells(world, alice(world, "AT"), ("Licence", "2", "49.5", "standard"))


def export(world: World) -> Invoice:
    opens(world)
    return sells(world, alice(world, "US"), ("Licence", "2", "49.5", "standard"), currency="USD")


def untaxed(world: World) -> Invoice:
    opens(world, tax_policy=TaxPolicyKind.NONE)
    return sells(world, alice(world), ("Licence", "2", "49.5", "standard"))


def bare_seller(world: World) -> Invoice:
    """Who has a name and a country, and sells what is not taxed to nobody in particular."""
    world.at("2026-04-01")
    Seller.objects.create(is_default=True, name="Ours", country="DE")
    nobody = {"name": "", "city": "", "postal_code": "", "line1": ""}
    customer = alice(world, "", **nobody)
    return sells(world, customer, ("Licence", "2", "49.5", "standard"))


def voucher_beside_goods(world: World) -> Invoice:
    opens(world)
    return sells(
        world, alice(world), ("Voucher", "1", "50", "voucher"), ("Book", "1", "10", "standard")
    )


def zero_total(world: World) -> Invoice:
    opens(world)
    return sells(world, alice(world), ("Trial", "1", "0", "standard"))


def negative_line(world: World) -> Invoice:
    opens(world)
    return sells(
        world,
        alice(world),
        ("Licence", "2", "49.5", "standard"),
        ("Goodwill", "3", "-1.333", "standard"),
    )


def yen(world: World) -> Invoice:
    opens(world)
    return sells(world, alice(world), ("Licence", "3", "333.4", "standard"), currency="JPY")


def canceled(world: World) -> Invoice:
    invoice = plain(world)
    invoices.cancel(invoice.pk, by="olga", now=world.now)
    return returning.fresh(invoice)


def credited_in_part(world: World) -> CreditNote:
    return returning.credit(world, plain(world), Request(amount=_money("11.90")))


def credited_quantity(world: World) -> CreditNote:
    invoice = several_rates(world)
    wish = returning.line(invoice, 2, quantity="2")
    return returning.credit(world, invoice, Request(wishes=(wish,)))


def credited_whole(world: World) -> CreditNote:
    return returning.credit(world, negative_line(world), WHOLE)


def credited_when_paid(world: World) -> CreditNote:
    return returning.credit(world, paid_by_card(world), WHOLE, to="REFUND")


STORIES: list[Story] = [
    plain,
    several_rates,
    tax_included,
    discount,
    discount_with_tax_included,
    minimum,
    tiers,
    prorated,
    credit_applied,
    paid_by_card,
    partly_paid,
    reverse_charge,
    destination,
    export,
    untaxed,
    bare_seller,
    voucher_beside_goods,
    zero_total,
    negative_line,
    yen,
    canceled,
    credited_in_part,
    credited_quantity,
    credited_whole,
    credited_when_paid,
]


def _money(text: str) -> Any:
    return paying.money(text, "EUR")


def _subscribes(world: World, amount: str, *, coupon: str, **terms: Any) -> Invoice:
    customer = alice(world)
    world.sells("Team", amount, currency="EUR", **terms)
    world.adds_card(customer)
    world.subscribes(customer, "Team", coupon=coupon)
    return world.newest_invoice(customer)


def _month(world: World, **terms: Any) -> Invoice:
    """A month in arrears, with 37 calls."""
    customer = alice(world)
    world.sells("Metered", "0", currency="EUR", billed=Billed.IN_ARREARS, **terms)
    world.adds_card(customer)
    world.subscribes(customer, "Metered")
    world.at("2026-04-10").uses(customer, 37)
    world.at("2026-05-02")
    return world.newest_invoice(customer)
