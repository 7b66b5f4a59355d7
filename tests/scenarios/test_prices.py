"""Every pricing model on one invoice, with a minimum, told line by line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import InvoiceLine
from plans.prices import Price, Tier, UsageModel
from plans.terms import UsageTerms
from tests import builders
from tests.terms import seed_terms
from tests.world import World

pytestmark = pytest.mark.django_db

TIERS = (Tier(Decimal(100), Decimal("2.00"), Decimal("5.00")), Tier(None, Decimal("1.50")))
USAGE = (
    UsageTerms("api_calls", Price(UsageModel.GRADUATED, tiers=TIERS)),
    UsageTerms("storage", Price(UsageModel.VOLUME, tiers=TIERS)),
    UsageTerms("mails", Price(UsageModel.PACKAGE, Decimal("0.75"), package_size=Decimal(1000))),
)


def test_models_are_mixed_on_one_invoice(world: World) -> None:
    for code in ("storage", "mails"):
        builders.make_meter(code, name=code.capitalize())
    terms = seed_terms(
        "0",
        "0",
        "0",
        trial_days=0,
        usage=USAGE,
        quantity_unit="seat",
        quantity_pricing=Price(UsageModel.GRADUATED, tiers=(Tier(None, Decimal(9)),)),
        minimum=Decimal(1000),
    )
    world.plans["Mixed"] = builders.make_plan("Mixed", terms)
    alice = world.at("2026-03-31 12:00").customer("alice")
    world.adds_card(alice)
    world.subscribes(alice, "Mixed")
    for meter in ("api_calls", "storage", "mails"):
        world.at("2026-04-10").uses(alice, 130, meter)

    world.at("2026-05-01")

    assert world.invoice(alice) == [
        ("Mixed", Decimal("9.00"), "1 × 9.00 = 9.00 USD"),
        (
            "Mixed: api_calls",
            Decimal("250.00"),
            "100 × 2.00 + 5.00 flat + 30 × 1.50 = 250.00 USD",
        ),
        ("Mixed: Storage", Decimal("195.00"), "130 × 1.50 = 195.00 USD"),
        ("Mixed: Mails", Decimal("0.75"), "130 in packages of 1000 = 1 × 0.75 = 0.75 USD"),
        ("Mixed: minimum", Decimal("545.25"), "1000.00 least − 454.75 charged = 545.25 USD"),
    ]
    assert world.newest_invoice(alice).total.minor == 1000_00
    line = InvoiceLine.objects.get(meter="api_calls")
    assert line.unit_amount is None
    assert [(tier["up_to"], tier["quantity"], tier["amount"]) for tier in line.tiers] == [
        ("100", "100", "205"),
        (None, "30", "45"),
    ]
