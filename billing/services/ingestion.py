"""Usage as it comes in: counted where it can be, kept where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing.services import rejections, usage
from billing.services.metering import Rejection, Report, Unreadable
from billing.services.usage import Receipt


def take(
    items: Sequence[Report | Unreadable],
    *,
    by: str,
    now: datetime,
    only_customer: UUID | None = None,
) -> Receipt:
    """Count a batch; what is rejected is told by its place in it, and kept.

    The counting is committed before anything is kept, and does not depend on it.

    :param by: who reports, by no name of a person.
    :param only_customer: the one customer the caller may report for; None for any.
    """
    reports = {index: item for index, item in enumerate(items) if isinstance(item, Report)}
    receipt = usage.record(list(reports.values()), now=now, only_customer=only_customer)
    places = list(reports)
    rejected = [
        *(replace(row, index=places[row.index]) for row in receipt.rejected),
        *(
            Rejection(index, item.code, item.detail, item.event_id)
            for index, item in enumerate(items)
            if isinstance(item, Unreadable)
        ),
    ]
    rejected.sort(key=lambda row: row.index)
    rejections.keep(
        [(row, items[row.index]) for row in rejected], by=by, now=now, only_customer=only_customer
    )
    return replace(receipt, rejected=rejected)
