"""Usage that was rejected: kept, tried again, dismissed, and forgotten in time.

A retry is the same report once more. Its age is judged by when it came first: what was on time
then is taken, however long it took to make its customer or its meter known; what was too old then
stays so, unless an operator says that any age is taken. It gives nobody more rights than they had:
what a token reported that is for one customer is only ever counted for that one.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from billing.core import figures
from billing.core.errors import ConflictError, NotFoundError
from billing.models import RejectedUsage, UsageEvent, bulk
from billing.models.rejection import Resolution
from billing.services import journal, metering, usage
from billing.services.metering import TOO_OLD, Rejection, Report, Unreadable

logger = logging.getLogger(__name__)

AT_ONCE: Final = 5000
LATER_REPORT: Final = "a later report"


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of rejected events that were tried again; the three are all of them.

    :param customers: whom the events name that are counted now.
    :param last: the last one that was tried, where there may be more; None at the end.
    """

    accepted: int
    duplicates: int
    rejected: int
    customers: frozenset[str]
    last: UUID | None


def keep(
    rejected: Sequence[tuple[Rejection, Report | Unreadable]],
    *,
    by: str,
    now: datetime,
    only_customer: UUID | None = None,
) -> None:
    """Keep what was rejected, each event once, all in one statement and a transaction of its own.

    It never fails: what was counted stays counted, and the caller is told of every rejection.
    """
    if not rejected:
        return
    try:
        with transaction.atomic(durable=True):
            _store(rejected, by=by, now=now, only_customer=only_customer)
    except (DatabaseError, RecursionError) as error:  # their texts may hold what was reported
        logger.error("Rejected usage was not kept: %s.", type(error).__name__)  # noqa: TRY400


def retry(
    rows: QuerySet[RejectedUsage],
    *,
    by: str,
    now: datetime,
    is_any_age_taken: bool = False,
    limit: int = AT_ONCE,
) -> Retried:
    """Report rejected events once more, oldest first; what is counted now is resolved by that.

    Of the rows, those that can be tried again and are not resolved yet; others are resolved if
    somebody reported them again, corrected.

    :param is_any_age_taken: whether the operator decides to count what was too old, too.
    """
    settle(rows, now=now)
    open_rows = rows.filter(resolved_at=None, is_retryable=True).order_by("pk")
    found = list(open_rows[: limit + 1])
    has_more, found = len(found) > limit, found[:limit]
    receipt = usage.record(
        [_report_of(row) for row in found], now=now, is_any_age_taken=is_any_age_taken
    )
    again = {row.index: row for row in receipt.rejected}
    counted = [row for index, row in enumerate(found) if index not in again]
    with transaction.atomic():
        _resolve([row.pk for row in counted], Resolution.COUNTED, by=by, now=now)
        if is_any_age_taken:
            journal.post(*_decided(counted, by=by, now=now))
        for index, rejection in again.items():
            row = found[index]
            row.code, row.detail = rejection.code, rejection.detail
            row.customer_id, row.tries = rejection.customer_id, row.tries + 1
        bulk.update([found[index] for index in again], "code", "detail", "customer", "tries")
    return Retried(
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        rejected=len(again),
        customers=frozenset(str(row.customer_id or row.customer_name) for row in counted),
        last=found[-1].pk if has_more else None,
    )


def retry_one(
    rejection_id: UUID, *, by: str, now: datetime, is_any_age_taken: bool = False
) -> Retried:
    """Report one rejected event once more.

    :raises NotFoundError: if there is none.
    :raises ConflictError: if it is resolved, or cannot be tried again.
    """
    row = _named(rejection_id)
    if row.resolved_at is not None:
        raise ConflictError("This event is resolved already.", code="already_resolved")
    if not row.is_retryable:
        raise ConflictError(
            "This event cannot be tried again: it cannot be read, or who reported it may not"
            " report for its customer.",
            code="not_retryable",
        )
    one = RejectedUsage.objects.filter(pk=row.pk)
    return retry(one, by=by, now=now, is_any_age_taken=is_any_age_taken)


def dismiss(rejection_id: UUID, *, by: str, now: datetime) -> None:
    """Let a rejected event be; again is the same as once, and so is one that is resolved.

    :raises NotFoundError: if there is none.
    """
    _resolve([_named(rejection_id).pk], Resolution.DISMISSED, by=by, now=now)


def dismiss_all(rows: QuerySet[RejectedUsage], *, by: str, now: datetime) -> int:
    """Let the rows be that are not resolved yet; how many."""
    return _resolve(list(rows.values_list("pk", flat=True)), Resolution.DISMISSED, by=by, now=now)


def settle(rows: QuerySet[RejectedUsage], *, now: datetime) -> int:
    """Resolve the rows whose events came again in the meantime and were counted; how many."""
    came = UsageEvent.objects.filter(customer=OuterRef("customer"), event_id=OuterRef("event_id"))
    counted = rows.filter(Exists(came), resolved_at=None, customer__isnull=False)
    ids = list(counted.values_list("pk", flat=True))
    return _resolve(ids, Resolution.COUNTED, by=LATER_REPORT, now=now)


