"""What stands in the XML: valid by the standard's schema and its rules, and true to the books."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.core.errors import ConflictError
from billing.documents import files
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceSeries, Seller
from billing.models.credit_note import CreditReason
from billing.models.seller import SeriesKind
from customers import services as customer_services
from tests.documents import cases
from tests.documents.cases import STORIES, Story, alice, opens, sells
from tests.documents.rules import Read, faults
from tests.world import World

pytestmark = pytest.mark.django_db

SELLER, BUYER, HEAD = ".//SellerTradeParty", ".//BuyerTradeParty", ".//rsm:ExchangedDocument"
MEANS = ".//SpecifiedTradeSettlementPaymentMeans"


def read(row: Invoice | CreditNote) -> Read:
    return Read(files.xml(row).content)


def taxes(found: Read) -> list[tuple[str | None, ...]]:
    """Category, base, tax and reason of each."""
    names = ("CategoryCode", "BasisAmount", "CalculatedAmount", "ExemptionReasonCode")
    return [tuple(found.text(name, row) for name in names) for row in found.taxes]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_it_keeps_the_rules_and_says_what_the_books_say(world: World, story: Story) -> None:
    row = story(world)

    xml = files.xml(row).content

    assert faults(xml) == []
    found = Read(xml)
    assert found.text(f"{HEAD}/ID") == row.number
    assert found.text(".//InvoiceCurrencyCode") == row.currency
    assert found.sum("GrandTotalAmount") == row.total.major
    assert found.sum("TaxTotalAmount") == row.tax.major
    assert len(found.lines) == row.lines.count()


def test_an_invoice_says_all_that_is_known_of_it(world: World) -> None:
    found = read(cases.plain(world))

    said = {
        f"{HEAD}/TypeCode": "380",
        f"{HEAD}/IssueDateTime/udt:DateTimeString": "20260401",
        f"{HEAD}/IncludedNote/Content": "Managing director: A. Liddell",
        f"{SELLER}/Name": "Wunderland GmbH",
        f"{SELLER}/SpecifiedLegalOrganization/ID": "HRB 4711 B, Amtsgericht Charlottenburg",
        f"{SELLER}/PostalTradeAddress/LineOne": "Kaninchenbau 1",
        f"{SELLER}/PostalTradeAddress/PostcodeCode": "10115",
        f"{SELLER}/PostalTradeAddress/CountryID": "DE",
        f"{SELLER}/SpecifiedTaxRegistration/ID[@schemeID='VA']": "DE136695976",
        f"{SELLER}/SpecifiedTaxRegistration/ID[@schemeID='FC']": "29/815/08150",
        f"{SELLER}/URIUniversalCommunication/URIID": "billing@wunderland.example",
        f"{BUYER}/ID": "alice",
        f"{BUYER}/Name": "Alice Liddell",
        f"{BUYER}/PostalTradeAddress/CityName": "Köln",
        ".//PaymentReference": "RF69INV000001",
        f"{MEANS}/TypeCode": "58",
        f"{MEANS}//IBANID": "DE02120300000000202051",
        f"{MEANS}//BICID": "BYLADEM1001",
        ".//SpecifiedTradePaymentTerms/Description": "Payable without deduction.",
        ".//DueDateDateTime/udt:DateTimeString": "20260415",
    }
    assert {path: found.text(path) for path in said} == said


def test_a_line_is_quantity_times_price(world: World) -> None:
    found = read(cases.plain(world))
    [line] = found.lines

    assert found.text(".//BilledQuantity", line) == "3"
    assert found.text(".//NetPriceProductTradePrice/ChargeAmount", line) == "33.335"
    assert found.text(".//LineTotalAmount", line) == "100.01"
    assert found.text(".//IncludedNote/Content", line) == "3 × 33.335 = 100.01 EUR"


def test_a_part_of_a_period_is_a_price_for_its_whole_quantity(world: World) -> None:
    found = read(cases.prorated(world))
    [line] = found.lines

    assert found.text(".//NetPriceProductTradePrice/ChargeAmount", line) == "62.7"  # 99 × 19/30
    days = ".//BillingSpecifiedPeriod//udt:DateTimeString"
    assert [node.text for node in found.all(days, line)] == ["20260412", "20260430"]


def test_tiers_are_a_price_for_so_many_units(world: World) -> None:
    found = read(cases.tiers(world))
    line = found.lines[-1]

    assert found.text(".//BilledQuantity", line) == "37"
    assert found.text(".//NetPriceProductTradePrice/BasisQuantity", line) == "37"
    assert found.text(".//LineTotalAmount", line) == "18.91"  # 10 × 0.50 + 27 × 0.33 + 5


def test_a_discount_is_an_allowance_on_its_line(world: World) -> None:
    found = read(cases.discount(world))
    [line] = found.lines

    assert found.text(".//SpecifiedTradeAllowanceCharge/ActualAmount", line) == "3.75"
    assert found.text(".//LineTotalAmount", line) == "26.24"


@pytest.mark.parametrize(
    ("story", "stated"),
    [
        (cases.reverse_charge, ("AE", "99.00", "0.00", "VATEX-EU-AE")),
        (cases.export, ("G", "99.00", "0.00", "VATEX-EU-G")),
        (cases.untaxed, ("O", "99.00", "0.00", "VATEX-EU-O")),
        (cases.destination, ("S", "99.00", "19.80", None)),
    ],
)
def test_why_there_is_no_tax(world: World, story: Story, stated: tuple[str | None, ...]) -> None:
    assert taxes(read(story(world))) == [stated]


def test_a_reverse_charge_names_both_numbers_and_the_sentence_of_the_law(world: World) -> None:
    found = read(cases.reverse_charge(world))

    assert found.text(f"{BUYER}/SpecifiedTaxRegistration/ID") == "FR40303265045"
    reason = found.text("ExemptionReason", found.taxes[0]) or ""
    assert reason.startswith("Reverse charge:")
    assert reason in [note.text for note in found.all(f"{HEAD}/IncludedNote/Content")]


def test_what_is_out_of_scope_beside_what_is_taxed_is_exempt(world: World) -> None:
    found = read(cases.voucher_beside_goods(world))

    assert taxes(found) == [("E", "50.00", "0.00", None), ("S", "10.00", "1.90", None)]
    assert found.text("ExemptionReason", found.taxes[0]) == "Not subject to VAT"


@pytest.mark.parametrize(
    ("story", "paid", "due", "means"),
    [
        (cases.plain, "0", "119.01", "58"),
        (cases.credit_applied, "5.00", "18.80", "30"),
        (cases.partly_paid, "7.00", "16.80", "58"),
        (cases.paid_by_card, "23.80", "0.00", "48"),
        (cases.zero_total, "0", "0.00", "58"),
        (cases.yen, "0", "1190", "30"),
    ],
)
def test_what_is_paid_and_what_is_due(
    world: World, story: Story, *, paid: str, due: str, means: str
) -> None:
    found = read(story(world))

    assert found.sum("TotalPrepaidAmount") == Decimal(paid)
    assert found.sum("DuePayableAmount") == Decimal(due)
    assert found.text(f"{MEANS}/TypeCode") == means


def test_of_a_card_there_are_its_last_digits(world: World) -> None:
    found = read(cases.paid_by_card(world))

    assert found.text(f"{MEANS}/ApplicableTradeSettlementFinancialCard/ID") == "4242"
    assert found.text(f"{MEANS}//IBANID") is None


def test_a_credit_note_names_its_invoice_and_where_it_goes(world: World) -> None:
    found = read(cases.credited_in_part(world))

    assert found.text(f"{HEAD}/TypeCode") == "381"
    about = ".//InvoiceReferencedDocument"
    assert found.text(f"{about}/IssuerAssignedID") == "INV-000001"
    assert [node.text for node in found.all(f"{about}//*") if node.text][-1:] == ["20260401"]
    assert found.text(".//SpecifiedTradePaymentTerms/Description") == (
        "€11.90 less is to be paid on invoice INV-000001."
    )
    assert taxes(found) == [("S", "10.00", "1.90", None)]


def test_a_credit_on_an_invoice_is_a_quantity_below_nothing(world: World) -> None:
    found = read(cases.negative_line(world))
    line = found.lines[1]

    assert found.text(".//BilledQuantity", line) == "-3"
    assert found.text(".//NetPriceProductTradePrice/ChargeAmount", line) == "1.333"
    assert found.text(".//LineTotalAmount", line) == "-4.00"


def test_nothing_is_read_from_what_seller_and_buyer_are_today(world: World) -> None:
    invoice = cases.plain(world)
    before = files.xml(invoice).content, files.pdf(invoice).content

    Seller.objects.update(name="Others", iban="", country="FR", terms="Pay now", vat_id="")
    changed = {"name": "Bob", "city": "Tokyo", "timezone": "Asia/Tokyo"}
    customer_services.update(invoice.customer_id, fields=changed, by="test", now=world.now)

    fresh = Invoice.objects.get(pk=invoice.pk)
    assert (files.xml(fresh).content, files.pdf(fresh).content) == before


def test_days_are_those_of_the_buyer(world: World) -> None:
    opens(world)
    tokyo = alice(world.at("2026-04-01 16:00"), timezone="Asia/Tokyo")

    found = read(sells(world, tokyo, ("Licence", "1", "1", "standard")))

    assert found.text(f"{HEAD}/IssueDateTime/udt:DateTimeString") == "20260402"


def test_texts_come_out_as_they_were_written(world: World) -> None:
    opens(world)
    nasty = "<b>&amp;</b> #let *x* $y$ \\ \x07\x1f 漢字 שלום"
    invoice = sells(world, alice(world, name=nasty), (nasty, "1", "1", "standard"))

    found = read(invoice)

    as_written = nasty.replace("\x07\x1f", "")
    assert found.text(f"{BUYER}/Name") == as_written
    assert found.text(".//SpecifiedTradeProduct/Name") == as_written


@pytest.mark.parametrize(
    ("seller", "currency", "lacking"),
    [
        ({}, "KWD", "amounts in KWD have more than two decimals"),
        ({"country": "", "tax_policy": "NONE"}, "EUR", "the seller has no country"),
        ({"vat_id": "", "tax_number": ""}, "EUR", "the seller has no VAT id"),
    ],
)
def test_what_the_standard_has_no_place_for_is_refused_and_the_pdf_goes_without(
    world: World, seller: dict[str, str], currency: str, lacking: str
) -> None:
    opens(world, **seller)
    invoice = sells(world, alice(world), ("Licence", "1", "1.234", "standard"), currency=currency)

    with pytest.raises(ConflictError, match=lacking) as refused:
        files.xml(invoice)

    assert refused.value.code == "not_en16931"
    assert b"factur-x.xml" not in files.pdf(invoice).content


@pytest.mark.crooked_books
def test_a_document_from_before_there_was_tax_bears_none(world: World) -> None:
    invoice = cases.untaxed(world)
    assert invoice.series is not None
    series = InvoiceSeries.objects.create(
        seller=invoice.series.seller, kind=SeriesKind.CREDIT_NOTE, prefix="OLD-", next_number=2
    )
    note = CreditNote.objects.create(
        invoice=invoice,
        customer=invoice.customer,
        series=series,
        sequence=1,
        number="OLD-1",
        reason=CreditReason.RETURN,
        currency="EUR",
        tax_minor=0,
        total_minor=100,
        to_due_minor=100,
        to_credit_minor=0,
        to_refund_minor=0,
        seller=invoice.seller,
        buyer={"name": "Alice"},
        issued_at=world.now,
    )
    CreditNoteLine.objects.create(
        credit_note=note,
        invoice_line=invoice.lines.get(),
        position=1,
        description="Licence",
        net_minor=100,
        tax_minor=0,
    )

    xml = files.xml(note).content

    assert faults(xml) == []
    assert taxes(Read(xml)) == [("O", "1.00", "0.00", "VATEX-EU-O")]


def test_a_draft_is_no_document(world: World) -> None:
    draft = world.drafts(world.at("2026-04-01").customer("alice"), "5")

    for make in (files.pdf, files.xml):
        with pytest.raises(ConflictError) as refused:
            make(draft)
        assert refused.value.code == "invoice_not_finalized"


def test_a_buyer_whose_country_is_none_is_where_the_seller_is(world: World) -> None:
    opens(world)
    invoice = sells(world, alice(world, country="Country"), ("Licence", "1", "1", "standard"))

    assert read(invoice).text(f"{BUYER}/PostalTradeAddress/CountryID") == "DE"
