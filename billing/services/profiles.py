"""What is agreed with one customer beside their subscription."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core.errors import ConflictError, InvalidError
from billing.core.money import Money
from billing.models import BillingProfile, DunningPolicy, Seller
from billing.services import dunning, journal, locks

_REFERRED: Final[Mapping[str, Any]] = {"seller": Seller, "dunning_policy": DunningPolicy}
_UNKNOWN: Final = {"seller": "unknown_seller", "dunning_policy": "unknown_dunning_policy"}


@dataclass(frozen=True, slots=True)
class TopUp:
    """Credit that is bought by itself when less than `threshold` is left."""

    threshold: Money
    amount: Money


def of(customer_id: UUID) -> BillingProfile:
    """A customer's profile; the usual, unsaved, where nothing is agreed."""
    found = BillingProfile.objects.filter(customer=customer_id).first()
    return found or BillingProfile(customer_id=customer_id)


@transaction.atomic
def change(
    customer_id: UUID,
    *,
    fields: Mapping[str, Any],
    by: str,
    now: datetime,
    expected_version: int | None = None,
) -> BillingProfile:
    """Agree on something else; what is not named stays.

    A customer who is not dunned any more is left alone at once: their runs rest, and go on
    where they stood when they are dunned again.

    :param fields: any of `seller` and `dunning_policy` (an id, or None for the usual),
        `is_dunned`, and `top_up` (a `TopUp`, or None).
    :raises NotFoundError: if there is no such customer.
    :raises InvalidError: if what is named does not exist, or makes no sense.
    :raises ConflictError: with code `version_mismatch` if it has changed since it was seen.
    """
    customer = locks.customer(customer_id)
    profile = of(customer_id)
    if expected_version is not None and profile.version != expected_version:
        raise ConflictError("It was changed by someone else.", code="version_mismatch")
    was_dunned = profile.is_dunned
    for name, value in fields.items():
        _PUTS[name](profile, name, value)
    profile.version += 1
    profile.save()
    present = customer.lives_at(now)
    journal.post(
        journal.Fact(
            kind="BILLING_PROFILE_CHANGED",
            key=f"profile:{customer_id}:{uuid7()}",
            customer_id=customer_id,
            occurred_at=present,
            context={**{name: _said(value) for name, value in fields.items()}, "by": by},
        )
    )
    if was_dunned and not profile.is_dunned:
        dunning.rest(customer_id, by=by, now=present)
    elif profile.is_dunned and not was_dunned:
        dunning.wake(customer_id, by=by, now=present)
    return profile


def _put_reference(profile: BillingProfile, name: str, value: UUID | None) -> None:
    if value is not None and not _REFERRED[name].objects.filter(pk=value).exists():
        noun = name.replace("_", " ")
        raise InvalidError(
            f"There is no {noun} {value}.",
            code=_UNKNOWN[name],
            errors={name: [f"There is no {noun} {value}."]},
        )
    setattr(profile, f"{name}_id", value)


def _put_flag(profile: BillingProfile, name: str, value: bool) -> None:  # noqa: FBT001  # a value
    setattr(profile, name, value)


def _put_top_up(profile: BillingProfile, _name: str, value: TopUp | None) -> None:
    if value is None:
        profile.top_up_currency = ""
        profile.top_up_threshold_minor = profile.top_up_amount_minor = None
        return
    if value.threshold.minor < 0 or value.amount.minor <= 0:
        raise InvalidError(
            "A top-up is over something, and its threshold is not negative.",
            code="invalid_top_up",
            errors={"top_up": ["Over something; the threshold not negative."]},
        )
    profile.top_up_currency = (value.amount - value.threshold).currency  # they do not mix
    profile.top_up_threshold_minor = value.threshold.minor
    profile.top_up_amount_minor = value.amount.minor


def _said(value: Any) -> Any:
    if isinstance(value, TopUp):
        return {"threshold": str(value.threshold), "amount": str(value.amount)}
    return str(value) if isinstance(value, UUID) else value


_PUTS: Final[Mapping[str, Callable[[BillingProfile, str, Any], None]]] = {
    "seller": _put_reference,
    "dunning_policy": _put_reference,
    "is_dunned": _put_flag,
    "top_up": _put_top_up,
}
