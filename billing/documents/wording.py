"""What documents say in sentences, in one language, and in the days they were written for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone, translation

from billing.core.figures import plain
from billing.core.taxes import Tax
from billing.documents import tax_categories
from billing.documents.values import Correction, Document, PaidBy, Standing
from billing.templatetags.dates import day
from billing.templatetags.money import money


@contextmanager
def speaking(document: Document) -> Iterator[None]:
    """Amounts and days as the document has them, whoever asks for it."""
    with translation.override(settings.LANGUAGE_CODE), timezone.override(document.zone):
        yield


def terms(document: Document) -> str:
    """BT-20: the seller's terms and what was agreed; of a credit note, where it goes."""
    if document.correction is not None:
        return destination(document.correction)
    agreed = instalments(document.standing) if document.standing else []
    return "\n".join(filter(None, [document.seller.get("terms") or "", *agreed]))


def instalments(standing: Standing) -> list[str]:
    """Which parts it is paid in, in a sentence; none where it is due whole."""
    if not standing.instalments:
        return []
    parts = ", ".join(
        f"{money(part.amount)} by {day(part.due_at)}" for part in standing.instalments
    )
    return [f"Payable in instalments: {parts}."]


def destination(correction: Correction) -> str:
    """Where goes what is credited."""
    said = []
    if correction.to_due:
        said.append(
            f"{money(correction.to_due)} less is to be paid on invoice {correction.invoice_number}."
        )
    if correction.to_credit:
        said.append(f"{money(correction.to_credit)} are credited to the account with us.")
    if correction.to_refund:
        said.append(f"{money(correction.to_refund)} are paid back.")
    return " ".join(said)


def paid_by(payment: PaidBy) -> str:
    """`Paid on 4 May 2026 with Visa •••• 4242`."""
    way = f" with {payment.method}" if payment.method else ""
    if payment.kind == "bank_transfer":
        way = " by bank transfer"
    return f"Paid on {day(payment.received_at)}{way}"


def tax(levied: Tax) -> str:
    """A tax by its rate and place, or why there is none: `Tax 19 % (DE)`."""
    words = tax_categories.in_words(levied.category)
    if not levied.percent:
        return words
    place = "-".join(filter(None, (levied.country, levied.region)))
    return f"{words} {plain(levied.percent)} %" + (f" ({place})" if place else "")