def prune(*, now: datetime) -> int:
    """Forget what was last reported longer ago than such things are kept; how many.

    What is left and was counted in the meantime is settled.
    """
    settle(RejectedUsage.objects.all(), now=now)
    before = now - timedelta(days=settings.NOTIFICATION_DAYS)
    gone, _ = RejectedUsage.objects.filter(last_received_at__lt=before).delete()
    return gone


def _named(rejection_id: UUID) -> RejectedUsage:
    row = RejectedUsage.objects.filter(pk=rejection_id).first()
    if row is None:
        raise NotFoundError(f"There is no rejected event {rejection_id}.", code="not_found")
    return row


def _resolve(ids: Sequence[UUID], how: Resolution, *, by: str, now: datetime) -> int:
    rows = RejectedUsage.objects.filter(pk__in=ids, resolved_at=None)
    return rows.update(resolved_at=now, resolved_by=by, resolution=how)


def _decided(rows: Sequence[RejectedUsage], *, by: str, now: datetime) -> Iterator[journal.Fact]:
    """That an operator let what was too old be counted; the events' ids may name people.

    Of the rows, those that were resolved by that, and not by somebody else at the same time.
    """
    ids = [row.pk for row in rows if row.code == TOO_OLD]
    late = list(RejectedUsage.objects.filter(pk__in=ids, resolved_at=now, resolved_by=by))
    payers = metering.payers_named({str(row.customer_id) for row in late}, None, now=now)
    for row in late:
        payer = payers[str(row.customer_id)]
        yield journal.Fact(
            kind="USAGE_COUNTED_LATE",
            key=f"usage_rejection:{row.pk}:{row.tries}:counted",
            customer_id=payer.pk,
            occurred_at=payer.present,
            context={
                "rejection": str(row.pk),
                "meter": row.meter_code,
                "quantity": row.event["quantity"],
                "occurred_at": row.event["occurred_at"],
                "by": by,
            },
        )


def _store(
    rejected: Sequence[tuple[Rejection, Report | Unreadable]],
    *,
    by: str,
    now: datetime,
    only_customer: UUID | None,
) -> None:
    named = {item.customer for _, item in rejected if isinstance(item, Unreadable)}
    payers = metering.payers_named(named - {""}, only_customer, now=now)
    rows: dict[str, tuple[Any, ...]] = {}
    tries: dict[str, int] = {}
    for rejection, item in rejected:
        payer = payers.get(item.customer)
        whose = rejection.customer_id or (payer and payer.pk)
        may_report = only_customer is None or whose is not None
        event = _told(item)
        digest = _digest(item, event, only_customer)
        tries[digest] = tries.get(digest, 0) + 1
        rows[digest] = (
            uuid7(),
            digest,
            Jsonb(event),
            isinstance(item, Report) and may_report,
            item.event_id,
            item.customer,
            item.meter,
            whose,
            rejection.index,
            rejection.code,
            rejection.detail,
            tries[digest],
        )
    columns = zip(*(rows[digest] for digest in sorted(rows)), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [by, now, now, *map(list, columns)])


def _told(item: Report | Unreadable) -> Any:
    """An event as JSON has it: what came, or the report in the API's own terms."""
    if isinstance(item, Unreadable):
        return json.loads(json.dumps(item.event, default=str))
    return {
        "id": item.event_id,
        "customer": item.customer,
        "meter": item.meter,
        "quantity": figures.plain(item.quantity),
        "occurred_at": item.occurred_at and item.occurred_at.isoformat(),
        "properties": dict(item.properties or {}),
    }


def _report_of(row: RejectedUsage) -> Report:
    """What `_told` told, of the customer that it was known to be of."""
    told: dict[str, Any] = row.event
    occurred_at = told["occurred_at"]
    return Report(
        event_id=told["id"],
        customer=str(row.customer_id or told["customer"]),
        meter=told["meter"],
        quantity=Decimal(told["quantity"]),
        occurred_at=occurred_at and datetime.fromisoformat(occurred_at),
        properties=told["properties"],
        received_at=row.received_at,
    )


def _digest(item: Report | Unreadable, event: Any, only_customer: UUID | None) -> str:
    """What makes two events the same: what they say they are, or else all that they say.

    Nobody may put another event in the place of one that they could not have reported.
    """
    named = [str(only_customer or ""), item.customer, item.event_id, item.meter]
    whole = json.dumps(named if item.event_id else [*named, event], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


# An event that comes again is open again, whatever became of it before.
_KEEP: Final = """
INSERT INTO billing_rejectedusage AS kept
       (id, digest, event, is_retryable, event_id, customer_name, meter_code, customer_id, index,
        code, detail, tries, reported_by, received_at, last_received_at, resolved_by, resolution)
SELECT row.*, %s, %s, %s, '', ''
  FROM unnest(%s::uuid[], %s::text[], %s::jsonb[], %s::boolean[], %s::text[], %s::text[],
              %s::text[], %s::uuid[], %s::integer[], %s::text[], %s::text[], %s::integer[]) AS row
ON CONFLICT (digest) DO UPDATE
   SET event = excluded.event, is_retryable = excluded.is_retryable,
       customer_id = excluded.customer_id, index = excluded.index,
       code = excluded.code, detail = excluded.detail, tries = kept.tries + excluded.tries,
       reported_by = excluded.reported_by, last_received_at = excluded.last_received_at,
       resolved_at = NULL, resolved_by = '', resolution = ''
"""
