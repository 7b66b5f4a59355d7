"""Sellers and their series in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from billing.models import Invoice, InvoiceSeries, Seller
from billing.services import invoices
from tests.admin.urls_of import add, change
from tests.world import World, instant

pytestmark = pytest.mark.django_db

GERMAN = {
    "name": "Beispiel GmbH",
    "country": "de",
    "vat_id": "DE 136 695 976",
    "tax_policy": "EU_VAT",
    "iban": "DE02 1203 0000 0000 2020 51",
    "bic": "byladem1001",
    "payment_days": "30",
    "tolerance_minor": "5",
    "when_unverified": "HOLD",
    "tax_rounding": "DOCUMENT",
    "is_default": "on",
}


def _faults(operator: Client, **fields: Any) -> dict[str, list[str]]:
    answer = operator.post(add(Seller), {**GERMAN, **fields})
    assert answer.status_code == 200
    faults: dict[str, list[str]] = answer.context["adminform"].form.errors
    return {name: list(messages) for name, messages in faults.items()}


def test_numbers_are_checked_and_stored_as_their_registers_write_them(operator: Client) -> None:
    assert operator.post(add(Seller), GERMAN).status_code == 302

    seller = Seller.objects.get()
    assert (seller.country, seller.vat_id) == ("DE", "DE136695976")
    assert (seller.iban, seller.bic) == ("DE02120300000000202051", "BYLADEM1001")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iban", "DE02120300000000202052"),
        ("bic", "nobank"),
        ("vat_id", "DE136695977"),
        ("country", "XX"),
        ("country", ""),
    ],
)
def test_what_is_malformed_is_refused(operator: Client, name: str, value: str) -> None:
    assert list(_faults(operator, **{name: value})) == [name]
    assert not Seller.objects.exists()


def test_a_series_goes_on_where_another_system_stopped(operator: Client, world: World) -> None:
    operator.post(add(Seller), GERMAN)
    seller = Seller.objects.get()
    series = {
        "seller": str(seller.pk),
        "kind": "INVOICE",
        "prefix": "2026-",
        "first_number": "1001",
        "is_open": "on",
    }
    assert operator.post(add(InvoiceSeries), series).status_code == 302

    alice = world.at("2026-04-01").customer("alice")
    draft = world.drafts(alice, "9.00")
    with transaction.atomic():
        invoices.finalize([draft], now=instant("2026-04-01"))

    assert Invoice.objects.get().number == "2026-001001"


def test_the_numbers_of_a_series_cannot_be_edited(operator: Client, world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    with transaction.atomic():
        invoices.finalize([world.drafts(alice, "9.00")], now=world.now)
    series = InvoiceSeries.objects.get()

    operator.post(change(series), {"prefix": "X-", "first_number": "7", "next_number": "9"})

    after = InvoiceSeries.objects.get()
    assert (after.prefix, after.first_number, after.next_number) == ("INV-", 1, 2)
    assert not after.is_open


def test_what_is_issued_keeps_what_the_seller_said_then(operator: Client, world: World) -> None:
    operator.post(add(Seller), {**GERMAN, "footer": "Thank you"})
    alice = world.at("2026-04-01").customer("alice", country="DE")
    draft = world.drafts(alice, "100.00", "EUR")
    with transaction.atomic():
        invoices.finalize([draft], now=world.now)
    seller = Seller.objects.get()

    operator.post(change(seller), {**GERMAN, "name": "Another GmbH", "footer": ""})

    invoice = Invoice.objects.get()
    assert Seller.objects.get().name == "Another GmbH"
    assert (invoice.seller["name"], invoice.seller["footer"]) == ("Beispiel GmbH", "Thank you")
    assert (invoice.tax.minor, invoice.due_at) == (1900, instant("2026-05-01"))
