"""A customer keeps their documents as PDF."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from billing.models import CreditNote
from tests.services import returning
from tests.web.conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(pdf: bytes) -> str:
    return PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


def test_an_invoice_is_downloaded_from_its_page_and_from_the_list(people: People) -> None:
    customer, alice = people.signs_up("alice")
    people.world.at("2026-04-25 09:00").adds_card(customer)
    people.world.at("2026-05-01 12:00")
    invoice = people.world.newest_invoice(customer)
    path = f"/billing/invoices/{invoice.pk}/pdf/"

    assert path in alice.client.get(f"/billing/invoices/{invoice.pk}/").content.decode()
    assert path in alice.client.get("/billing/invoices/").content.decode()
    answer = alice.client.get(path)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "INV-000001" in text_of(answer.content)
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_credit_note_is_downloaded_from_its_invoice(people: People) -> None:
    customer, alice = people.signs_up("alice")
    invoice = returning.bills(people.world, customer, "10.00")
    returning.credit(people.world, invoice)
    path = f"/billing/credit-notes/{CreditNote.objects.get().pk}/pdf/"

    assert path in alice.client.get(f"/billing/invoices/{invoice.pk}/").content.decode()
    assert "CN-000001" in text_of(alice.client.get(path).content)


def test_nobody_else_has_them(people: People) -> None:
    customer, _ = people.signs_up("alice")
    invoice = returning.bills(people.world, customer, "10.00")
    note = returning.credit(people.world, invoice)
    bob = people.person("bob", people.world.customer("bob"))
    nobody = people.person("carol")
    nobody.client.logout()

    for path in (f"/billing/invoices/{invoice.pk}/pdf/", f"/billing/credit-notes/{note.pk}/pdf/"):
        assert bob.status_of(path) == 404
        assert nobody.status_of(path) == 302


def test_a_draft_is_no_document_of_theirs(people: People) -> None:
    customer, alice = people.signs_up("alice")
    draft = people.world.drafts(customer, "10.00")

    assert alice.status_of(f"/billing/invoices/{draft.pk}/pdf/") == 404
