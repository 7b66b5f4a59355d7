"""What the network tells of a request that failed, as `requests` says it."""

from __future__ import annotations

import requests
from urllib3.exceptions import NewConnectionError


def never_left(error: BaseException | None) -> bool:
    """Whether there was no connection to send over: refused, not in time, or no such name.

    A connection that broke proves nothing, nor does one that a proxy would not make.
    """
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
