"""The page from which an operator takes the books away, as files."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from billing.admin import tables
from billing.admin.theme import dress
from billing.api import downloads
from billing.models import Invoice, JournalEntry
from billing.queries import exports
from billing.queries.exports import Documents, Form, Selection

PATH: Final = "export/"
NAME: Final = "billing_exports"
_TOTALS: Final = "TOTALS"
_INVOICES: Final = "INVOICES"
_JOURNAL: Final = (
    (Form.CSV.value, "Journal: a row for each posting (CSV)"),
    (Form.JSONL.value, "Journal: a line for each fact (JSON Lines)"),
    (Form.BEANCOUNT.value, "Journal: for beancount"),
    (_TOTALS, "Totals of each account in the month of the first day (CSV)"),
)
_DOCUMENTS: Final = ((_INVOICES, "Invoices and credit notes (ZIP)"),)


class ExportForm(forms.Form):
    """What, and of when. Days are in UTC."""

    what = forms.ChoiceField()
    start = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    end = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="That day is not included.",
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what = self.fields["what"]
        assert isinstance(what, forms.ChoiceField)  # noqa: S101  # it is declared above
        what.choices = choices
        for field in self.fields.values():
            dress(field)

    def clean(self) -> dict[str, Any]:
        """A month has a first day, and time goes forwards."""
        fields = super().clean() or {}
        start, end = fields.get("start"), fields.get("end")
        if fields.get("what") == _TOTALS and start is None:
            self.add_error("start", "Say which month, by a day of it.")
        if start is not None and end is not None and end <= start:
            self.add_error("end", "Later than the first day.")
        return fields


def page(request: HttpRequest) -> HttpResponseBase:
    """The form; or, once it is filled in, the file."""
    choices = _choices(request)
    if not choices:
        raise PermissionDenied
    form = ExportForm(request.GET or None, choices=choices)
    if form.is_valid():
        return _file(**form.cleaned_data)
    context = {**admin.site.each_context(request), "title": "Exports", "form": form}
    return TemplateResponse(request, "admin/billing/exports.html", context)


def _choices(request: HttpRequest) -> list[tuple[str, str]]:
    """What the user may view, and therefore take away."""
    journal = _JOURNAL if tables.may_view(JournalEntry, request.user) else ()
    documents = _DOCUMENTS if tables.may_view(Invoice, request.user) else ()
    return [*journal, *documents]


def _file(what: str, start: date | None, end: date | None) -> HttpResponseBase:
    since, until = _midnight(start), _midnight(end)
    if what == _TOTALS and start is not None:
        return downloads.totals(start, exports.of_month(start))
    if what == _INVOICES:
        return downloads.archive(Documents(since, until))
    return downloads.journal(Selection(since, until), Form(what))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, UTC)
