"""Where the register of VAT numbers does not answer: sold all the same, or held until it does."""

from __future__ import annotations

from typing import Any

import pytest

from billing.core.errors import ConflictError
from billing.models import Invoice, Seller
from billing.services import invoices
from customers import services as customer_services
from customers import tax_ids
from customers.models import Customer, TaxId
from customers.vies import Answer
from tests.world import World

pytestmark = pytest.mark.django_db


def _italian(world: World, **seller: Any) -> Customer:
    """A business in Italy on a plan of a French seller's, its number not answered for."""
    Seller.objects.create(
        name="Vendeur",
        country="FR",
        tax_policy="EU_VAT",
        is_oss_registered=True,
        is_default=True,
        **seller,
    )
    world.sells("Flat", "100.00", currency="EUR")
    buyer = world.at("2026-04-01").customer("rossi", country="IT", currency="EUR")
    customer_services.set_tax_ids(buyer.pk, [("eu_vat", "IT00743110157")], by="test", now=world.now)
    world.adds_card(buyer)
    world.subscribes(buyer, "Flat")
    return buyer


def _answer(buyer: Customer, *, is_valid: bool | None, world: World) -> None:
    number = TaxId.objects.get(customer=buyer)
    tax_ids.record_answer(number.pk, Answer(is_valid), now=world.now)


def _newest(world: World, buyer: Customer) -> tuple[str, str, str]:
    row = world.newest_invoice(buyer)
    return row.status, f"{row.tax.major}", f"{row.total.major}"


def test_the_standard_rate_is_charged_meanwhile(world: World) -> None:
    buyer = _italian(world)

    assert _newest(world, buyer) == ("PAID", "22.00", "122.00")


def test_an_invoice_is_held_until_the_register_answers(world: World) -> None:
    buyer = _italian(world, when_unverified="HOLD")
    held = Invoice.objects.get()
    assert (held.status, held.number, held.hold_reason) == ("DRAFT", None, "tax_number")
    with pytest.raises(ConflictError) as refused:
        invoices.issue(held.pk, now=world.now)
    assert refused.value.code == "tax_number_unconfirmed"

    _answer(buyer, is_valid=None, world=world)
    world.at("2026-04-02")
    assert _newest(world, buyer)[0] == "DRAFT"

    _answer(buyer, is_valid=True, world=world)
    world.at("2026-04-03")
    assert _newest(world, buyer) == ("PAID", "0.00", "100.00")
    assert "Reverse charge" in world.newest_invoice(buyer).notes[0]


def test_a_number_that_is_not_valid_pays_as_a_consumer(world: World) -> None:
    buyer = _italian(world, when_unverified="HOLD")

    _answer(buyer, is_valid=False, world=world)
    world.at("2026-04-03")

    assert _newest(world, buyer) == ("PAID", "22.00", "122.00")


def test_an_operators_word_lets_it_go(world: World) -> None:
    buyer = _italian(world, when_unverified="HOLD")

    number = TaxId.objects.get(customer=buyer)
    tax_ids.confirm(number.pk, reason="Seen the certificate", by="test", now=world.now)
    world.at("2026-04-03")

    assert _newest(world, buyer) == ("PAID", "0.00", "100.00")
