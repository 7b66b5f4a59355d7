"""Payouts in the admin, line by line beside what we know of."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.core.lifecycle import MovementKind
from billing.models import GatewayMovement, GatewayPayout, Payment
from tests.admin.pressing import text_of
from tests.admin.reporting import line, take_over
from tests.admin.urls_of import change, changelist
from tests.services.returning import payment_of, pays, refund
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(world: World) -> Payment:
    """A payment by card."""
    carol = world.at("2026-04-01").customer("carol")
    return payment_of(pays(world, carol, "100.00"))


def charge_of(payment: Payment) -> str:
    assert payment.attempt is not None
    return payment.attempt.external_id


def test_a_payout_that_agrees_says_so(world: World, payment: Payment, operator: Client) -> None:
    [back] = refund(world, payment.allocations.get().invoice, "20.00")
    payout = take_over(
        "76.50",
        line(charge_of(payment), "100.00", "3.00", now=world.now),
        line(back.external_id, "-20.00", "0.00", now=world.now, kind=MovementKind.REFUND),
        line("", "0.00", "0.50", now=world.now, kind=MovementKind.FEE),
        now=world.now,
    )

    page = operator.get(change(payout)).content.decode()

    read = text_of(page.encode())
    assert "All lines 3 80.00 USD 3.50 USD 76.50 USD" in read
    assert "Difference 0.00 USD" in read
    assert "Not as we know it: 0" in read
    assert change(payment) in page
    assert change(back) in page
    assert 'class="fault"' not in page


def test_what_is_unknown_or_otherwise_is_shown(
    world: World, payment: Payment, operator: Client
) -> None:
    payout = take_over(
        "150.00",
        line(charge_of(payment), "90.00", "0.00", now=world.now),
        line("ch_foreign", "50.00", "0.00", now=world.now),
        now=world.now,
    )

    read = text_of(operator.get(change(payout)).content)

    assert "Difference 10.00 USD" in read
    assert "Not as we know it: 2" in read
    assert "over 100.00 USD here" in read
    assert "not known here" in read
    listed = operator.get(changelist(GatewayPayout))
    assert "10.00 USD" in text_of(listed.content)


def test_movements_are_found_by_what_they_are_about(
    world: World, payment: Payment, operator: Client
) -> None:
    about = charge_of(payment)
    payout = take_over("97.00", line(about, "100.00", "3.00", now=world.now), now=world.now)
    row = GatewayMovement.objects.get()

    listed = operator.get(f"{changelist(GatewayMovement)}?q={about}&payout__id__exact={payout.pk}")

    assert [it.pk for it in listed.context["cl"].result_list] == [row.pk]
    assert payment.attempt is not None
    for known in (payment, payment.attempt):
        read = operator.get(change(known)).content.decode()
        assert change(payout) in read
        assert "97.00 USD" in read


def test_who_has_no_right_sees_nothing(world: World, payment: Payment, guest: Client) -> None:
    payout = take_over("0.00", now=world.now)

    assert guest.get(change(payout)).status_code == 403
    assert guest.get(changelist(GatewayPayout)).status_code == 403
