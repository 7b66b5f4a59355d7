"""What the EU's register of VAT numbers (VIES) says of one. It is told the number, and ours."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import requests
from django.conf import settings

from customers import vat

logger = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 3.05
ANSWER_SECONDS: Final = 10
TIMEOUT: Final = "TIMEOUT"
NOT_REACHED: Final = "NOT_REACHED"
_OUR_FAULT: Final = "INVALID_REQUESTER_INFO"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    :param is_valid: None for no answer.
    :param consultation: the number under which VIES remembers having been asked by us.
    :param trouble: why there is no answer, in VIES's word or ours.
    """

    is_valid: bool | None
    consultation: str = ""
    trouble: str = ""

    @property
    def is_silence(self) -> bool:
        """Whether nobody was there at all; asking about other numbers is no use then."""
        return self.trouble in {TIMEOUT, NOT_REACHED}


def is_asked() -> bool:
    """Whether this installation asks VIES at all."""
    return bool(settings.VIES_URL)


def ask(value: str, *, own: str = "") -> Answer:
    """Ask about an EU VAT number. It never raises: what is no answer is said to be none.

    :param own: the VAT number of whoever asks, for a consultation number.
    """
    country, number = vat.in_vies(value)
    body = {"countryCode": country, "vatNumber": number}
    if not own:
        return _asked(body)
    our_country, our_number = vat.in_vies(own)
    ours = {"requesterMemberStateCode": our_country, "requesterNumber": our_number}
    answer = _asked(body | ours)
    if answer.trouble == _OUR_FAULT:
        logger.warning("VIES does not know our own VAT number; it is asked without.")
        return _asked(body)
    return answer


def _asked(body: dict[str, str]) -> Answer:
    url = f"{settings.VIES_URL.rstrip('/')}/check-vat-number"
    patience = (CONNECT_SECONDS, ANSWER_SECONDS)
    try:
        response = requests.post(url, json=body, timeout=patience, allow_redirects=False)
        return _read(response.status_code, response.json())
    except requests.Timeout:
        return Answer(None, trouble=TIMEOUT)
    except ValueError:  # what is no JSON
        return Answer(None, trouble=f"HTTP_{response.status_code}")
    except requests.RequestException:
        return Answer(None, trouble=NOT_REACHED)


def _read(status: int, found: Any) -> Answer:
    """Only a plain yes or no is an answer: VIES also says “not valid” of what it could not ask."""
    if not isinstance(found, dict):
        return Answer(None, trouble="NOT_UNDERSTOOD")
    trouble = _trouble(found)
    if status != requests.codes.ok or trouble or not isinstance(found.get("valid"), bool):
        return Answer(None, trouble=trouble or f"HTTP_{status}")
    return Answer(found["valid"], consultation=str(found.get("requestIdentifier") or "")[:64])


def _trouble(found: dict[str, Any]) -> str:
    """The code of what went wrong; empty if nothing did."""
    wrappers = found.get("errorWrappers")
    if isinstance(wrappers, list) and wrappers and isinstance(wrappers[0], dict):
        return str(wrappers[0].get("error") or "UNKNOWN")[:64]
    said = str(found.get("userError") or "VALID")
    return "" if said in {"VALID", "INVALID"} else said[:64]
