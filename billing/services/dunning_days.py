"""What is done about unpaid invoices by the day: they fall overdue, are reminded of, and end.

Each invoice is a transaction of its own. Two sweepers at once do everything once: the second
waits for the customer, looks again, and finds nothing due.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from billing.core import dunning as rules
from billing.core import lifecycle, postings
from billing.core.changes import Act
from billing.core.dunning import Due, DunningReason, DunningStatus, FinalAct
from billing.core.errors import FAULTS, BillingError, words
from billing.core.lifecycle import InvoiceStatus
from billing.core.money import Money
from billing.models import DunningNotice, DunningRun, Invoice, Subscription
from billing.queries import balances, instalments
from billing.queries import dunning as policies
from billing.services import announcing, dunning, journal, locks, schedule, settling
from billing.services.dunning import SCHEDULE
from billing.services.schedule import Wish
from customers.models import TestClock
from plans.terms import ChangeTime

logger = logging.getLogger(__name__)

BATCH: Final = 500
# What cannot be done yet, because a charge is under way, or at all, is looked at again then.
AGAIN_AFTER: Final = timedelta(days=1)


def overdue(*, now: datetime, clock: TestClock | None = None, limit: int = BATCH) -> int:
    """Begin to dun what nobody has paid in time; how many.

    :param clock: whose customers; None for all who live in real time.
    """
    late = policies.overdue(now, clock).order_by("due_at")[:limit]
    keys = list(late.values_list("pk", flat=True))
    return sum(_fall_overdue(invoice_id, now=now, clock=clock) for invoice_id in keys)


def step(*, now: datetime, clock: TestClock | None = None, limit: int = BATCH) -> int:
    """Do what is due of the runs: notices, and how they end; how many were looked at.

    Notices are mailed by the workers, payment attempts that come of an end collected by them.

    :param clock: as for `overdue`.
    """
    due = policies.due_runs(now, clock).order_by("due_at")[:limit]
    keys = list(due.values_list("pk", flat=True))
    for run_id in keys:
        try:
            _take(run_id, now=now)
        except FAULTS:
            logger.exception("A dunning run is put off: %s", run_id)
            DunningRun.objects.filter(pk=run_id, status=DunningStatus.RUNNING).update(
                due_at=now + AGAIN_AFTER
            )
    return len(keys)


@transaction.atomic(durable=True)
def _fall_overdue(invoice_id: UUID, *, now: datetime, clock: TestClock | None) -> bool:
    invoice = locks.invoice(invoice_id)
    if not policies.overdue(now, clock).filter(pk=invoice_id).exists():
        return False
    present = invoice.customer.lives_at(now)
    invoice.status = lifecycle.INVOICE.after(invoice.status, "fail")
    invoice.version += 1
    invoice.save(update_fields=["status", "version"])
    announcing.of_invoices("overdue", [invoice], at=present)
    dunning.begin([invoice], reason=DunningReason.OVERDUE, now=present)
    settling.fall_past_due(invoice, present)
    return True


@transaction.atomic(durable=True)
def _take(run_id: UUID, *, now: datetime) -> None:
    run = locks.dunning_run(run_id)
    present = run.customer.lives_at(now)
    if run.due_at is None or run.due_at > present:
        return
    if run.invoice.attempts.in_flight().exists():
        _put_off(
            run, present + AGAIN_AFTER
        )  # or until the charge is declined: see `dunning.failed`
        return
    [(_, asked)] = instalments.due_on([run.invoice], now=present)
    if not asked:  # what was late is paid; further parts are not due yet
        dunning.end([run], DunningStatus.RECOVERED, by=SCHEDULE, now=present)
        return
    policy, given = dunning.terms_of(run), dunning.given(run)
    due = rules.due(policy, started_at=run.started_at, given=given, now=present)
    if due.position is not None:
        _give_notice(run, due.position, asked, now=present)
    if due.is_final:
        _finish(run, policy.final_act, now=present)
    else:
        _look_again(run, due, given)


def _look_again(run: DunningRun, due: Due, given: int) -> None:
    policy = dunning.terms_of(run)
    at = rules.next_at(policy, started_at=run.started_at, given=due.position or given)
    _put_off(run, at)


def _put_off(run: DunningRun, until: datetime) -> None:
    run.due_at = until
    run.save(update_fields=["due_at"])


def _give_notice(run: DunningRun, position: int, asked: Money, *, now: datetime) -> None:
    said = dunning.terms_of(run).notices[position - 1]
    values = _values(run, asked)
    notice = DunningNotice.objects.create(
        run=run,
        position=position,
        subject=rules.fill(said.subject, values)[:255],
        text=rules.fill(said.text, values),
        created_at=now,
    )
    journal.post(
        dunning.fact(
            "DUNNING_NOTICE",
            run,
            key=f"notice:{position}",
            at=now,
            notice=notice.pk,
            position=position,
            after_days=said.after_days,
            owed=str(asked),
        )
    )


def _values(run: DunningRun, asked: Money) -> Mapping[str, str]:
    """What the placeholders of a notice stand for."""
    invoice, policy = run.invoice, dunning.terms_of(run)
    since = None if invoice.subscription is None else invoice.subscription.past_due_at
    until = rules.grace_ends(policy, since or run.started_at)
    days = {
        "due_on": invoice.due_at,
        "next_charge_on": invoice.next_charge_at,
        "access_until": until,
        "final_on": rules.final_at(policy, run.started_at),
    }
    zone = run.customer.zone
    return {
        **{
            name: "–" if at is None else f"{at.astimezone(zone):%-d %B %Y}"
            for name, at in days.items()
        },
        "number": invoice.number or "",
        "amount": str(asked),
        "total": str(invoice.total),
        "seller": " ".join(str(invoice.seller.get("name", "")).split()),
        "url": f"{settings.PUBLIC_URL}{reverse('invoice', args=[invoice.pk])}",
    }


def _finish(run: DunningRun, act: FinalAct, *, now: datetime) -> None:
    """The last act, and the end of the run whether or not that could be done."""
    fault = ""
    try:
        with transaction.atomic():
            _act(run.invoice, act, now=now)
    except BillingError as error:
        fault = f"Could not {act.replace('_', ' ').lower()}: {words(error)}"
    Invoice.objects.filter(pk=run.invoice_id).update(next_charge_at=None)
    dunning.end([run], DunningStatus.EXHAUSTED, by=SCHEDULE, now=now, note=fault)


def _act(invoice: Invoice, act: FinalAct, *, now: datetime) -> None:
    if act in _ENDS and invoice.subscription_id is not None:
        _end_subscription(invoice.subscription_id, _ENDS[act], now=now)
    if act == FinalAct.WRITE_OFF:
        write_off(invoice, by=SCHEDULE, now=now)


def _end_subscription(subscription_id: UUID, act: Act, *, now: datetime) -> None:
    """Pause or cancel it, unless somebody has."""
    subscription = Subscription.objects.get(pk=subscription_id)
    step_of = {Act.PAUSE: "pause", Act.CANCEL: "cancel"}
    if lifecycle.SUBSCRIPTION.allows(subscription.status, step_of[act]):
        schedule.change(subscription_id, Wish(when=ChangeTime.NOW, act=act), by=SCHEDULE, now=now)


def write_off(invoice: Invoice, *, by: str, now: datetime) -> None:
    """Nobody will pay what is still owed. In a transaction of the caller's, who holds the locks.

    Its dunning run is the caller's to end.

    :raises ConflictError: if it is not in error.
    """
    owed = Money(balances.due_on([invoice])[invoice.pk], invoice.currency)
    invoice.status = lifecycle.INVOICE.after(InvoiceStatus(invoice.status), "write_off")
    invoice.next_charge_at = None
    invoice.version += 1
    invoice.save(update_fields=["status", "next_charge_at", "version"])
    journal.post(
        journal.Fact(
            kind="INVOICE_WRITTEN_OFF",
            key=f"invoice:{invoice.pk}:written_off",
            customer_id=invoice.customer_id,
            occurred_at=now,
            context={"invoice": invoice.number, "amount": str(owed), "by": by},
            postings=postings.written_off(owed),
            invoice_id=invoice.pk,
            source_kind="invoice",
            source_id=invoice.pk,
        )
    )


_ENDS: Final = {
    FinalAct.PAUSE: Act.PAUSE,
    FinalAct.CANCEL: Act.CANCEL,
    FinalAct.WRITE_OFF: Act.CANCEL,
}
