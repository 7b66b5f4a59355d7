"""Dunning runs: how they begin, rest and end. What is done by the day stands in `dunning_days`.

One run is one invoice's way from the first failure to its end. Its terms are frozen as it begins;
`due_at` says when something is due of it by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from uuid_utils.compat import uuid7

from billing.core import dunning
from billing.core.dunning import DunningPolicy, DunningReason, DunningStatus
from billing.core.errors import ConflictError
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.models import DunningRun, Invoice, bulk
from billing.queries import dunning as policies
from billing.services import journal, locks

# Who ends what ends by itself, and why a run rests of a customer who is not dunned.
SCHEDULE: Final = "dunning schedule"
NOT_DUNNED: Final = "This customer is not dunned."


def failed(invoice: Invoice, *, is_hard: bool, failures: int, now: datetime) -> datetime | None:
    """A charge was declined: begin a run, if none is; when to charge the same method again.

    In a transaction of the caller's, who holds the lock on the customer, and has written down
    that the attempt failed and the invoice is in error. None: not by itself. What a person
    stopped, and what came to its end, is not begun again.

    :param failures: declines of this method so far, this one included.
    """
    if not policies.is_dunned(invoice.customer_id):
        return None
    run = _latest(invoice)
    if run is None or run.status == DunningStatus.RECOVERED:
        run = begin([invoice], reason=DunningReason.DECLINED, now=now)[0]
    if run.status != DunningStatus.RUNNING:
        return None
    _look_again(run)  # what had to wait for this charge is due now
    return _retry_at(run, failures=failures, failed_at=now, is_hard=is_hard)


def recovered(invoices: Sequence[Invoice], *, now: datetime) -> None:
    """Invoices need no payment any more, however that came about: their runs end.

    In a transaction of the caller's, who holds the locks. Where there are no runs, it costs one
    statement.
    """
    running = DunningRun.objects.filter(
        invoice__in=[invoice.pk for invoice in invoices], status=DunningStatus.RUNNING
    )
    runs = list(running.select_related("invoice"))
    if runs:
        end(runs, DunningStatus.RECOVERED, by=SCHEDULE, now=now)


def begin(invoices: Sequence[Invoice], *, reason: DunningReason, now: datetime) -> list[DunningRun]:
    """Begin runs by the policies that hold now, in a transaction of the caller's."""
    wanted = {row.pk: (row.customer_id, policies.plan_of(row)) for row in invoices}
    found = policies.policies_of(wanted.values())
    runs = []
    for invoice in invoices:
        policy = found[wanted[invoice.pk]]
        runs.append(
            DunningRun(
                invoice=invoice,
                customer_id=invoice.customer_id,
                policy_name=policy.name,
                terms=policy.to_json(),
                reason=reason,
                due_at=dunning.next_at(policy, started_at=now, given=0),
                started_at=now,
            )
        )
    bulk.insert(runs)
    journal.post(*(fact("DUNNING_STARTED", run, key="started", at=now) for run in runs))
    return runs


def end(
    runs: Sequence[DunningRun], status: DunningStatus, *, by: str, now: datetime, note: str = ""
) -> None:
    """Runs are over; in a transaction of the caller's, who holds the locks."""
    for run in runs:
        run.status, run.due_at = status, None
        run.ended_at, run.ended_by, run.note = now, by, note[:255]
    bulk.update(runs, "status", "due_at", "ended_at", "ended_by", "note")
    journal.post(
        *(
            fact("DUNNING_ENDED", run, key="ended", at=now, outcome=run.status, note=run.note)
            for run in runs
        )
    )


@transaction.atomic
def stop(run_id: UUID, *, by: str, now: datetime, note: str = "") -> DunningRun:
    """Leave a customer alone about an invoice: no retry, no notice, no end by itself.

    It stays owed, and can be charged by hand. A new card is charged all the same.

    :raises NotFoundError: if there is no such run.
    :raises ConflictError: if it is not running.
    """
    run = locks.dunning_run(run_id)
    if run.status != DunningStatus.RUNNING:
        raise ConflictError(f"The run is {run.status.lower()}.", code="forbidden_transition")
    _stop([run], by=by, now=run.customer.lives_at(now), note=note)
    return run


@transaction.atomic
def resume(run_id: UUID, *, by: str, now: datetime) -> DunningRun:
    """Go on with what was stopped, where it stood: the days in between do not count.

    :raises NotFoundError: if there is no such run.
    :raises ConflictError: if it was not stopped, nothing is owed any more, or the customer is
        not dunned at all.
    """
    run = locks.dunning_run(run_id)
    if run.status != DunningStatus.STOPPED:
        raise ConflictError(f"The run is {run.status.lower()}.", code="forbidden_transition")
    if run.invoice.status != InvoiceStatus.CHARGED_WITH_ERROR:
        raise ConflictError(
            f"There is nothing to dun: the invoice is {run.invoice.status.lower()}.",
            code="nothing_to_dun",
        )
    if not policies.is_dunned(run.customer_id):
        raise ConflictError(NOT_DUNNED, code="not_dunned")
    _resume(run, by=by, now=run.customer.lives_at(now))
    return run


