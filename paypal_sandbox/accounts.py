"""Test accounts: who pays, and how it goes when they are charged or refunded."""

from __future__ import annotations

from dataclasses import dataclass

from paypal_sandbox import errors
from stripe_sandbox.bodies import Json

READY_MADE = "vault_"


@dataclass(frozen=True)
class Account:
    """A kind of payer; `decline` is the issue and the description of the refusal, if any."""

    kind: str
    label: str
    decline: tuple[str, str] | None = None
    captured_as: str = "COMPLETED"
    refunded_as: str = "COMPLETED"

    @property
    def given_name(self) -> str:
        """What the payer is called, so that one sees in answers who it was."""
        return self.kind.replace("_", " ").title()

    def check(self) -> None:
        """Refuse to pay, if that is this account's way.

        :raises PayPalError: 422, kept for the request's id: the payment was tried.
        """
        if self.decline:
            raise errors.refused(*self.decline, kept=True)


_ALL = (
    Account("good", "Pays"),
    Account(
        "declined",
        "Is declined when charged",
        (
            "INSTRUMENT_DECLINED",
            "The instrument was declined by the processor or bank, or cannot pay for this.",
        ),
    ),
    Account(
        "insufficient",
        "Has insufficient funds",
        (
            "PAYER_CANNOT_PAY",
            "Payer cannot pay for this transaction; they may know another way to pay.",
        ),
    ),
    Account("pending", "Pays, and the capture stays pending", captured_as="PENDING"),
    Account(
        "closed",
        "Has been closed",
        (
            "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
            "The payer account cannot be used for this transaction.",
        ),
    ),
    Account("refund_pending", "Pays, and its refunds stay pending", refunded_as="PENDING"),
    Account("refund_failed", "Pays, and its refunds fail", refunded_as="FAILED"),
)
BY_KIND = {account.kind: account for account in _ALL}


def ready_made(token_id: str) -> Account | None:
    """Return the account behind a token that is there without a browser: `vault_good`."""
    if not token_id.startswith(READY_MADE):
        return None
    return BY_KIND.get(token_id.removeprefix(READY_MADE))


def payer(account: Account, payer_id: str) -> Json:
    """Return what answers say of a payer, beside their account's id."""
    return {
        "name": {"given_name": account.given_name, "surname": "Standin"},
        "email_address": f"{account.kind}@payer.example",
        "payer_id": payer_id,
        "address": {"country_code": "US"},
    }
