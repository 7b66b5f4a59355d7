"""What is on sale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plans.models import Meter, Plan


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Plans, cheapest tier first, and the meters they speak of by code."""

    plans: Sequence[Plan]
    meters: Mapping[str, Meter]


def on_sale(organization_id: str | None = None) -> Catalogue:
    """What everybody, or a customer of that organization, may subscribe to."""
    return Catalogue(
        plans=list(Plan.objects.on_sale(organization_id).readable()),
        meters={meter.code: meter for meter in Meter.objects.all()},
    )


def meter_names(codes: Iterable[str]) -> dict[str, str]:
    """Meter code → what people call it."""
    return dict(Meter.objects.filter(code__in=list(codes)).values_list("code", "name"))