def rest(customer_id: UUID, *, by: str, now: datetime) -> None:
    """Nothing of a customer is dunned from here on. The caller holds the lock on them."""
    running = DunningRun.objects.filter(customer=customer_id, status=DunningStatus.RUNNING)
    _stop(list(running.select_related("invoice")), by=by, now=now, note=NOT_DUNNED)


def wake(customer_id: UUID, *, by: str, now: datetime) -> None:
    """A customer is dunned again: what rested goes on, and what failed meanwhile begins.

    The caller holds the lock on them. What a person stopped by itself stays so.
    """
    in_error = Invoice.objects.filter(
        customer=customer_id, status=InvoiceStatus.CHARGED_WITH_ERROR
    ).select_related("subscription__plan_version")
    for invoice in in_error.order_by("issued_at"):
        run = _latest(invoice)
        if run is None or run.status == DunningStatus.RECOVERED:
            is_declined = invoice.attempts.filter(status=AttemptStatus.FAILED).exists()
            reason = DunningReason.DECLINED if is_declined else DunningReason.OVERDUE
            (run,) = begin([invoice], reason=reason, now=now)
            _schedule_retry(run, now)
        elif run.status == DunningStatus.STOPPED and run.note == NOT_DUNNED:
            _resume(run, by=by, now=now)


def terms_of(run: DunningRun) -> DunningPolicy:
    """The policy as it was when the run began."""
    return DunningPolicy.from_json(run.terms)


def given(run: DunningRun) -> int:
    """The position of the last notice that was given; 0 where none was."""
    last: int | None = run.notices.aggregate(last=Max("position"))["last"]
    return last or 0


def fact(kind: str, run: DunningRun, *, key: str, at: datetime, **more: Any) -> journal.Fact:
    """Something that was done about an invoice, with the terms it was done by."""
    return journal.Fact(
        kind=kind,
        key=f"dunning:{run.pk}:{key}",
        customer_id=run.customer_id,
        occurred_at=at,
        context={
            "run": str(run.pk),
            "invoice": run.invoice.number,
            "reason": run.reason,
            "terms": run.terms,
            **more,
        },
        source_kind="invoice",
        source_id=run.invoice_id,
    )


def _stop(runs: Sequence[DunningRun], *, by: str, now: datetime, note: str) -> None:
    for run in runs:
        run.status, run.due_at = DunningStatus.STOPPED, None
        run.ended_at, run.ended_by, run.note = now, by, note[:255]
    bulk.update(runs, "status", "due_at", "ended_at", "ended_by", "note")
    Invoice.objects.filter(
        pk__in=[run.invoice_id for run in runs], next_charge_at__isnull=False
    ).update(next_charge_at=None)
    journal.post(
        *(
            fact("DUNNING_STOPPED", run, key=f"stopped:{uuid7()}", at=now, by=by, note=run.note)
            for run in runs
        )
    )


def _resume(run: DunningRun, *, by: str, now: datetime) -> None:
    rested = now - (run.ended_at or now)
    run.status, run.started_at = DunningStatus.RUNNING, run.started_at + rested
    run.ended_at, run.ended_by, run.note = None, "", ""
    run.due_at = dunning.next_at(terms_of(run), started_at=run.started_at, given=given(run))
    run.save(update_fields=["status", "started_at", "ended_at", "ended_by", "note", "due_at"])
    journal.post(
        fact(
            "DUNNING_RESUMED",
            run,
            key=f"resumed:{uuid7()}",
            at=now,
            by=by,
            rested_seconds=int(rested.total_seconds()),
        )
    )
    _schedule_retry(run, now)


def _schedule_retry(run: DunningRun, now: datetime) -> None:
    """Charge again what was last declined, when it would have been, or now."""
    attempts = run.invoice.attempts.filter(status=AttemptStatus.FAILED)
    last = attempts.order_by("-settled_at", "-pk").first()
    if last is None or last.settled_at is None:
        return
    failures = attempts.filter(payment_method=last.payment_method_id).count()
    at = _retry_at(run, failures=failures, failed_at=last.settled_at, is_hard=last.is_hard_decline)
    if at is not None:
        run.invoice.next_charge_at = max(at, now)
        run.invoice.save(update_fields=["next_charge_at"])


def _retry_at(
    run: DunningRun, *, failures: int, failed_at: datetime, is_hard: bool
) -> datetime | None:
    policy = terms_of(run)
    at = dunning.next_attempt(policy, failures=failures, failed_at=failed_at, is_hard=is_hard)
    ends_at = dunning.final_at(policy, run.started_at)
    return None if at is None or at > ends_at else at


def _look_again(run: DunningRun) -> None:
    due_at = dunning.next_at(terms_of(run), started_at=run.started_at, given=given(run))
    if run.due_at != due_at:
        run.due_at = due_at
        run.save(update_fields=["due_at"])


def _latest(invoice: Invoice) -> DunningRun | None:
    run = DunningRun.objects.filter(invoice=invoice).order_by("-pk").first()
    if run is not None:
        run.invoice = invoice
    return run
