"""Links into the pages: made, opened once, over."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connections

from billing import tasks
from billing.core.errors import BillingError, ConflictError, InvalidError, NotFoundError
from billing.models import Invoice, PortalSession
from billing.models.portal import PortalPurpose
from billing.services import erasure, portal
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from tests.services.paying import bill
from tests.world import World

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 11, 9, tzinfo=UTC)
BACK = "https://app.example.com/settings"
URLS = ReturnUrls("https://app.example.com/ok?s={session}", "https://app.example.com/no")


@pytest.fixture
def alice(world: World) -> Customer:
    """Alice, on 11 April."""
    return world.at("2026-04-11 09:00").customer("alice")


def opens(customer: Customer, **fields: Any) -> tuple[PortalSession, str]:
    usual = {"purpose": PortalPurpose.PORTAL, "return_url": BACK, "by": "test", "now": NOW}
    return portal.open_session(customer, **{**usual, **fields})


def signed(url: str) -> str:
    return url.rpartition("/")[2]


def enter(visit: PortalSession, now: datetime = NOW) -> str:
    return portal.enter(visit, leaving=None, now=now)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(BillingError) as refused:
        act()
    return refused.value.code


def test_a_link_names_nobody_and_is_good_for_ten_minutes(alice: Customer) -> None:
    visit, url = opens(alice)

    assert re.fullmatch(
        rf"http://localhost:8000/billing/enter/{visit.pk.hex}:[\w-]{{43}}", url, re.ASCII
    )
    assert visit.expires_at == NOW + timedelta(minutes=10)
    assert (visit.opened_at, visit.ended_at, visit.created_by) == (None, None, "test")
    assert portal.find(signed(url)) == visit


def test_opening_it_begins_an_hour_in_one_browser(alice: Customer) -> None:
    visit, _ = opens(alice)
    later = NOW + timedelta(minutes=9)

    key = enter(visit, later)

    row = PortalSession.objects.get()
    assert (row.opened_at, row.expires_at) == (later, later + timedelta(hours=1))
    assert key not in {str(value) for value in vars(row).values()}
    assert portal.of_browser(key, now=later + timedelta(minutes=59)) == visit
    assert portal.of_browser(key, now=later + timedelta(hours=1)) is None
    assert portal.of_browser("guessed", now=later) is None
    assert portal.past_of_browser(key) == visit


def test_it_opens_once(alice: Customer) -> None:
    visit, _ = opens(alice)
    enter(visit)

    assert code_of(lambda: enter(visit)) == "link_used"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_it_at_once_one_gets_in(alice: Customer) -> None:
    visit, _ = opens(alice)

    def attempt(_: int) -> str:
        try:
            return "" if enter(visit) else "no key"
        except ConflictError as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))

    assert outcomes == ["", "link_used", "link_used", "link_used"]


def test_after_ten_minutes_it_does_not_open(alice: Customer) -> None:
    visit, _ = opens(alice)

    assert code_of(lambda: enter(visit, NOW + timedelta(minutes=10))) == "link_expired"


@pytest.mark.parametrize(
    "tampered",
    [
        lambda link: link[:-1] + ("A" if link[-1] != "A" else "B"),
        lambda link: uuid4().hex + link[32:],
        lambda link: link.partition(":")[0],
        lambda link: link + "x",
        lambda _: "",
        lambda _: "nonsense",
    ],
)
def test_a_tampered_link_is_none(alice: Customer, tampered: Callable[[str], str]) -> None:
    _, url = opens(alice)

    assert code_of(lambda: portal.find(tampered(signed(url)))) == "not_found"


def test_a_visit_ends_and_stays_over(alice: Customer) -> None:
    visit, _ = opens(alice)
    key = enter(visit)

    portal.end(visit, now=NOW + timedelta(minutes=1))
    portal.end(visit, now=NOW + timedelta(minutes=2))

    assert PortalSession.objects.get().ended_at == NOW + timedelta(minutes=1)
    assert portal.of_browser(key, now=NOW + timedelta(minutes=1)) is None
    assert code_of(lambda: enter(visit)) == "link_used"


def test_another_link_in_the_same_browser_ends_the_visit_before(alice: Customer) -> None:
    first, _ = opens(alice)
    second, _ = opens(alice)
    former = enter(first)

    portal.enter(second, leaving=first, now=NOW)

    assert portal.of_browser(former, now=NOW) is None


@pytest.mark.parametrize("url", ["https://evil.example/", "http://app.example.com/", "/settings"])
def test_it_leads_back_to_where_is_allowed(alice: Customer, url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        opens(alice, return_url=url)

    assert refused.value.code == "return_url_not_allowed"
    assert list(refused.value.errors) == ["return_url"]
    assert not PortalSession.objects.exists()


def test_our_own_pages_are_always_allowed(alice: Customer, settings: Any) -> None:
    settings.RETURN_ORIGINS = []
    settings.PUBLIC_URL = "https://billing.example.net"

    opens(alice, return_url="https://billing.example.net/plans/")

    assert code_of(lambda: opens(alice)) == "return_url_not_allowed"


def test_an_invoice_belongs_to_its_purpose_and_customer(world: World, alice: Customer) -> None:
    hers, draft = bill(world, alice, "10.00"), world.drafts(alice, "5.00")
    bobs = bill(world, world.customer("bob"), "10.00")

    for purpose, invoice, code in (
        (PortalPurpose.INVOICE, None, "invalid_purpose"),
        (PortalPurpose.PORTAL, hers, "invalid_purpose"),
        (PortalPurpose.INVOICE, bobs, "not_found"),
        (PortalPurpose.INVOICE, draft, "not_finalized"),
    ):
        wish = {"purpose": purpose, "invoice": invoice}
        assert code_of(lambda wish=wish: opens(alice, **wish)) == code  # type: ignore[misc]
    visit, _ = opens(alice, purpose=PortalPurpose.INVOICE, invoice=hers)
    assert visit.invoice == hers


def test_a_checkout_is_of_what_is_to_be_paid(world: World, alice: Customer) -> None:
    invoice = bill(world, alice, "10.00")

    visit, _ = portal.open_checkout(invoice, urls=URLS, by="test", now=NOW)

    assert (visit.purpose, visit.invoice) == (PortalPurpose.INVOICE, invoice)
    assert visit.success_url == f"https://app.example.com/ok?s={visit.pk}"
    assert visit.return_url == "https://app.example.com/no"
    world.adds_card(alice)
    paid = Invoice.objects.get(pk=invoice.pk)
    again = lambda: portal.open_checkout(paid, urls=URLS, by="test", now=NOW)  # noqa: E731
    assert code_of(again) == "nothing_to_charge"


def test_whoever_is_erased_has_no_links_and_no_visits(world: World, alice: Customer) -> None:
    visit, _ = opens(alice)
    waiting, url = opens(alice)
    key = enter(visit)

    erasure.erase(alice.pk, by="test", now=NOW)

    assert portal.of_browser(key, now=NOW) is None
    assert code_of(lambda: enter(waiting)) == "link_expired"
    assert set(PortalSession.objects.values_list("return_url", flat=True)) == {""}
    assert code_of(lambda: opens(alice)) == "customer_erased"
    assert portal.find(signed(url)).return_url == ""


def test_what_is_long_over_is_forgotten(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    old, url = opens(alice)
    kept, _ = opens(alice, now=NOW + timedelta(days=1))
    monkeypatch.setattr("billing.clock.now", lambda: NOW + timedelta(days=90, hours=1))

    tasks.prune()

    assert list(PortalSession.objects.all()) == [kept]
    with pytest.raises(NotFoundError):
        portal.find(signed(url))
    assert old != kept


@pytest.mark.django_db(transaction=True)
def test_the_table_holds_a_visit_to_what_it_is(world: World, alice: Customer) -> None:
    visit, _ = opens(alice)
    for wrong in (
        {"purpose": PortalPurpose.INVOICE},
        {"success_url": BACK},
        {"opened_at": NOW},
        {"browser_digest": "x"},
        {"purpose": "OTHER"},
    ):
        with pytest.raises(IntegrityError):
            PortalSession.objects.filter(pk=visit.pk).update(**wrong)
