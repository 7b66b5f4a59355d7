"""What a gateway's word does to an attempt and its invoice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Max

from billing.core import asking, lifecycle
from billing.core.dunning import DunningStatus
from billing.core.lifecycle import ActionKind, AttemptStatus
from billing.gateways.base import Action, Charge, ChargeStatus, Decline
from billing.models import Invoice, Payment, PaymentAttempt
from billing.services import allocations, announcing, dunning, journal, settling, telling
from billing.services import instalments as agreed


def apply(attempt: PaymentAttempt, outcome: Charge, *, heard_at: datetime) -> None:
    """Take a step of an attempt and what follows from it, and save it.

    In a transaction of the caller's, who holds the locks.

    :param heard_at: in real time; what is written down is in the customer's.
    """
    present = attempt.invoice.customer.lives_at(heard_at)
    attempt.external_id = outcome.external_id or attempt.external_id
    attempt.is_undecided = False
    if outcome.status == ChargeStatus.ACTION_REQUIRED:
        _ask_payer(attempt, outcome, present)
    else:
        _require_nothing(attempt)
        _OUTCOMES[outcome.status](attempt, outcome, present)
    attempt.ask_at = _ask_at(attempt, outcome, heard_at)
    attempt.save()


def abandon(attempt: PaymentAttempt, why: Decline, *, now: datetime) -> None:
    """It comes to nothing without being a failure of the payer's: nobody is dunned for it.

    In a transaction of the caller's, who holds the locks and knows that nothing was taken.
    """
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "abandon")
    attempt.settled_at = now
    attempt.decline_code, attempt.decline_message = why.code[:64], why.message[:500]
    _require_nothing(attempt)
    attempt.ask_at, attempt.is_undecided = None, False
    attempt.save()


def _require_nothing(attempt: PaymentAttempt) -> None:
    if attempt.action is not None:
        attempt.action = attempt.expires_at = None
        telling.nothing_required(attempt)


def _ask_at(attempt: PaymentAttempt, outcome: Charge, now: datetime) -> datetime | None:
    """When to ask what became of it, should nobody tell."""
    if attempt.status not in lifecycle.WAITING_ATTEMPTS:
        return None
    ends_at = outcome.action.expires_at if outcome.action else None
    return max(ends_at, now + _SHORTLY) if ends_at else now + asking.PROCESSING


def _ask_payer(attempt: PaymentAttempt, outcome: Charge, now: datetime) -> None:
    """Something waits for the payer, who is told once; it does not wait for ever."""
    action = outcome.action or Action(ActionKind.PAGE)
    is_new = attempt.status != AttemptStatus.ACTION_REQUIRED
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "ask_payer")
    attempt.action = _said(action)
    if is_new and action.kind != ActionKind.TRANSFER:
        attempt.expires_at = now + timedelta(days=settings.PAYER_DAYS)
    if is_new:
        telling.action_required(attempt, now=now)
        until = attempt.expires_at or action.expires_at
        announcing.of_charge("action_required", attempt, at=now, expires_at=until)


def _said(action: Action) -> dict[str, Any]:
    return {
        "kind": action.kind,
        "url": action.url,
        "code": action.code,
        "expires_at": action.expires_at.isoformat() if action.expires_at else None,
    }


def _succeed(attempt: PaymentAttempt, _outcome: Charge, now: datetime) -> None:
    invoice = attempt.invoice
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "succeed")
    attempt.settled_at = now
    payment = Payment(
        customer_id=invoice.customer_id,
        gateway=attempt.gateway,
        attempt=attempt,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        received_at=now,
        created_by=attempt.created_by,
    )
    allocations.receive(
        payment,
        [(invoice, attempt.amount)],
        context={
            "attempt": str(attempt.pk),
            "external_id": attempt.external_id,
            "method": str(attempt.payment_method_id),
            "method_kind": attempt.payment_method.kind,
            "charged_by": attempt.created_by,
        },
        now=now,
    )


def _process(attempt: PaymentAttempt, _outcome: Charge, now: datetime) -> None:
    is_new = attempt.status != AttemptStatus.PROCESSING
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "process")
    if is_new:
        announcing.of_charge("processing", attempt, at=now)


def _decline(attempt: PaymentAttempt, outcome: Charge, now: datetime) -> None:
    invoice = attempt.invoice
    reason = outcome.decline or Decline("declined", "The payment was declined.")
    attempt.status = lifecycle.ATTEMPT.after(attempt.status, "fail")
    attempt.settled_at = now
    attempt.decline_code = reason.code[:64]
    attempt.decline_message = reason.message[:500]
    attempt.is_hard_decline = reason.is_hard
    is_owed = invoice.status in lifecycle.COLLECTIBLE  # else it was paid another way meanwhile
    if is_owed:
        _put_in_error(invoice, attempt, now)
    journal.post(
        journal.Fact(
            kind="PAYMENT_DECLINED",
            key=f"attempt:{attempt.pk}:declined",
            customer_id=invoice.customer_id,
            occurred_at=now,
            context={
                "invoice": invoice.number,
                "attempt": str(attempt.pk),
                "gateway": attempt.gateway,
                "code": reason.code,
                "amount": str(attempt.amount),
                "next_charge_at": (
                    invoice.next_charge_at.isoformat() if invoice.next_charge_at else None
                ),
            },
            source_kind="invoice",
            source_id=invoice.pk,
        )
    )
    if is_owed:
        settling.fall_past_due(invoice, now)


def _put_in_error(invoice: Invoice, attempt: PaymentAttempt, now: datetime) -> None:
    """What was declined is dunned; what recovered before was another instalment."""
    failed = invoice.attempts.filter(
        status=AttemptStatus.FAILED, payment_method=attempt.payment_method_id
    )
    recovered = invoice.dunning_runs.filter(status=DunningStatus.RECOVERED)
    recovered_at = recovered.aggregate(at=Max("ended_at"))["at"]
    if recovered_at is not None:
        failed = failed.filter(settled_at__gt=recovered_at)
    invoice.status = lifecycle.INVOICE.after(invoice.status, "fail")
    dunned_at = dunning.failed(
        invoice, is_hard=attempt.is_hard_decline, failures=failed.count() + 1, now=now
    )
    invoice.next_charge_at = dunned_at
    if not attempt.is_hard_decline:
        invoice.next_charge_at = agreed.next_charge(invoice, dunned_at, now=now)
    invoice.version += 1
    invoice.save(update_fields=["status", "next_charge_at", "version"])
    announcing.of_invoices(
        "payment_failed", [invoice], at=now, next_charge_at=invoice.next_charge_at
    )


_SHORTLY: Final = timedelta(minutes=1)
_OUTCOMES: Final = {
    ChargeStatus.SUCCEEDED: _succeed,
    ChargeStatus.PROCESSING: _process,
    ChargeStatus.DECLINED: _decline,
}
