"""A seller's brand: on its customers' pages, its files, and how it is set."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.core import schemes
from billing.models import BillingProfile, Seller, SellerLogo
from billing.services import logos
from customers.models import User
from tests.admin.urls_of import change
from tests.web.conftest import Browser, People
from tests.web.linking import LOGO, link

pytestmark = pytest.mark.django_db

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def acme(db: None) -> Seller:
    """The seller of everybody without another."""
    return Seller.objects.create(name="Acme Holding Ltd", brand_name="Acme", is_default=True)


def test_without_a_brand_the_pages_are_ours(people: People) -> None:
    Seller.objects.create(name="Unnamed seller", is_default=True)
    _, alice = people.signs_up("alice")

    page = alice.get("/billing/")

    assert page.text.startswith("Overview · Bursar ")
    assert not [a for a in page.all("link") if "/brand/" in str(a["href"])]
    assert "Unnamed seller" not in page.text


def test_the_sellers_name_logo_and_colour_are_on_its_customers_pages(
    people: People, acme: Seller
) -> None:
    customer, alice = people.signs_up("alice")
    assert alice.get("/billing/").text.startswith("Overview · Acme ")
    Seller.objects.update(brand_colour="#7a1fa2")
    row = logos.put(acme.pk, LOGO)

    for page in (alice.get("/billing/"), alice.get("/plans/"), Browser().get(link(customer))):
        assert page.faults() == []
        assert f"/brand/{acme.pk}/style.css?v=7a1fa2" in [a["href"] for a in page.all("link")]
        assert {"src": f"/brand/{acme.pk}/logo?v={row.digest}", "alt": "Acme", "class": "logo"} in (
            page.all("img")
        )
    assert "Back to Acme" in Browser().get(link(customer)).text
    assert "Acme" not in Browser().get("/plans/").text


def test_each_customer_sees_who_writes_for_them(people: People, acme: Seller) -> None:
    other = Seller.objects.create(name="Beispiel GmbH", brand_colour="#ffd400")
    plain = Seller.objects.create(name="Plain Ltd")
    pages = {}
    for name, seller in {"alice": None, "bob": other, "dora": plain}.items():
        customer, browser = people.signs_up(name)
        BillingProfile.objects.create(customer=customer, seller=seller)
        pages[name] = browser.get("/billing/").text.partition(" · ")[2]

    assert pages["alice"].startswith("Acme ")
    assert pages["bob"].startswith("Beispiel GmbH ")
    assert pages["dora"].startswith("Bursar ")


def test_the_logo_is_served_as_what_it_is(acme: Seller) -> None:
    row = logos.put(acme.pk, LOGO)

    answer = Client().get(f"/brand/{acme.pk}/logo?v={row.digest}")

    assert (answer.status_code, answer.content) == (200, LOGO)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == FOR_EVER
    assert "Set-Cookie" not in answer.headers
    assert Client().get(f"/brand/{acme.pk}/logo").headers["Cache-Control"] == "public, max-age=300"
    logos.remove(acme.pk)
    assert Client().get(f"/brand/{acme.pk}/logo").status_code == 404


def test_the_colour_is_a_style_sheet(acme: Seller) -> None:
    assert Client().get(f"/brand/{acme.pk}/style.css").status_code == 404
    Seller.objects.update(brand_colour="#ffd400")

    answer = Client().get(f"/brand/{acme.pk}/style.css?v=ffd400")

    text = answer.content.decode()
    assert answer.headers["Content-Type"] == "text/css"
    assert answer.headers["Cache-Control"] == FOR_EVER
    assert "--brand: #ffd400; --brand-ink: #000000;" in text
    day, night = text.split("prefers-color-scheme: dark")
    assert f"--accent: {schemes.light('#ffd400').accent};" in day
    assert f"--accent: {schemes.dark('#ffd400').accent};" in night


@pytest.fixture
def operator(db: None) -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "secret"))
    return client


def _form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Acme Holding Ltd",
        "is_default": "on",
        "tax_policy": "NONE",
        "when_unverified": "HOLD",
        "tax_rounding": "DOCUMENT",
        "payment_days": "14",
        "tolerance_minor": "0",
        **fields,
    }


def _upload(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


def test_an_operator_sets_the_brand_and_sees_it(operator: Client, acme: Seller) -> None:
    brand = {"brand_name": "Acme", "brand_colour": "#E60023", "logo_file": _upload(LOGO)}
    assert operator.post(change(acme), _form(**brand)).status_code == 302

    row = SellerLogo.objects.get()
    assert (Seller.objects.get().brand_colour, row.kind) == ("#e60023", "PNG")
    page = operator.get(change(acme)).content.decode()
    assert f"/brand/{acme.pk}/logo?v={row.digest}" in page
    assert 'fill="#e60023"' in page

    assert operator.post(change(acme), _form(brand_name="Acme")).status_code == 302
    assert SellerLogo.objects.get().digest == row.digest  # no new file leaves the old one
    operator.post(change(acme), _form(is_without_logo="on"))
    assert not SellerLogo.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("brand_colour", "red"),
        ("brand_colour", "#12345"),
        ("brand_colour", "#12345g"),
        ("logo_file", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("logo_file", b"GIF89a"),
        ("logo_file", LOGO.ljust(256 * 1024 + 1, b"x")),
    ],
)
def test_what_is_no_brand_is_refused(
    operator: Client, acme: Seller, field: str, value: Any
) -> None:
    sent = _upload(value) if isinstance(value, bytes) else value

    answer = operator.post(change(acme), _form(**{field: sent}))

    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not SellerLogo.objects.exists()
