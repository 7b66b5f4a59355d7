"""Usage from a file: the same formats, the same parsers and the same service as over the API."""

from __future__ import annotations

from typing import Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing import clock, tasks
from billing.admin import cells
from billing.admin.base import BooksAdmin, by
from billing.admin.form_page import DeedForm, put_at_fields
from billing.admin.tables import Table
from billing.api.parsing import MAX_BODY
from billing.api.usage_formats import CsvParser
from billing.api.usage_reading import items
from billing.core.errors import BillingError
from billing.models import RejectedUsage, UsageEvent
from billing.queries import prepaid
from billing.services import ingestion
from billing.services.usage import Receipt, Report

_SHOWN: Final = 100  # rejections on the page; all of them are in their list
_REJECTED: Final = ("#Row", "Event id", "Code", "Why")


class UploadForm(DeedForm):
    """Which file."""

    title = "Upload usage"
    about = (
        "A CSV file whose first row names id, customer, meter and quantity, and occurred_at if the"
        " events happened before; any other column is a property. Up to 5,000 events. An event"
        " that was reported before is counted once. What cannot be counted is listed and kept."
    )
    file = forms.FileField(label="File", help_text="CSV in UTF-8, with commas, semicolons or tabs.")

    def clean_file(self) -> File[bytes]:
        """No larger than over the API."""
        file: File[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BODY:
            raise forms.ValidationError(f"At most {MAX_BODY:,} bytes.")
        return file

    def take(self, *, by: str) -> Receipt:
        """Count what the file says.

        :raises BillingError: if it is no such file.
        """
        body = self.cleaned_data["file"].read()
        found = items(CsvParser().read(body, {})["events"])
        receipt = ingestion.take(found, by=by, now=clock.now())
        customers = {item.customer for item in found if isinstance(item, Report)}
        tasks.draw_soon(prepaid.prepaying(customers))
        return receipt


def answer(pages: BooksAdmin, request: HttpRequest) -> HttpResponse:
    """The form; or, once it is filled in, what became of the events."""
    if not pages.has_act_permission(request):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    receipt = None
    if form.is_bound and form.is_valid():
        try:
            receipt = form.take(by=by(request))
        except BillingError as error:
            put_at_fields(form, error)
    context = {
        **pages.admin_site.each_context(request),
        "opts": pages.opts,
        "title": form.title,
        "form": form if receipt is None else UploadForm(),
        "back": cells.list_of(UsageEvent),
        "receipt": receipt,
        "tables": [] if receipt is None else _rejected(receipt),
    }
    return TemplateResponse(request, "admin/billing/usage_upload.html", context)


def _rejected(receipt: Receipt) -> list[Table]:
    """By the number of the row among those of events, the first being 1."""
    rows = [
        [row.index + 1, cells.code(row.event_id), row.code, row.detail]
        for row in receipt.rejected[:_SHOWN]
    ]
    more = f"{cells.list_of(RejectedUsage)}?status=open"
    return [Table(RejectedUsage, "Not counted", _REJECTED, rows, more)] if rows else []
