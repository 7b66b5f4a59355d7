"""Seed 003 as a story: trial, card, prorated first month, whole second month."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.world import World

pytestmark = pytest.mark.django_db


def test_premium_from_trial_to_the_second_invoice(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)

    assert world.period(alice) == ("2026-04-11 15:00", "2026-05-01 00:00")

    world.at("2026-04-20 10:00").uses(alice, 300)
    world.at("2026-05-01 00:00")

    assert world.invoice(alice) == [
        ("Premium", Decimal("114.00"), "180.00 × 19/30 days = 114.00 USD"),
        (
            "Premium: api_calls",
            Decimal("84.00"),
            "300 used − 253.33… included (400 × 19/30 days) = 46.66… × 1.80 = 84.00 USD",
        ),
    ]
    assert world.newest_invoice(alice).status == "PAID"

    world.at("2026-05-12 12:00").uses(alice, 450)
    world.at("2026-06-01 00:00")

    assert world.newest_invoice(alice).total.minor == 270_00
    assert world.newest_invoice(alice).number == "INV-000002"
