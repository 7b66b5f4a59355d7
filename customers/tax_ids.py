"""Commands on tax numbers: taken down, asked about, vouched for. Nothing ever waits for a register.

What is due stands in the rows: a lost message, a killed worker or a register that is down delays
an answer and loses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from customers import vat, vies
from customers.models import Customer, TaxId, TaxIdStatus
from customers.vat import Number
from customers.vies import Answer

BATCH: Final = 20
LEASE: Final = timedelta(minutes=10)  # longer than a batch of answers that all time out
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(days=1)


def replace(customer: Customer, numbers: Sequence[Number], *, now: datetime) -> None:
    """Make these a customer's numbers; those they had before keep what is known of them."""
    kept = {(row.kind, row.value): row for row in customer.tax_ids.all()}
    for number in numbers:
        if kept.pop((number.kind, number.value), None) is None:
            TaxId.objects.create(
                customer=customer,
                kind=number.kind,
                value=number.value,
                country=number.country,
                next_check_at=now if number.kind == vat.EU_VAT else None,
            )
    TaxId.objects.filter(pk__in=[row.pk for row in kept.values()]).delete()


@transaction.atomic
def record_answer(tax_id: UUID, answer: Answer, *, now: datetime) -> TaxId | None:
    """Take down what the register said, and when to ask again.

    Without an answer the last one stands, marked as stale if there was one. None if the number
    has been removed meanwhile.
    """
    row = TaxId.objects.select_for_update().filter(pk=tax_id).first()
    if row is None or row.confirmed_by:
        return row
    if answer.is_valid is None:
        row.tries = min(row.tries + 1, 1000)
        row.is_stale = row.status != TaxIdStatus.UNCHECKED
        row.next_check_at = now + pause(row.tries)
    else:
        row.status = TaxIdStatus.VALID if answer.is_valid else TaxIdStatus.INVALID
        row.consultation, row.checked_at = answer.consultation, now
        row.tries, row.is_stale = 0, False
        row.next_check_at = now + timedelta(days=settings.TAX_ID_RECHECK_DAYS)
    row.save()
    return row


@transaction.atomic
def confirm(tax_id: UUID, *, reason: str, by: str, now: datetime) -> TaxId:
    """Vouch for a number, whatever the register says: it is valid from now on.

    :raises ValidationError: without a reason, or for a number that is not there any more.
    """
    reason = reason.strip()
    if not reason:
        raise ValidationError("Say how you know that the number is valid.", code="reason_required")
    row = TaxId.objects.select_for_update().filter(pk=tax_id).first()
    if row is None:
        raise ValidationError("There is no such number any more.", code="tax_id_gone")
    row.status, row.checked_at = TaxIdStatus.VALID, now
    row.confirmed_by, row.confirmation = by, reason[:255]
    row.is_stale, row.tries, row.next_check_at, row.consultation = False, 0, None, ""
    row.save()
    return row


def check_due(*, now: datetime, own: str = "") -> int:
    """Ask the register about a batch of numbers that are due; gives how many answered.

    One silence speaks for the rest of the batch, so that a register that is down costs one
    time-out and not twenty.

    :param own: our own VAT number, so that VIES gives a consultation number.
    """
    if not vies.is_asked():
        return 0
    answered, answer = 0, Answer(None)
    for row in _claim(now):
        if not answer.is_silence:
            answer = vies.ask(row.value, own=own)
        record_answer(row.pk, answer, now=now)
        answered += answer.is_valid is not None
    return answered


def pause(tries: int) -> timedelta:
    """How long to wait after so many questions without an answer: ever longer, up to a day."""
    return min(FIRST_PAUSE * (1 << min(tries - 1, 20)), LONGEST_PAUSE)


@transaction.atomic(durable=True)
def _claim(now: datetime) -> list[TaxId]:
    """Rows that no other worker asks about; should this one die, they are due after the lease."""
    rows = list(TaxId.objects.due(now).select_for_update(skip_locked=True)[:BATCH])
    TaxId.objects.filter(pk__in=[row.pk for row in rows]).update(next_check_at=now + LEASE)
    return rows
