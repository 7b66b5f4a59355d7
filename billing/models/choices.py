"""Core's codes as Django choices, and the constraint that holds a column to them."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import CheckConstraint, Q


def choices(codes: type[StrEnum]) -> list[tuple[str, str]]:
    """What an admin form offers: code and words."""
    return [(code.value, code.value.replace("_", " ").capitalize()) for code in codes]


def one_of(column: str, codes: type[StrEnum], *, name: str) -> CheckConstraint:
    """That the column holds one of the codes and nothing else."""
    return CheckConstraint(
        condition=Q(**{f"{column}__in": [code.value for code in codes]}), name=name
    )
