"""The page to read: what stands on it, what is inside it, and that it is the same every time."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import transaction
from pypdf import PdfReader

from billing.core.instalments import Rhythm
from billing.core.lifecycle import InvoiceStatus
from billing.documents import facturx, files, page, reading, typesetting
from billing.models import CreditNote, Invoice
from billing.services import dunning_days, instalments, payments
from plans.terms import Interval
from tests.documents import cases
from tests.documents.cases import Story, alice, opens, sells
from tests.services import paying, returning
from tests.world import World

pytestmark = pytest.mark.django_db

AT = datetime(2026, 4, 1, tzinfo=UTC)


def opened(row: Invoice | CreditNote) -> PdfReader:
    return PdfReader(io.BytesIO(files.pdf(row).content), strict=True)


def shown(row: Invoice | CreditNote) -> str:
    """All that its pages say, in one line."""
    text = " ".join(sheet.extract_text() for sheet in opened(row).pages)
    return " ".join(text.replace("\N{ZERO WIDTH SPACE}", "").split())


def test_it_says_who_owes_what_to_whom_and_why(world: World) -> None:
    text = shown(cases.several_rates(world))

    for said in (
        "Wunderland GmbH",
        "VAT id DE136695976",
        "Alice Liddell",
        "50667 Köln",
        "Invoice INV-000001",
        "1 April 2026",
        "7 × 14.99 = 104.93 EUR",
        "Without tax €254.78",
        "Tax 19 % (DE) on €104.93 €19.94",
        "Tax 7 % (DE) on €29.85 €2.09",
        "Exempt from tax on €120.00 €0.00",
        "Total €276.81",
        "Please pay €276.81 by 15 April 2026.",
        "IBAN DE02 1203 0000 0000 2020 51",
        "Reference RF69 INV0 0000 1",
        "Exempt from tax.",
        "Managing director: A. Liddell",
        "Page 1 of 1",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (cases.discount, ["Before discounts €29.99", "Discount −€3.75", "Without tax €26.24"]),
        (cases.tax_included, ["Tax of 19 % is included.", "Without tax €25.18", "Total €29.97"]),
        (cases.tiers, ["10 × 0.50 + 27 × 0.33 + 5.00 flat = 18.91 EUR", "see item"]),
        (cases.prorated, ["12 – 30 April 2026", "99.00 × 19/30 days = 62.70 EUR"]),
        (cases.credit_applied, ["Paid from credit −$5.00", "Still to pay $18.80"]),
        (cases.paid_by_card, ["Paid on 1 April 2026 with Visa •••• 4242", "Still to pay €0.00"]),
        (cases.partly_paid, ["by bank transfer −€7.00", "Please pay €16.80 by"]),
        (cases.reverse_charge, ["Reverse charge on €99.00 €0.00", "Article 196 of Directive"]),
        (cases.untaxed, ["Total €99.00"]),
        (cases.yen, ["¥333.4", "Total ¥1,190"]),
        (cases.canceled, ["CANCELED", "Credit note CN-000001 −€119.01", "takes back €119.01"]),
        (cases.credited_in_part, ["Credit note CN-000001", "INV-000001, 1 April 2026"]),
        (cases.credited_when_paid, ["€23.80 are paid back."]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_became_of_it(world: World, story: Story, said: list[str]) -> None:
    text = shown(story(world))

    assert [part for part in said if part not in text] == []


@pytest.mark.parametrize("story", [cases.paid_by_card, cases.canceled, cases.credited_in_part])
def test_nobody_is_asked_to_pay_what_is_not_owed(world: World, story: Story) -> None:
    text = shown(story(world))

    assert "Please pay" not in text
    assert "IBAN" not in text


def test_who_is_charged_is_not_asked_to_transfer_it_too(world: World) -> None:
    opens(world)
    customer = alice(world)
    world.adds_card(customer)
    invoice = sells(world, customer, ("Set-up", "1", "20", "standard"))
    payments.charge(invoice.pk, by="test", now=world.now)

    text = shown(invoice)

    assert "A payment is under way." in text
    assert "IBAN" not in text


def test_a_difference_that_was_let_go_is_said(world: World) -> None:
    opens(world, tolerance_minor=5)
    invoice = sells(world, alice(world), ("Set-up", "1", "20", "standard"))
    paying.pay(world, invoice.customer, "23.77", (invoice, "23.77"), currency="EUR")

    text = shown(returning.fresh(invoice))

    assert "by bank transfer −€23.77 Waived −€0.03 Still to pay €0.00" in text


def test_what_is_written_off_is_not_asked_for(world: World) -> None:
    invoice = cases.partly_paid(world)
    invoice.status = InvoiceStatus.CHARGED_WITH_ERROR
    invoice.save()
    with transaction.atomic():
        dunning_days.write_off(invoice, by="test", now=world.now)

    text = shown(returning.fresh(invoice))

    assert "WRITTEN OFF" in text
    assert "Written off −€16.80 Still to pay €0.00" in text
    assert "Please pay" not in text


def test_of_instalments_the_next_is_asked_for(world: World) -> None:
    invoice = cases.plain(world)
    rhythm = Rhythm(2, datetime(2026, 5, 1, tzinfo=UTC), Interval.MONTH)
    instalments.agree(invoice.pk, rhythm, by="test", now=world.now)

    paying.pay(world, invoice.customer, "10.00", (invoice, "10.00"), currency="EUR")

    text = shown(returning.fresh(invoice))
    assert "Payable in instalments: €59.51 by 1 May 2026, €59.50 by 1 June 2026." in text
    assert "Please pay €49.51 by 1 May 2026." in text
    assert "Still to pay €109.01" in text


def test_three_decimals_stay_three(world: World) -> None:
    opens(world)
    invoice = sells(world, alice(world), ("Licence", "1", "1.2345", "standard"), currency="KWD")

    assert "KWD 1.235" in shown(invoice).replace("\N{NO-BREAK SPACE}", " ")


def test_texts_come_out_as_they_were_written(world: World) -> None:
    opens(world)
    endless = "Donaudampfschiff" * 18
    items = [
        r"#let x = 1 *bold* _em_ $a^2$ \ @ref <label> `raw` [x] // no comment",
        endless,
        "Über 5 € à côté, žluťoučký kůň, Ωμέγα, Привет",
        "שלום",
    ]
    invoice = sells(world, alice(world), *((text, "1", "1", "standard") for text in items))

    text = shown(invoice)

    assert items[0] in text
    assert endless in text.replace(" ", "")
    assert items[2] in text
    assert re.search("שלום|םולש", text)


def test_what_no_font_has_is_shown_as_missing_and_kept_in_the_xml(world: World) -> None:
    opens(world)
    invoice = sells(world, alice(world, name="山田 \x07 😀 1️⃣"), ("語 é", "1", "1", "standard"))

    text = shown(invoice)
    assert "\N{REPLACEMENT CHARACTER}" in text
    assert "é 1 × 1.00 = 1.00 EUR" in text  # all else is as it was
    [attached] = opened(invoice).attachments["factur-x.xml"]
    assert "山田" in attached.decode()


def test_it_is_a_factur_x_invoice(world: World) -> None:
    invoice = cases.plain(world)
    found = opened(invoice)

    root: Any = found.trailer["/Root"].get_object()
    [attachment] = root["/AF"]
    assert attachment.get_object()["/AFRelationship"] == "/Alternative"
    embedded = attachment.get_object()["/EF"]["/F"].get_object()
    assert embedded["/Subtype"] == "/text/xml"
    assert embedded["/Params"]["/ModDate"] == "D:20260401000000Z"
    assert found.attachments["factur-x.xml"] == [files.xml(invoice).content]
    xmp = root["/Metadata"].get_object().get_data().decode()
    said = {node.tag.partition("}")[2]: node.text for node in ET.fromstring(xmp).iter()}  # noqa: S314
    assert (said["part"], said["conformance"]) == ("3", "B")
    assert [said[name] for name in ("DocumentType", "DocumentFileName", "Version")] == [
        "INVOICE", "factur-x.xml", "1.0",
    ]  # fmt: skip
    assert said["ConformanceLevel"] == "EN 16931"
    assert xmp.count("<pdfaExtension:schemas>") == 1
    assert "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#" in xmp
    assert root["/OutputIntents"]
    assert root["/MarkInfo"]["/Marked"]
    assert found.metadata is not None
    assert found.metadata.title == "Invoice INV-000001"


def test_the_same_invoice_is_the_same_bytes(world: World) -> None:
    invoice = cases.several_rates(world)
    before = files.pdf(invoice).content

    world.at("2026-04-08")
    assert files.pdf(Invoice.objects.get(pk=invoice.pk)).content == before

    paying.pay(world, invoice.customer, "7.00", (invoice, "7.00"), currency="EUR")
    assert files.pdf(Invoice.objects.get(pk=invoice.pk)).content != before


def test_many_lines_go_over_pages_each_with_its_head(world: World) -> None:
    opens(world)
    lines = [(f"Seat {number}", "1", "1", "standard") for number in range(150)]

    found = opened(sells(world, alice(world), *lines))

    texts = [sheet.extract_text() for sheet in found.pages]
    assert len(texts) > 2
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in " ".join(text.split())
    assert all("QUANTITY" in text for text in texts[:-1])
    assert "Seat 149" in "".join(texts)


def test_documents_are_set_at_once_without_meeting(world: World) -> None:
    document = reading.invoice(cases.plain(world))
    pages = [{**page.of(document), "title": f"Invoice {number}"} for number in range(8)]

    def title(number: int) -> str | None:
        made = PdfReader(io.BytesIO(typesetting.pdf(pages[number], at=AT)))
        return made.metadata.title if made.metadata else None

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(title, range(8))) == [f"Invoice {number}" for number in range(8)]


def test_what_typst_would_lay_out_otherwise_is_noticed() -> None:
    with pytest.raises(ValueError, match="no catalogue"):
        facturx.declare(b"%PDF-1.7\n")
