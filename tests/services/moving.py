"""A plan gets another version, and people are moved to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from billing.queries import moves as moving
from billing.queries.moves import Effect
from billing.services import moves
from billing.services.moves import Moved
from customers.models import Customer
from plans import services as plan_services
from plans.models import Plan, PlanVersion
from plans.terms import ChangeCharge, ChangeTime, PlanTerms
from tests.world import World

END = ChangeTime.PERIOD_END


def reprices(world: World, name: str = "Pro", **terms: Any) -> Plan:
    """The plan's next version."""
    plan = world.plans[name]
    before = Plan.objects.readable().get(pk=plan.pk).terms
    after = PlanTerms.from_json({**before.to_json(), **terms})
    plan_services.update(plan.pk, terms=after, by="test", now=world.now)
    return Plan.objects.readable().get(pk=plan.pk)


def move(
    world: World,
    *people: Customer,
    plan: str = "Pro",
    when: Any = END,
    charge: ChangeCharge | None = None,
) -> Moved:
    moved = moves.move(
        world.plans[plan].pk,
        subscriptions=ids(world, people) or None,
        when=when,
        charge=charge,
        by="test",
        now=world.now,
    )
    world.at(f"{world.now:%Y-%m-%d %H:%M:%S}")  # let the workers collect
    return moved


def effect(world: World, *people: Customer, plan: str = "Pro", **options: Any) -> Effect:
    return moving.effect(
        Plan.objects.readable().get(pk=world.plans[plan].pk),
        subscriptions=ids(world, people) or None,
        now=world.now,
        **{"when": END, **options},
    )


def ids(world: World, people: Sequence[Customer]) -> list[UUID]:
    return [world.subscription(person).pk for person in people]


def figures(found: Effect) -> dict[str, tuple[str, str]]:
    return {
        currency: (f"{sums.now.major}", f"{sums.then.major}")
        for currency, sums in found.sums.items()
    }


def version_of(world: World, customer: Customer) -> int:
    return PlanVersion.objects.get(pk=world.subscription(customer).plan_version_id).number
