"""What a gateway's word does to a refund and its customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db.models import Q

from billing.core import asking, lifecycle, postings
from billing.core.lifecycle import AttemptStatus
from billing.gateways import base
from billing.gateways.base import ChargeStatus, Decline
from billing.models import CreditDraw, CreditGrant, Payment, Refund
from billing.models.credit import CreditGrantQuerySet, DrawKind, GrantKind
from billing.services import credit, credit_notes, drawing, journal, locks
from billing.services.credit import Source
from billing.services.drawing import Purpose
from billing.services.journal import Fact


def apply(refund: Refund, outcome: base.Refund, *, heard_at: datetime, by: str = "") -> None:
    """Take a step of a refund and what follows from it, and save it.

    In a transaction of the caller's, who holds the locks.

    :param heard_at: in real time; what is written down is in the customer's.
    """
    refund.external_id = outcome.external_id or refund.external_id
    refund.is_undecided, refund.ask_at = False, None
    _OUTCOMES[outcome.status](refund, outcome, refund.customer.lives_at(heard_at), by)
    if refund.status == AttemptStatus.PROCESSING:
        refund.ask_at = heard_at + asking.PROCESSING
    refund.save()


def grants_of(payment: Payment) -> CreditGrantQuerySet:
    """What of a payment became credit: what was over, or was credited of what it settled."""
    settled = payment.allocations.standing().values("invoice")
    rows = CreditGrant.objects.filter(
        Q(payment=payment) | Q(credit_note__invoice__in=settled), kind=GrantKind.PAID
    )
    return rows.filter(currency=payment.currency)


def fact(
    kind: str,
    refund: Refund,
    *,
    key: str,
    at: datetime,
    posted: postings.Postings,
    **context: object,
) -> Fact:
    """Something that happened to a refund."""
    note = refund.credit_note
    return Fact(
        kind=kind,
        key=f"refund:{refund.pk}:{key}",
        customer_id=refund.customer_id,
        occurred_at=at,
        context={
            "payment": str(refund.payment_id),
            "gateway": refund.payment.gateway,
            "external_id": refund.external_id,
            "amount": str(refund.amount),
            "reason": refund.reason,
            "credit_note": note.number if note else None,
            **context,
        },
        postings=posted,
        source_kind="refund",
        source_id=refund.pk,
    )


def _succeed(refund: Refund, _outcome: base.Refund, now: datetime, by: str) -> None:
    refund.status = lifecycle.ATTEMPT.after(refund.status, "succeed")
    refund.settled_at = now
    refund.save()
    journal.post(
        fact(
            "REFUND_PAID",
            refund,
            key="paid",
            at=now,
            posted=postings.refund_paid(refund.amount, gateway=refund.payment.gateway),
            by=by or refund.created_by,
        )
    )
    if refund.credit_note is not None:
        credit_notes.conclude(locks.invoice(refund.credit_note.invoice_id), now=now)


def _process(refund: Refund, _outcome: base.Refund, _now: datetime, _by: str) -> None:
    refund.status = lifecycle.ATTEMPT.after(refund.status, "process")


def _fail(refund: Refund, outcome: base.Refund, now: datetime, _by: str) -> None:
    """The money is still with us: it is the customer's credit, and operators see why."""
    reason = outcome.decline or Decline("failed", "The refund failed.")
    if refund.status == AttemptStatus.SUCCEEDED:
        _come_back(refund, now=now)
    refund.status = lifecycle.ATTEMPT.after(refund.status, "fail")
    refund.settled_at = now
    refund.decline_code, refund.decline_message = reason.code[:64], reason.message[:500]
    _give_back(refund, now=now)
    journal.post(
        fact(
            "REFUND_FAILED",
            refund,
            key="failed",
            at=now,
            posted=postings.refund_failed(refund.amount),
            code=reason.code,
        )
    )


def _come_back(refund: Refund, *, now: datetime) -> None:
    """It had gone through, and nobody took it: the gateway has the money again."""
    refund.status = lifecycle.ATTEMPT.after(refund.status, "come_back")
    posted = postings.refund_returned(refund.amount, gateway=refund.payment.gateway)
    journal.post(fact("REFUND_RETURNED", refund, key="returned", at=now, posted=posted))


def _give_back(refund: Refund, *, now: datetime) -> None:
    """Credit again: that which was drawn for the refund, or else new credit."""
    drawn = CreditDraw.objects.filter(kind=DrawKind.REFUND, grant__in=grants_of(refund.payment))
    draws = list(drawn.prefetch_related("grant").order_by("pk"))
    if refund.credit_note is None and not drawing.total(draws, refund.currency) < refund.amount:
        purpose = Purpose(DrawKind.REFUND, by=refund.created_by)
        drawing.put(drawing.give_back(draws, refund.amount, purpose, now=now))
        return
    credit.give(
        refund.customer_id,
        refund.amount,
        source=Source(credit_note_id=refund.credit_note_id),
        reason="A refund that failed",
        now=now,
        by=refund.created_by,
    )


_OUTCOMES: Final[Mapping[ChargeStatus, Callable[[Refund, base.Refund, datetime, str], None]]] = {
    ChargeStatus.SUCCEEDED: _succeed,
    ChargeStatus.PROCESSING: _process,
    ChargeStatus.DECLINED: _fail,
}
