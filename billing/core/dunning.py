"""Failures so far + policy → when to charge again, what to say meanwhile, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from billing.core.errors import InvalidError

MAX_DAYS: Final = 365
MAX_TIMES: Final = 30
MAX_SUBJECT: Final = 200
MAX_TEXT: Final = 5000
# What a notice's text may name. No person: what was said is kept, and details are erased.
PLACEHOLDERS: Final = (
    "number",
    "amount",
    "total",
    "due_on",
    "seller",
    "next_charge_on",
    "access_until",
    "final_on",
    "url",
)
_BRACED: Final = re.compile(r"\{([^{}]*)\}")


class DunningReason(StrEnum):
    """Why an invoice is dunned: its charge failed, or its day passed without a payment."""

    DECLINED = "DECLINED"
    OVERDUE = "OVERDUE"


class DunningStatus(StrEnum):
    """RECOVERED: it was paid or needs no payment. STOPPED: by a person. EXHAUSTED: to its end."""

    RUNNING = "RUNNING"
    RECOVERED = "RECOVERED"
    STOPPED = "STOPPED"
    EXHAUSTED = "EXHAUSTED"


class FinalAct(StrEnum):
    """What becomes of it when nothing has helped; the last two end the subscription too."""

    NOTHING = "NOTHING"
    PAUSE = "PAUSE"
    CANCEL = "CANCEL"
    WRITE_OFF = "WRITE_OFF"


@dataclass(frozen=True, slots=True)
class Notice:
    """What the customer is told so many days after the first failure."""

    after_days: int
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """When a declined charge is tried again, what is said meanwhile, and how it ends.

    :param retry_after_days: days after each soft decline, in order; their number is the retries.
    :param grace_days: how long past due keeps access, from the first failure.
    :param notices: in the order of their days, which count from the first failure.
    :param final_after_days: when it ends, from the first failure, and `final_act` is done.
    """

    retry_after_days: tuple[int, ...] = (1, 3, 5, 7)
    grace_days: int = 7
    notices: tuple[Notice, ...] = ()
    final_act: FinalAct = FinalAct.NOTHING
    final_after_days: int = 30
    name: str = "standard"

    def to_json(self) -> dict[str, Any]:
        """As it is frozen in a run and in the journal."""
        return {
            "name": self.name,
            "retry_after_days": list(self.retry_after_days),
            "grace_days": self.grace_days,
            "notices": notices_to_json(self.notices),
            "final_act": str(self.final_act),
            "final_after_days": self.final_after_days,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DunningPolicy:
        """Read what `to_json` wrote."""
        return cls(
            retry_after_days=tuple(stored["retry_after_days"]),
            grace_days=stored["grace_days"],
            notices=notices_from_json(stored["notices"]),
            final_act=FinalAct(stored["final_act"]),
            final_after_days=stored["final_after_days"],
            name=stored["name"],
        )


@dataclass(frozen=True, slots=True)
class Due:
    """What is due of a run.

    :param position: of the notice to give, if any; of several, the latest, for the others have
        been overtaken by it.
    :param is_final: whether it ends now.
    """

    position: int | None
    is_final: bool


def next_attempt(
    policy: DunningPolicy, *, failures: int, failed_at: datetime, is_hard: bool
) -> datetime | None:
    """When to charge the same payment method again; None when it should not be.

    A hard decline (lost, stolen, closed account) is never retried on the same card; a new card
    is charged at once, which is not for this function to say.

    :param failures: declines so far, this one included.
    """
    if is_hard or failures > len(policy.retry_after_days):
        return None
    return failed_at + timedelta(days=policy.retry_after_days[failures - 1])


def has_grace(policy: DunningPolicy, *, past_due_at: datetime, now: datetime) -> bool:
    """Whether a past-due customer still has access."""
    return now < grace_ends(policy, past_due_at)


def grace_ends(policy: DunningPolicy, past_due_at: datetime) -> datetime:
    """Until when a past-due customer has access."""
    return past_due_at + timedelta(days=policy.grace_days)


def final_at(policy: DunningPolicy, started_at: datetime) -> datetime:
    """When a run ends by itself."""
    return started_at + timedelta(days=policy.final_after_days)


def next_at(policy: DunningPolicy, *, started_at: datetime, given: int) -> datetime:
    """When something is due of a run next.

    :param given: the position of the last notice that was given, from 1; 0 where none was.
    """
    upcoming = policy.notices[given : given + 1]
    days = upcoming[0].after_days if upcoming else policy.final_after_days
    return started_at + timedelta(days=days)


def due(policy: DunningPolicy, *, started_at: datetime, given: int, now: datetime) -> Due:
    """What is due of a run by now.

    :param given: as for `next_at`.
    """
    days = (now - started_at) // timedelta(days=1)
    reached = sum(notice.after_days <= days for notice in policy.notices)
    return Due(
        position=reached if reached > given else None,
        is_final=final_at(policy, started_at) <= now,
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values where a text names them in braces; other braces stay as they are."""
    return _BRACED.sub(lambda found: values.get(found.group(1), found.group(0)), text)


