"""The page of one thing to do: what is entered, the invoices that would come, and then the deed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from billing import clock, tasks
from billing.admin import cells, change_words
from billing.admin.base import BooksAdmin, by, refusal
from billing.admin.change_forms import StepForm
from billing.core import schedule
from billing.core.errors import BillingError
from billing.core.forecast import Foreseen
from billing.core.invoicing import Line
from billing.core.money import total
from billing.models import InvoiceLine
from billing.queries import agreements
from billing.services.schedule import ConflictingChangesError

_SEEN: Final = "seen"
_WAITING: Final = "No invoice is in sight; this waits for the next one"
_GIVEN_BACK: Final = "At once, by a credit note, with its tax"
_CHANGED: Final = (
    "What was entered, or the subscription, has changed since the preview. This is how it is now."
)


@dataclass(frozen=True, slots=True)
class ForeseenLine:
    """A line as it is shown; without a discount, an empty one."""

    description: str
    explanation: str
    discount: object
    amount: object


@dataclass(frozen=True, slots=True)
class ForeseenInvoice:
    """An invoice that would come."""

    title: str
    lines: Sequence[ForeseenLine]
    total: object


def answer(pages: BooksAdmin, request: HttpRequest, row: Model, form: StepForm) -> HttpResponse:
    """The page, with a preview of what is entered; or, once that was seen, do it and go back.

    What is refused is told with every contradiction, and nothing is done.
    """
    foreseen: list[ForeseenInvoice] | None = None
    if form.is_bound and form.is_valid():
        is_meant = "do" in request.POST
        if is_meant and request.POST.get(_SEEN) == entered(form):
            if _carry_out(pages, request, row, form):
                return HttpResponseRedirect(cells.page_of(pages.model, row.pk))
        else:
            if is_meant:
                messages.warning(request, _CHANGED)
            foreseen = _foresee(request, form)
    context = {
        **pages.admin_site.each_context(request),
        "opts": pages.opts,
        "original": row,
        "title": f"{form.title}: {form.subscription.plan_name}",
        "back": cells.page_of(pages.model, row.pk),
        "customer": cells.link(form.subscription.customer),
        "present": cells.instant(form.present),
        "form": form,
        "foreseen": foreseen,
        "seen": entered(form) if foreseen is not None else "",
    }
    return TemplateResponse(request, "admin/billing/change.html", context)


def entered(form: StepForm) -> str:
    """What was entered, and over what, in short: what was previewed is what is done, and once."""
    values = {field.name: str(field.value() or "") for field in form}
    values["version"] = str(form.subscription.version)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _carry_out(pages: BooksAdmin, request: HttpRequest, row: Model, form: StepForm) -> bool:
    try:
        done = form.carry_out(by=by(request), now=clock.now())
    except (BillingError, ValidationError) as error:
        _tell(request, error)
        return False
    tasks.collect_open(form.subscription.customer_id)
    pages.log_change(request, row, done)
    messages.success(request, done)
    return True


def _foresee(request: HttpRequest, form: StepForm) -> list[ForeseenInvoice] | None:
    try:
        contradictions = _contradictions(form)
        found = [] if contradictions else _found(form)
    except (BillingError, ValidationError) as error:
        _tell(request, error)
        return None
    for text in contradictions:
        messages.error(request, text)
    return None if contradictions else found


def _found(form: StepForm) -> list[ForeseenInvoice]:
    """The invoices; where none is in sight, what waits for one."""
    found = [_shown(each, form.present) for each in form.foresee()]
    waiting = [] if found else form.leave(now=clock.now())
    if not waiting:
        return found
    whole = total((line.amount for line in waiting), waiting[0].currency)
    title = _GIVEN_BACK if any(line.credit_note_id for line in waiting) else _WAITING
    return [ForeseenInvoice(title, [_line(line) for line in waiting], cells.money(whole))]


def _contradictions(form: StepForm) -> list[str]:
    """All of them; a preview stops at the first."""
    if form.wanted is None:
        return []
    standing = agreements.standing(form.subscription)
    asked = form.wanted(standing.agreement)
    pairs = [(standing.change(row), row) for row in standing.pending]
    steps = schedule.timeline(standing.agreement, [change for change, _ in pairs] + [asked])
    rows = {id(change): row for change, row in pairs}
    return [
        change_words.contradiction(step.conflict, rows.get(id(step.change)))
        for step in steps
        if step.conflict is not None
    ]


def _tell(request: HttpRequest, error: BillingError | ValidationError) -> None:
    if isinstance(error, ConflictingChangesError):
        for text in change_words.contradictions(error):
            messages.error(request, text)
    else:
        messages.error(request, refusal(error))


def _shown(found: Foreseen, present: datetime) -> ForeseenInvoice:
    at = cells.instant(found.at)
    return ForeseenInvoice(
        title=f"At once, {at}" if found.at <= present else at,
        lines=[_line(line) for line in found.bill.lines],
        total=cells.money(found.bill.total),
    )


def _line(line: Line | InvoiceLine) -> ForeseenLine:
    discount = cells.money(-line.discount) if line.discount.minor else ""
    net = cells.money(line.amount - line.discount)
    return ForeseenLine(line.description, line.explanation, discount, net)
