"""Which gateway is asked: operators' routes against what is needed, and the reason why.

A payment method belongs to its gateway, so that a charge goes to the default method where its
gateway will do, and else to the next of the customer's. A set-up goes to the first gateway that
fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID


class Objection(StrEnum):
    """Why a gateway will not do."""

    UNKNOWN = "is not configured"
    DISABLED = "is switched off"
    KIND = "does not take this kind of payment method"
    CURRENCY = "does not take this currency"
    COUNTRY = "is not for this country"
    UNAVAILABLE = "does not answer"


@dataclass(frozen=True, slots=True)
class Route:
    """One gateway: what it declares, narrowed down by what operators have set.

    :param kinds: payment methods by their kind, each with its currencies; None for all.
    :param currencies: empty for all. `countries`, ISO 3166, likewise.
    :param weight: its share of the set-ups among gateways of the same priority.
    :param fails_over: whether another gateway may be tried while this one does not answer.
    :param is_available: whether it has answered lately.
    """

    gateway: str
    kinds: Mapping[str, frozenset[str] | None]
    is_enabled: bool = True
    priority: int = 50
    weight: int = 1
    currencies: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    fails_over: bool = False
    is_available: bool = True


@dataclass(frozen=True, slots=True)
class Need:
    """What is to be paid. Empty: any will do, or it is not known."""

    currency: str = ""
    country: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A payment method that could be charged."""

    method_id: UUID
    gateway: str
    kind: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided, and why. None where nothing will do."""

    chosen: str | None
    reason: str
    method_id: UUID | None = None


DEFAULT_METHOD: Final = "the default payment method"
ASKED_FOR: Final = "asked for"


def objection(route: Route | None, need: Need) -> Objection | None:
    """Why a route will not do, or None; whether it answers is not asked here."""
    if route is None:
        return Objection.UNKNOWN
    if not route.is_enabled:
        return Objection.DISABLED
    if need.kind and need.kind not in route.kinds:
        return Objection.KIND
    if need.currency and not _takes(route, need):
        return Objection.CURRENCY
    if need.country and route.countries and need.country not in route.countries:
        return Objection.COUNTRY
    return None


def for_setup(routes: Iterable[Route], need: Need, *, seed: str) -> Choice:
    """The gateway to set a payment method up at: the first by priority that fits and answers.

    :param seed: whoever asks again with the same gets the same of those with equal priority.
    """
    passed: list[str] = []
    for route in _ordered(routes, seed):
        against = objection(route, need)
        if against is None and not route.is_available:
            against = Objection.UNAVAILABLE
        if against is None:
            first = f"first by priority ({route.priority})"
            return Choice(route.gateway, "; ".join([*passed, first]))
        passed.append(f"{route.gateway} {against}")
    return Choice(None, "; ".join(passed) or "there is no gateway")


def for_charge(
    candidates: Sequence[Candidate], routes: Mapping[str, Route], need: Need, *, seed: str
) -> Choice:
    """The payment method to charge: the default one, or the next where its gateway will not do.

    One that merely does not answer is passed over only if its route allows that.
    """
    order = {route.gateway: place for place, route in enumerate(_ordered(routes.values(), seed))}
    ranked = sorted(
        candidates,
        key=lambda found: (not found.is_default, order.get(found.gateway, len(order))),
    )
    passed: list[str] = []
    for found in ranked:
        route = routes.get(found.gateway)
        against = objection(route, Need(need.currency, need.country, found.kind))
        if against is None and route is not None and not route.is_available and route.fails_over:
            against = Objection.UNAVAILABLE
        if against is None:
            why = DEFAULT_METHOD if found.is_default else "the next payment method"
            return Choice(found.gateway, "; ".join([*passed, why]), found.method_id)
        passed.append(f"{found.gateway} {against}")
    return Choice(None, "; ".join(passed) or "there is no payment method")


def _takes(route: Route, need: Need) -> bool:
    if route.currencies and need.currency not in route.currencies:
        return False
    kinds = [need.kind] if need.kind else list(route.kinds)
    limits = [route.kinds[kind] for kind in kinds]
    return any(limit is None or need.currency in limit for limit in limits)


def _ordered(routes: Iterable[Route], seed: str) -> list[Route]:
    """By priority; of equals, each comes first as often as its weight says, over many seeds."""
    return sorted(routes, key=lambda route: (route.priority, _draw(route, seed), route.gateway))


def _draw(route: Route, seed: str) -> float:
    """Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006)."""
    digest = sha256(f"{seed}:{route.gateway}".encode()).digest()
    chance = (int.from_bytes(digest[:6]) + 1) / (2**48 + 1)
    return -math.log(chance) / route.weight
