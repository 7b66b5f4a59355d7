"""Whether what we asked of Stripe may have been heard.

That is the difference between asking elsewhere and having to wait. One call of ours may be several
requests, and the SDK repeats each by itself, so every single try is watched: as soon as one that
changes something may have arrived, nothing that comes after makes it undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import stripe

from billing.gateways.network import never_left

_TOO_MANY: Final = 429
# The one 429 that is not said at the door: the work had begun, and waited for another in vain.
_BEGUN: Final = b"lock_timeout"


@dataclass(slots=True)
class Ear:
    """What Stripe may have heard since it began to listen."""

    may_have_heard: bool = False

    def is_deaf_to(self, error: stripe.StripeError) -> bool:
        """Whether the error, and all before it, prove that nothing was heard."""
        turned_away = isinstance(error, stripe.RateLimitError) or never_left(error.__cause__)
        return turned_away and not self.may_have_heard


_EAR: ContextVar[Ear | None] = ContextVar("stripe_ear", default=None)


@contextmanager
def listening() -> Iterator[Ear]:
    """Watch what is sent meanwhile, in this thread."""
    ear = Ear()
    before = _EAR.set(ear)
    try:
        yield ear
    finally:
        _EAR.reset(before)


class WatchedClient(stripe.RequestsClient):
    """The SDK's own, which also notes what may have been heard."""

    def request(  # type: ignore[override]  # as the SDK's own, which differs from its base
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Try once, and do not let the SDK try again what never left: others may be asked."""
        try:
            answer = super().request(method, url, headers, post_data)
        except stripe.APIConnectionError as error:
            if never_left(error.__cause__):
                error.should_retry = False
            else:
                _note(method)
            raise
        if answer[1] != _TOO_MANY or _BEGUN in answer[0]:
            _note(method)
        return answer


def _note(method: str) -> None:
    ear = _EAR.get()
    if ear is not None and method.lower() != "get":
        ear.may_have_heard = True
