"""What PayPal's search of transactions knows under a reference of ours.

It lags: a payment may take up to three hours to appear. PayPal keeps the key of an order for six.
So whichever of the two has forgotten or not yet heard, the other knows; that is why a payment that
may have been sent is looked for here first and then sent again under its own key.

There is no search by reference. What is listed is a stretch of time, from when the reference was
made (it tells, if it is a version 7 UUID) or else the last month.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from billing import clock
from billing.gateways import references
from billing.gateways.paypal.client import Client, Fields

PAYMENT: Final = "T00"  # how the codes of payments begin
REFUND: Final = "T11"  # and of what went back
_TRANSACTIONS: Final = "/v1/reporting/transactions"
_LONGEST: Final = timedelta(days=31)
_CLOCKS_DIFFER: Final = timedelta(hours=1)
_KEPT: Final = timedelta(days=3 * 365)
_PAGE: Final = 500


def transactions(client: Client, reference: str, currency: str, sort: str) -> Iterator[str]:
    """The ids of those that bear the reference, those that moved money first.

    :raises RefusedError: also if the app at PayPal may not search.
    """
    now = clock.now()
    start, found = _begun(reference, now), []
    while start < now:
        end = min(start + _LONGEST, now)
        found += [one for one in _listed(client, start, end, currency) if _bears(one, reference)]
        start = end
    of_sort = [one for one in found if str(one.get("transaction_event_code")).startswith(sort)]
    of_sort.sort(key=lambda one: one.get("transaction_status") == "D")  # denied
    return (str(one["transaction_id"]) for one in of_sort)


def instant(at: datetime) -> str:
    """A point in time, as PayPal's queries take it; to the millisecond, for so events are told."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _listed(client: Client, start: datetime, end: datetime, currency: str) -> Iterator[Fields]:
    page, pages = 1, 1
    while page <= pages:
        query = {
            "start_date": instant(start),
            "end_date": instant(end),
            "transaction_currency": currency,
            "fields": "transaction_info",  # nothing of the payer
            "balance_affecting_records_only": "N",
            "page_size": str(_PAGE),
            "page": str(page),
        }
        answer = client.get(_TRANSACTIONS, query)
        for found in answer.get("transaction_details") or []:
            yield found.get("transaction_info") or {}
        page, pages = page + 1, int(answer.get("total_pages") or 1)


def _bears(info: Fields, reference: str) -> bool:
    return reference in {info.get("custom_field"), info.get("invoice_id")}


def _begun(reference: str, now: datetime) -> datetime:
    made_at = references.made_at(reference)
    return now - _LONGEST if made_at is None else max(made_at - _CLOCKS_DIFFER, now - _KEPT)
