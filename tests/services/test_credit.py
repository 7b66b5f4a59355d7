"""Credit: given, drawn, taken back, lapsed, sold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.core.errors import BillingError, ConflictError
from billing.models import CreditDraw, CreditGrant, Invoice, JournalLine, Payment
from billing.models.credit import GrantKind
from billing.services import credit_sales, grants, payments, reversals, sweep
from billing.services.credit import Gift
from billing.services.incoming import Incoming
from customers.models import Customer
from tests.services.paying import account, bill, facts, give, left, money, pay, state
from tests.threads import at_once
from tests.world import World, instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(world: World) -> Customer:
    return world.at("2026-04-01").customer("alice")


def drawn(invoice: Invoice) -> list[tuple[str, str]]:
    rows = CreditDraw.objects.filter(invoice=invoice).select_related("grant").order_by("pk")
    return [(row.grant.kind, f"{row.amount_minor / 100:.2f}") for row in rows]


def test_a_present_settles_the_next_invoice(world: World, alice: Customer) -> None:
    give(world, alice, "30.00")

    invoice = bill(world, alice, "100.00")

    assert state(invoice) == ("PENDING", "70.00")
    assert left(alice) == []
    assert account("promotions", alice) == 30_00
    assert facts(alice) == ["CREDIT_GRANTED", "INVOICE_FINALIZED", "CREDIT_APPLIED"]


def test_an_invoice_that_credit_settles_whole_is_paid_at_once(
    world: World, alice: Customer
) -> None:
    give(world, alice, "100.00")

    invoice = bill(world, alice, "100.00")

    assert state(invoice) == ("PAID", "0.00")
    assert Invoice.objects.get(pk=invoice.pk).paid_at == world.now


def test_the_oldest_expiry_is_drawn_first_then_the_lowest_priority(
    world: World, alice: Customer
) -> None:
    never = give(world, alice, "10.00")
    late = give(world, alice, "10.00", expires="2026-06-01", priority=60)
    late_first = give(world, alice, "10.00", expires="2026-06-01", priority=10)
    soon = give(world, alice, "10.00", expires="2026-05-01")

    bill(world, alice, "25.00")

    remaining = {
        pk: left.minor for pk, left in ((g.pk, g.remaining) for g in CreditGrant.objects.all())
    }
    assert [remaining[g.pk] for g in (soon, late_first, late, never)] == [0, 0, 5_00, 10_00]


def test_credit_settles_open_invoices_only_where_it_is_asked_to(
    world: World, alice: Customer
) -> None:
    old, new = bill(world, alice, "20.00"), bill(world, alice, "20.00")

    give(world, alice, "5.00")
    assert (state(old), left(alice)) == (("PENDING", "20.00"), [("PROMOTIONAL", "5.00")])

    give(world, alice, "30.00", settles_open=True)

    assert (state(old), state(new)) == (("PAID", "0.00"), ("PENDING", "10.00"))
    assert left(alice) == [("PROMOTIONAL", "5.00")]


def test_paid_credit_comes_with_its_payment(world: World, alice: Customer) -> None:
    bill(world, alice, "20.00")
    found = give(world, alice, "50.00", kind=GrantKind.PAID, expires="2026-12-31")

    assert found.payment is not None
    assert found.payment.amount == money("50.00")
    assert found.expires_at == instant("2026-12-31")
    assert account("cash:bank_transfer", alice) == 50_00
    assert account("customer_credit", alice) == -50_00
    assert left(alice) == [("PAID", "50.00")]


def test_what_is_left_of_a_present_can_be_taken_back(world: World, alice: Customer) -> None:
    found = give(world, alice, "50.00")
    bill(world, alice, "20.00")

    grants.void(found.pk, by="olga", reason="a mistake", now=world.now)

    assert left(alice) == []
    assert account("promotions", alice) == 20_00
    with pytest.raises(ConflictError) as refused:
        grants.void(found.pk, by="olga", reason="again", now=world.now)
    assert refused.value.code == "nothing_left"


def test_what_the_customer_paid_for_is_not_taken_back(world: World, alice: Customer) -> None:
    found = give(world, alice, "50.00", kind=GrantKind.PAID)

    with pytest.raises(ConflictError) as refused:
        grants.void(found.pk, by="olga", reason="no", now=world.now)
    assert refused.value.code == "paid_credit"


@pytest.mark.parametrize(
    ("kind", "code"), [(GrantKind.PAID, "revenue:breakage"), (GrantKind.PROMOTIONAL, "promotions")]
)
def test_what_expires_unused_is_earned_or_costs_nothing(
    world: World, alice: Customer, kind: GrantKind, code: str
) -> None:
    give(world, alice, "50.00", kind=kind, expires="2026-05-01")
    bill(world, alice, "20.00")

    world.at("2026-04-30 23:59")
    assert left(alice) == [(kind, "30.00")]
    world.at("2026-05-01")

    assert left(alice) == []
    assert account(code, alice) == (-30_00 if kind == GrantKind.PAID else 20_00)
    world.at("2026-06-01")
    assert facts(alice, "CREDIT_EXPIRED") == ["CREDIT_EXPIRED"]
    assert state(bill(world, alice, "20.00")) == ("PENDING", "20.00")


def test_each_grant_lapses_at_its_own_instant(world: World, alice: Customer) -> None:
    give(world, alice, "1.00", expires="2026-05-01")
    give(world, alice, "2.00", expires="2026-04-15")
    world.at("2026-07-01")

    draws = CreditDraw.objects.filter(kind="EXPIRY").order_by("pk")
    assert [(f"{row.created_at:%m-%d}", row.amount_minor) for row in draws] == [
        ("04-15", 2_00),
        ("05-01", 1_00),
    ]


@pytest.mark.django_db(transaction=True)
def test_many_sweepers_let_a_grant_lapse_once(world: World, alice: Customer) -> None:
    bob = world.customer("bob")
    Customer.objects.filter(pk=bob.pk).update(test_clock=None)
    gift = Gift(GrantKind.PROMOTIONAL, expires_at=instant("2026-04-02"))
    grants.grant(bob.pk, money("9.00"), gift, now=world.now)

    at_once(*(lambda: sweep.sweep(now=instant("2026-04-03")) for _ in range(6)))

    assert CreditDraw.objects.filter(kind="EXPIRY").count() == 1
    assert account("promotions", bob) == 0


def test_the_books_say_which_credit_expires_when(world: World, alice: Customer) -> None:
    with pytest.raises(BillingError) as refused:
        give(world, alice, "1.00", expires="2026-03-01")
    assert refused.value.code == "in_the_past"
    for gift, paid_by in [
        (Gift(GrantKind.PROMOTIONAL), Incoming("cash")),
        (Gift(GrantKind.PAID), None),
    ]:
        with pytest.raises(BillingError) as odd:
            grants.grant(alice.pk, money("1.00"), gift, now=world.now, paid_by=paid_by)
        assert odd.value.code == "invalid_kind"


def test_credit_that_is_sold_is_there_once_it_is_paid(world: World, alice: Customer) -> None:
    world.adds_card(alice)
    attempt = credit_sales.sell(
        alice.pk, money("200.00"), expires_at=instant("2027-01-01"), by="olga", now=world.now
    )
    assert left(alice) == []
    assert state(attempt.invoice) == ("PENDING", "200.00")
    assert account("credit_ordered", alice) == -200_00

    payments.collect(attempt.pk, now=world.now)

    assert state(attempt.invoice) == ("PAID", "0.00")
    found = CreditGrant.objects.get()
    assert (found.kind, found.remaining, found.expires_at) == (
        "PAID",
        money("200.00"),
        instant("2027-01-01"),
    )
    assert account("credit_ordered", alice) == 0
    assert not JournalLine.objects.filter(account__code__startswith="revenue").exists()


def test_credit_does_not_buy_credit(world: World, alice: Customer) -> None:
    world.adds_card(alice)
    give(world, alice, "500.00")

    attempt = credit_sales.sell(
        alice.pk, money("200.00"), expires_at=None, by="olga", now=world.now
    )

    assert state(attempt.invoice) == ("PENDING", "200.00")


def test_credit_sold_comes_once_however_often_it_is_paid(world: World, alice: Customer) -> None:
    world.adds_card(alice, "tok_insufficient_funds")
    attempt = credit_sales.sell(
        alice.pk, money("200.00"), expires_at=None, by="olga", now=world.now
    )
    payments.collect(attempt.pk, now=world.now)
    payment = pay(world, alice, "200.00", (attempt.invoice, "200.00"))

    reversals.reverse(payment.pk, by="olga", reason="bounced", now=world.now)
    assert state(attempt.invoice) == ("PENDING", "200.00")
    assert left(alice) == [("PAID", "200.00")]
    pay(world, alice, "200.00", (attempt.invoice, "200.00"))

    assert left(alice) == [("PAID", "200.00")]
    assert facts(alice, "CREDIT_SOLD") == ["CREDIT_SOLD"]


def test_without_a_card_no_credit_is_sold(world: World, alice: Customer) -> None:
    with pytest.raises(BillingError) as refused:
        credit_sales.sell(alice.pk, money("1.00"), expires_at=None, by="olga", now=world.now)
    assert refused.value.code == "no_payment_method"


def test_credit_spent_on_something_else_stops_an_undo(world: World, alice: Customer) -> None:
    give(world, alice, "50.00", kind=GrantKind.PAID, expires="2026-05-01")
    world.at("2026-05-02")

    with pytest.raises(ConflictError, match=r"50\.00 USD of it .* expiry"):
        reversals.reverse(Payment.objects.get().pk, by="olga", reason="bounced", now=world.now)


@pytest.mark.django_db(transaction=True)
def test_invoices_finalized_at_once_share_the_credit(world: World, alice: Customer) -> None:
    give(world, alice, "50.00")

    found = at_once(*(lambda: bill(world, alice, "20.00") for _ in range(4)))

    owed = sorted(state(row)[1] for row in found if isinstance(row, Invoice))
    assert owed == ["0.00", "0.00", "10.00", "20.00"]
    assert left(alice) == []


def test_a_grant_expires_a_moment_before_it_could_be_drawn(world: World, alice: Customer) -> None:
    give(world, alice, "50.00", expires="2026-05-01")
    at = instant("2026-05-01")
    usable = CreditGrant.objects.usable
    assert usable(at - timedelta(microseconds=1)).exists()
    assert not usable(at).exists()