def require_sound(policy: DunningPolicy) -> None:
    """Refuse a policy that makes no sense.

    :raises InvalidError: naming every field at fault.
    """
    errors: dict[str, list[str]] = {}
    for field, is_sound, sentence in (
        ("name", 0 < len(policy.name.strip()) <= 64, "From 1 to 64 characters."),
        ("retry_after_days", len(policy.retry_after_days) <= MAX_TIMES, "At most 30 retries."),
        (
            "retry_after_days",
            all(1 <= days <= MAX_DAYS for days in policy.retry_after_days),
            "From 1 to 365 days each.",
        ),
        ("grace_days", 0 <= policy.grace_days <= MAX_DAYS, "From 0 to 365 days."),
        ("final_after_days", 1 <= policy.final_after_days <= MAX_DAYS, "From 1 to 365 days."),
        ("notices", len(policy.notices) <= MAX_TIMES, "At most 30 notices."),
    ):
        if not is_sound:
            errors.setdefault(field, []).append(sentence)
    if found := _faults_of(policy.notices, policy.final_after_days):
        errors.setdefault("notices", []).extend(found)
    if errors:
        first = next(iter(errors.values()))[0]
        raise InvalidError(
            f"The dunning policy makes no sense: {first}", code="invalid_policy", errors=errors
        )


def notices_to_json(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    """As they are stored."""
    return [
        {"after_days": notice.after_days, "subject": notice.subject, "text": notice.text}
        for notice in notices
    ]


def notices_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Notice, ...]:
    """Read what `notices_to_json` wrote, in the order of their days."""
    found = [Notice(row["after_days"], row["subject"], row["text"]) for row in stored]
    return tuple(sorted(found, key=lambda notice: notice.after_days))


def _faults_of(notices: Sequence[Notice], final_after_days: int) -> list[str]:
    found = []
    for notice in notices:
        if not 0 <= notice.after_days <= final_after_days:
            found.append("A notice is given from day 0 to the last day.")
        if not 0 < len(notice.subject.strip()) <= MAX_SUBJECT or _has_breaks(notice.subject):
            found.append("A subject is one line of up to 200 characters.")
        if not 0 < len(notice.text.strip()) <= MAX_TEXT:
            found.append("A text has up to 5,000 characters.")
        found.extend(
            f"There is no placeholder {{{name}}}."
            for name in _BRACED.findall(notice.subject + notice.text)
            if name not in PLACEHOLDERS
        )
    if len({notice.after_days for notice in notices}) < len(notices):
        found.append("One notice a day at most.")
    return list(dict.fromkeys(found))


def _has_breaks(text: str) -> bool:
    """A header of a mail is one line, whatever counts as its end."""
    return len(text.splitlines()) > 1
