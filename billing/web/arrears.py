"""Unpaid invoices in the words that customers read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from billing.core import dunning
from billing.core.dunning import FinalAct
from billing.core.money import Money
from billing.models import Invoice
from billing.queries.arrears import Arrear
from billing.templatetags.dates import day, moment
from billing.web import words


@dataclass(frozen=True, slots=True)
class Shown:
    """One unpaid invoice: what was tried and what comes, sentence by sentence."""

    invoice: Invoice
    owed: Money
    tried: list[str]
    comes: list[str]


def shown(arrear: Arrear) -> Shown:
    """What the page says of it."""
    tried = [
        f"{day(attempt.settled_at or attempt.created_at)}: {words.attempt(attempt)}"
        for attempt in arrear.declined
    ]
    return Shown(arrear.invoice, arrear.owed, tried, list(_comes(arrear)))


def _comes(arrear: Arrear) -> Iterator[str]:
    at = arrear.invoice.next_charge_at
    if at is not None:
        yield f"We try again on {moment(at)}."
    elif arrear.declined:
        yield "We do not try again by ourselves."
    terms = arrear.terms
    if arrear.run is not None and terms is not None and terms.final_act in _ENDS:
        ends_at = dunning.final_at(terms, arrear.run.started_at)
        if arrear.invoice.subscription_id is not None:
            yield f"If it is not paid by {moment(ends_at)}, {_ENDS[terms.final_act]}."


_ENDS: Final = {
    FinalAct.PAUSE: "your plan is paused",
    FinalAct.CANCEL: "your plan ends",
    FinalAct.WRITE_OFF: "your plan ends",
}
