"""Looking ahead: who subscribes with a card, what is foreseen for them, what it counts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.core.invoicing import Line
from billing.queries import simulation
from billing.queries.prospects import Basis
from billing.queries.simulation import Simulated
from customers.models import Customer
from plans.prices import Price, UsageModel
from plans.terms import UsageTerms
from tests.world import World, instant

CALLS = (UsageTerms("api_calls", Price(UsageModel.PER_UNIT, Decimal("0.10"))),)


def subscriber(world: World, name: str, plan: str = "Pro", **order: Any) -> Customer:
    customer = world.customer(name)
    world.adds_card(customer)
    world.subscribes(customer, plan, **order)
    return customer


def simulate(
    *people: Customer, months: int = 3, basis: Basis = Basis.NONE, now: datetime | None = None
) -> list[Simulated]:
    rows = simulation.selected([person.organization_id for person in people])
    present = now or instant("2030-01-01")  # everybody lives by a clock of their own
    return list(simulation.simulate(rows, months=months, basis=basis, now=present))


def used(simulated: Simulated, component: str = "api_calls") -> list[Decimal]:
    """What each bill charges of a component."""
    lines: list[Line] = [line for bill in simulated.bills for line in bill.bill.lines]
    return [
        Decimal(line.quantity.numerator) / line.quantity.denominator
        for line in lines
        if line.component == component
    ]
