"""Invoices that are paid in parts: agreed, withdrawn, and what follows for the next charge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.core import instalments, lifecycle
from billing.core.errors import ConflictError
from billing.core.instalments import Part, Rhythm
from billing.core.money import Money
from billing.models import Instalment, Invoice, bulk
from billing.queries import balances
from billing.services import journal, locks, settling
from billing.services.journal import Fact


@transaction.atomic
def agree(
    invoice_id: UUID, wanted: Sequence[Part] | Rhythm, *, by: str, now: datetime
) -> list[Part]:
    """Let an invoice be paid in parts, each charged when it is due; they replace earlier ones.

    :param wanted: the parts, which sum to what is owed; or how to split that.
    :raises NotFoundError: if there is no such invoice.
    :raises InvalidError: if the parts do not sum to what is owed, or are in no order.
    :raises ConflictError: if nothing is owed, or a charge is under way.
    """
    invoice = _owed(invoice_id)
    present = invoice.customer.lives_at(now)
    owed = Money(balances.due_on([invoice])[invoice.pk], invoice.currency)
    if isinstance(wanted, Rhythm):
        parts = instalments.spread(owed, wanted, zone=invoice.customer.zone)
    else:
        parts = list(wanted)
    instalments.require_sound(owed, parts, since=invoice.issued_at or present)
    _put(invoice, parts)
    invoice.next_charge_at = parts[0].due_at
    invoice.save(update_fields=["next_charge_at"])
    journal.post(_fact("INSTALMENTS_AGREED", invoice, parts, by=by, now=present))
    settling.settle([invoice], now=present)
    return parts


@transaction.atomic
def withdraw(invoice_id: UUID, *, by: str, now: datetime) -> None:
    """All that is owed is due again; it is charged when somebody says so. Again is no fault.

    :raises NotFoundError: if there is no such invoice.
    :raises ConflictError: if nothing is owed, or a charge is under way.
    """
    invoice = _owed(invoice_id)
    if not Instalment.objects.filter(invoice=invoice).exists():
        return
    _put(invoice, [])
    invoice.next_charge_at = None
    invoice.version += 1
    invoice.save(update_fields=["next_charge_at", "version"])
    present = invoice.customer.lives_at(now)
    journal.post(_fact("INSTALMENTS_WITHDRAWN", invoice, [], by=by, now=present))


def lessen(invoice: Invoice, amount: Money) -> None:
    """Less is asked for than was agreed, because of a credit note: the last parts shrink.

    In a transaction of the caller's, who holds the lock on the invoice.
    """
    rows = Instalment.objects.filter(invoice=invoice).order_by("position")
    parts = [Part(Money(row.amount_minor, invoice.currency), row.due_at) for row in rows]
    if parts:
        _put(invoice, instalments.lessened(parts, amount))


def next_charge(invoice: Invoice, dunned_at: datetime | None, *, now: datetime) -> datetime | None:
    """When an invoice is charged next after a decline: by its dunning, or its next instalment.

    :param dunned_at: when dunning wants the declined part charged again.
    """
    later = Instalment.objects.filter(invoice=invoice, due_at__gt=now)
    coming = later.order_by("due_at").values_list("due_at", flat=True).first()
    instants = [at for at in (dunned_at, coming) if at is not None]
    return min(instants, default=None)


def _owed(invoice_id: UUID) -> Invoice:
    invoice = locks.invoice(invoice_id)
    if invoice.status not in lifecycle.COLLECTIBLE:
        words = invoice.status.lower().replace("_", " ")
        raise ConflictError(f"Nothing is owed: the invoice is {words}.", code="nothing_owed")
    if invoice.attempts.filter(status__in=lifecycle.OPEN_ATTEMPTS).exists():
        raise ConflictError("A charge for this invoice is under way.", code="charge_under_way")
    return invoice


def _put(invoice: Invoice, parts: Sequence[Part]) -> None:
    Instalment.objects.filter(invoice=invoice).delete()
    bulk.insert(
        Instalment(
            invoice=invoice, position=position, amount_minor=part.amount.minor, due_at=part.due_at
        )
        for position, part in enumerate(parts, start=1)
    )


def _fact(kind: str, invoice: Invoice, parts: Sequence[Part], *, by: str, now: datetime) -> Fact:
    return Fact(
        kind=kind,
        key=f"invoice:{invoice.pk}:{kind.lower()}:{uuid7()}",
        customer_id=invoice.customer_id,
        occurred_at=now,
        context={
            "invoice": invoice.number,
            "instalments": [
                {"amount": str(part.amount), "due_at": part.due_at.isoformat()} for part in parts
            ],
            "by": by,
        },
        source_kind="invoice",
        source_id=invoice.pk,
    )
