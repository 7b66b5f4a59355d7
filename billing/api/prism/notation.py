"""The contract's notation: money as JSON numbers, and instants that are never null."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import Instant
from billing.core import figures
from billing.core.money import Money

NEVER: Final = "0001-01-01T00:00:00Z"  # of what there is not: Go's zero time
NOT_YET: Final = "1970-01-01T00:00:00Z"  # of what there is, and has no such instant


@extend_schema_field({"type": "number", "example": 12.5})
class Number(serializers.Field[Money, Any, Decimal, Any]):
    """Money in major units as a number: 5 for 5.00 EUR, 12.5 for 12.50."""

    def to_representation(self, value: Money | int) -> Decimal:
        """Exact, and without trailing zeros; 0 of an invoice that there is not."""
        return Decimal(figures.plain(value.major)) if isinstance(value, Money) else Decimal(value)


class Moment(Instant):
    """An instant, or what stands in its place where there is none."""

    def to_representation(self, value: datetime | str) -> str:
        """In UTC; the words for none are texts already."""
        return value if isinstance(value, str) else super().to_representation(value)
