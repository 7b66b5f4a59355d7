"""The failures that callers are told about: a stable code and a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final


class BillingError(Exception):
    """Something the caller asked for cannot be done, and why.

    :param detail: one sentence for the person who asked.
    :param code: stable and machine-readable; what integrations branch on.
    :param errors: what is wrong with which field, where fields are at fault.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.errors = {field: list(messages) for field, messages in (errors or {}).items()}


class InvalidError(BillingError):
    """What was sent is malformed or makes no sense."""


class NotFoundError(BillingError):
    """No such thing, or none that the caller may see."""


class ConflictError(BillingError):
    """The request is sound, but the state of things forbids it."""


class PaymentFailedError(BillingError):
    """The gateway declined."""


class UnavailableError(BillingError):
    """A part we depend on does not answer; asking again later is right."""


# What goes wrong where a subscription's own data makes no sense: its fault, and nobody else's.
FAULTS: Final = (BillingError, ValueError, ArithmeticError, LookupError)


def words(error: Exception) -> str:
    """What an exception says."""
    return str(error) or type(error).__name__
