"""Gateways as operators have set them: read for every decision, changed in force for the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from billing.core import routing
from billing.core.breaker import Breaker
from billing.core.errors import ConflictError, InvalidError, NotFoundError
from billing.core.routing import Need, Route
from billing.gateways import registry
from billing.gateways.base import Gateway
from billing.models import GatewayRoute
from billing.models.payment import KIND_WORDS
from billing.services import journal, locks

FIELDS: Final = (
    "is_enabled",
    "priority",
    "weight",
    "currencies",
    "countries",
    "methods",
    "has_failover",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of payment method that a customer may add, and how it is called."""

    kind: str
    title: str


def current(now: datetime) -> Mapping[str, Route]:
    """Every gateway as it is to be asked now."""
    rows = {row.name: row for row in GatewayRoute.objects.all()}
    return {
        name: _route(gateway, rows.get(name) or _as_declared(gateway), now)
        for name, gateway in registry.offered().items()
    }


def listed() -> Sequence[tuple[Gateway, GatewayRoute]]:
    """Every gateway with its row, by priority; one that nobody has touched, as it declares."""
    rows = {row.name: row for row in GatewayRoute.objects.all()}
    found = [
        (gateway, rows.get(name) or _as_declared(gateway))
        for name, gateway in registry.offered().items()
    ]
    return sorted(found, key=lambda pair: (pair[1].priority, pair[1].name))


def offers(*, currency: str, country: str, now: datetime) -> Sequence[Offer]:
    """The kinds of payment method that a customer may add now.

    :param currency: ISO 4217. `country`, ISO 3166, is empty where it is not known.
    """
    found = current(now).values()
    kinds = dict.fromkeys(
        kind
        for route in sorted(found, key=lambda route: (route.priority, route.gateway))
        for kind in route.kinds
        if routing.objection(route, Need(currency, country, kind)) is None
    )
    return [Offer(kind, KIND_WORDS.get(kind, kind)) for kind in kinds]


def row(name: str) -> GatewayRoute:
    """A gateway's row, made as it declares itself where there is none yet.

    :raises NotFoundError: if no such gateway is configured.
    """
    gateway = registry.offered().get(name)
    if gateway is None:
        raise NotFoundError(f"There is no gateway {name!r}.", code="not_found")
    declared = _as_declared(gateway)
    found, _ = GatewayRoute.objects.get_or_create(
        name=name,
        defaults={"priority": declared.priority, "is_enabled": declared.is_enabled},
    )
    return found


@transaction.atomic
def update(
    name: str,
    changes: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    expected_version: int | None = None,
) -> GatewayRoute:
    """Set a gateway; in force for the next charge.

    :param changes: of `FIELDS`.
    :raises NotFoundError: if no such gateway is configured.
    :raises InvalidError: if a value makes no sense for it.
    :raises ConflictError: with code `version_mismatch` if it has changed since it was seen.
    """
    row(name)
    route = locks.gateway_route(name)
    if expected_version is not None and route.version != expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    _require_sense(registry.get(name), changes)
    before = {field: getattr(route, field) for field in changes}
    for field, value in changes.items():
        setattr(route, field, value)
    route.version += 1
    route.updated_by, route.updated_at = by, now
    route.save()
    journal.post(
        journal.Fact(
            kind="GATEWAY_CHANGED",
            key=f"gateway:{name}:{route.version}",
            customer_id=None,
            occurred_at=now,
            context={"gateway": name, "before": before, "after": dict(changes), "by": by},
        )
    )
    return route


def keep(route: GatewayRoute, breaker: Breaker) -> None:
    """Write down how a gateway's calls go; the caller holds the lock on it."""
    route.failures = breaker.failures
    route.opened_at, route.probe_at = breaker.opened_at, breaker.probe_at
    route.save(update_fields=["failures", "opened_at", "probe_at"])


def _as_declared(gateway: Gateway) -> GatewayRoute:
    declared = gateway.capabilities
    return GatewayRoute(
        name=gateway.name, priority=declared.priority, is_enabled=declared.is_enabled
    )


def _route(gateway: Gateway, row: GatewayRoute, now: datetime) -> Route:
    declared = gateway.capabilities
    return Route(
        gateway=gateway.name,
        kinds={
            kind: declared.currencies if terms.currencies is None else terms.currencies
            for kind, terms in declared.kinds.items()
            if not row.methods or kind in row.methods
        },
        is_enabled=row.is_enabled,
        priority=row.priority,
        weight=row.weight,
        currencies=frozenset(row.currencies),
        countries=frozenset(row.countries),
        fails_over=row.has_failover,
        is_available=row.breaker.lets_through(now),
    )


def _require_sense(gateway: Gateway, changes: Mapping[str, Any]) -> None:
    unknown = sorted(set(changes.get("methods", [])) - set(gateway.capabilities.kinds))
    if unknown:
        sentence = f"{gateway.capabilities.title} takes no {', '.join(unknown)}."
        raise InvalidError(sentence, code="unknown_method", errors={"methods": [sentence]})
    if changes.get("weight", 1) < 1:
        sentence = "A weight is at least 1."
        raise InvalidError(sentence, code="invalid_weight", errors={"weight": [sentence]})
