"""What happened, told again: for the case that PayPal's notifications were lost.

PayPal lists the events that it had to tell. An event holds the object as it was then, so each
object that is named is fetched once, as it is now. How far back the list reaches is not documented;
set-ups are not in it (see `setups`), and neither are payments that were refused, which leave
nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from billing import clock
from billing.gateways.base import Fact
from billing.gateways.paypal import events, search
from billing.gateways.paypal.client import Client, Fields

_EVENTS: Final = "/v1/notifications/webhooks-events"
_PAGE: Final = "100"
# In this order, for disputes are about charges, and charges are made with methods.
_TYPES: Final = ("payment_token", "capture", "refund", "dispute")


def recall(
    client: Client, since: datetime, fetch: Callable[[str, str], Fact | None]
) -> Iterator[Fact]:
    """Methods, charges, refunds and disputes of which something was told since then."""
    named = dict.fromkeys(events.resource(event) for event in _told(client, since))
    known = [about for about in named if about[0] in _TYPES and about[1]]
    for object_type, object_id in sorted(known, key=lambda about: _TYPES.index(about[0])):
        fact = fetch(object_type, object_id)
        if fact is not None:
            yield fact


def _told(client: Client, since: datetime) -> Iterator[Fields]:
    """Page by page; a page is asked for at most once, whatever the links say."""
    now = clock.now()
    if since >= now:
        return
    query: Mapping[str, str] | None = {
        "start_time": search.instant(since),
        "end_time": search.instant(now),
        "page_size": _PAGE,
    }
    asked: list[Mapping[str, str]] = []
    while query is not None and query not in asked:
        asked.append(query)
        page = client.get(_EVENTS, query)
        yield from page.get("events") or []
        query = _next(page)


def _next(page: Fields) -> Mapping[str, str] | None:
    """The query of the next page: only that is taken of a link, never where it leads."""
    for link in page.get("links") or []:
        if link.get("rel") in {"next", "next_page"}:
            return dict(parse_qsl(urlsplit(str(link.get("href") or "")).query))
    return None
