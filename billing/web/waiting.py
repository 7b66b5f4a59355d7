"""What a payer has to do before a payment goes on, in the words that they read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import segno
from django.utils.safestring import SafeString, mark_safe

from billing.core.lifecycle import COLLECTIBLE, ActionKind, AttemptStatus
from billing.core.money import Money
from billing.models import PaymentAttempt
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Asked:
    """One payment that waits for its payer.

    :param verb: what the way there says.
    :param code: what is scanned or copied to pay; empty where there is none.
    :param url: a page of the gateway's that helps; empty likewise.
    :param until: when it is given up; None for never.
    """

    attempt: PaymentAttempt
    kind: ActionKind
    heading: str
    sentence: str
    verb: str
    code: str
    url: str
    until: datetime | None

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return self.attempt.amount

    @property
    def drawing(self) -> SafeString:
        """The code as a QR code: an inline SVG as large as its place, of one colour each."""
        drawn = segno.make(self.code, error="m", micro=False).svg_inline(
            border=3, omitsize=True, dark="#000", light="#fff", svgclass=None, lineclass=None
        )
        return mark_safe(drawn)  # noqa: S308 - of modules, whatever the code says


def waits(attempt: PaymentAttempt) -> bool:
    """Whether it is the payer's turn."""
    return attempt.status == AttemptStatus.ACTION_REQUIRED


def of(attempt: PaymentAttempt) -> Asked | None:
    """What an attempt asks of its payer; None for nothing, or nothing any more.

    :param attempt: with its invoice at hand.
    """
    if not waits(attempt):
        return None
    if attempt.invoice.status not in COLLECTIBLE:
        return None  # paid another way, and about to be withdrawn
    kind = ActionKind(attempt.action["kind"])
    heading, sentence, verb = _WORDS[kind]
    return Asked(
        attempt=attempt,
        kind=kind,
        heading=heading,
        sentence=sentence,
        verb=verb,
        code=attempt.action.get("code") or "",
        url=attempt.action.get("url") or "",
        until=_until(attempt),
    )


def open_of(customer: Customer) -> tuple[list[Asked], bool]:
    """What waits for a customer, oldest first, and whether a payment is under way without them."""
    attempts = PaymentAttempt.objects.open().filter(invoice__customer=customer)
    rows = list(attempts.select_related("invoice").order_by("created_at"))
    found = [asked for row in rows if (asked := of(row)) is not None]
    return found, not all(waits(row) for row in rows)


def _until(attempt: PaymentAttempt) -> datetime | None:
    """The code's own end, or when we give it up, whichever comes first."""
    told = attempt.action.get("expires_at")
    ends = [attempt.expires_at, datetime.fromisoformat(told) if told else None]
    return min((end for end in ends if end is not None), default=None)


_WORDS: Final = {
    ActionKind.PAGE: (
        "Your bank asks you to confirm this payment",
        "It is made as soon as you have confirmed it there.",
        "Finish the payment",
    ),
    ActionKind.CODE: (
        "Pay with this code",
        "Scan it with the app of your bank, or copy it there.",
        "Show the code",
    ),
    ActionKind.TRANSFER: (
        "Please transfer the amount",
        "Name the reference, so that we know what it is for. It is paid once it has arrived.",
        "Show the account",
    ),
}
