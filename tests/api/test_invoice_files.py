"""Documents as files, over HTTP: names, types, what is cached, and who gets none."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from billing.models import InvoiceSeries, Seller
from billing.services import credit_notes, invoices
from billing.services.credit_notes import Order
from tests.api.calling import Caller, caller
from tests.api.stage import NOW, Stage, set_stage
from tests.services import paying
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None) -> Stage:
    """Alice's pending invoice among others."""
    return set_stage()


def test_an_invoice_is_a_pdf_under_its_number(stage: Stage) -> None:
    answer = caller(stage.alice).get(f"/invoices/{stage.invoice.pk}/pdf")

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    assert answer.headers["Cache-Control"] == "private, no-cache"
    text = PdfReader(io.BytesIO(answer.body)).pages[0].extract_text()
    assert "INV-000001" in text
    assert "Alice Liddell" in text


def test_an_invoice_is_xml_and_the_pdf_has_the_same_inside(stage: Stage) -> None:
    alice = caller(stage.alice)

    xml = alice.get(f"/invoices/{stage.invoice.pk}/xml")

    assert xml.headers["Content-Type"] == "application/xml"
    assert xml.headers["Content-Disposition"] == 'inline; filename="INV-000001.xml"'
    pdf = alice.get(f"/invoices/{stage.invoice.pk}/pdf")
    assert PdfReader(io.BytesIO(pdf.body)).attachments["factur-x.xml"] == [xml.body]


def test_a_credit_note_is_both(stage: Stage, operator: Caller) -> None:
    note = credit_notes.issue(stage.invoice.pk, Order(), by="test", now=NOW)

    pdf = operator.get(f"/credit-notes/{note.pk}/pdf")
    xml = operator.get(f"/credit-notes/{note.pk}/xml")

    assert pdf.headers["Content-Disposition"] == 'inline; filename="CN-000001.pdf"'
    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml.body


@pytest.mark.parametrize("kind", ["pdf", "xml"])
def test_who_has_it_is_not_sent_it_again(stage: Stage, operator: Caller, kind: str) -> None:
    path = f"/invoices/{stage.invoice.pk}/{kind}"
    etag = operator.get(path).headers["ETag"]

    again = operator.get(path, If_None_Match=etag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, None, etag)

    assert operator.get(path, If_None_Match='"another"').status == 200
    credit_notes.issue(stage.invoice.pk, Order(), by="test", now=NOW)
    is_changed = kind == "pdf"  # which says that nothing is owed any more
    assert operator.get(path, If_None_Match=etag).status == (200 if is_changed else 304)


@pytest.mark.parametrize("kind", ["pdf", "xml"])
def test_what_was_paid_makes_another_file(world: World, operator: Caller, kind: str) -> None:
    Seller.objects.create(name="Ours", country="DE", is_default=True)
    invoice = paying.bill(world, world.at("2026-04-01").customer("alice"), "20.00")
    path = f"/invoices/{invoice.pk}/{kind}"
    before = operator.get(path)

    paying.pay(world, invoice.customer, "5.00")

    assert operator.get(path, If_None_Match=before.headers["ETag"]).status == 200


@pytest.mark.parametrize("kind", ["pdf", "xml"])
def test_a_draft_has_no_file(world: World, operator: Caller, kind: str) -> None:
    draft = world.drafts(world.at("2026-04-01").customer("alice"), "5")

    answer = operator.get(f"/invoices/{draft.pk}/{kind}")
    assert (answer.status, answer.code) == (409, "invoice_not_finalized")

    invoices.cancel(draft.pk, by="test", now=world.now)
    assert operator.get(f"/invoices/{draft.pk}/{kind}").code == "invoice_not_finalized"


def test_a_seller_without_a_country_has_a_pdf_and_no_xml(world: World, operator: Caller) -> None:
    invoice = paying.bill(world, world.at("2026-04-01").customer("alice"), "20.00")

    xml = operator.get(f"/invoices/{invoice.pk}/xml")

    assert (xml.status, xml.code) == (409, "not_en16931")
    assert "the seller has no country" in xml.body["detail"]
    pdf = operator.get(f"/invoices/{invoice.pk}/pdf")
    assert not PdfReader(io.BytesIO(pdf.body)).attachments


def test_no_number_makes_a_strange_name(world: World, operator: Caller) -> None:
    seller = Seller.objects.create(name="Ours", country="DE", is_default=True)
    InvoiceSeries.objects.create(seller=seller, prefix='ÄB/"..;')
    invoice = paying.bill(world, world.at("2026-04-01").customer("alice"), "20.00")

    answer = operator.get(f"/invoices/{invoice.pk}/pdf")

    assert (
        answer.headers["Content-Disposition"] == "inline; filename*=utf-8''%C3%84B--..-000001.pdf"
    )


def test_only_get_is_answered(stage: Stage, operator: Caller) -> None:
    path = f"/invoices/{stage.invoice.pk}/pdf"

    assert operator.send("HEAD", path, None).status == 200
    assert operator.post(path).status == 405
