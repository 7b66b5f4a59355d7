"""Classes of calls to the API, each with a limit of its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RateClass(StrEnum):
    """READ, WRITE: by the method, where nothing else is said. USAGE: events that come in.
    CHECK: entitlements, which are asked for with every step of somebody's program. REPORT: what
    takes the database long. ANONYMOUS: calls without a valid token, by address.
    """

    READ = "read"
    WRITE = "write"
    USAGE = "usage"
    CHECK = "check"
    REPORT = "report"
    ANONYMOUS = "anonymous"


# Stripe lets 100 calls a second through, and 1,000 of usage events; Chargebee gives its largest
# customers 3,500 a minute. These are Stripe's over a whole minute, so that a burst is no fault:
# what they stop runs wild. A report costs as much as hundreds of reads. Without a token there is
# little to be had, but a whole office may share an address.
DEFAULTS: Final[Mapping[RateClass, str]] = {
    RateClass.READ: "6000/minute",
    RateClass.WRITE: "6000/minute",
    RateClass.USAGE: "60000/minute",
    RateClass.CHECK: "60000/minute",
    RateClass.REPORT: "600/minute",
    RateClass.ANONYMOUS: "3000/minute",
}


def complete(given: Mapping[str, str]) -> dict[RateClass, str]:
    """The limits that are given, and the defaults of all others.

    :raises ValueError: if there is no such class.
    """
    return {**DEFAULTS, **{RateClass(name): text for name, text in given.items()}}
