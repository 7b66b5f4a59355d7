"""A page of its own for what a dialog is too small for: a form, one service call, the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from billing.admin import cells
from billing.admin.base import OperatorAdmin
from billing.admin.theme import dress
from billing.core.errors import BillingError


class DeedForm(forms.Form):
    """What is asked before something is done; `about` says what it does."""

    title: ClassVar[str]
    about: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)


def answer(
    pages: OperatorAdmin,
    request: HttpRequest,
    form: DeedForm,
    command: Callable[[], tuple[Model, str]],
    *,
    back: str,
) -> HttpResponse:
    """The page; or, once it is filled in, do it and go to what it was done to.

    :param command: calls a service; the row, and the sentence that says it is done.
    """
    if form.is_bound and form.is_valid():
        try:
            row, done = command()
        except BillingError as error:
            put_at_fields(form, error)
        else:
            pages.log_change(request, row, done)
            messages.success(request, done)
            return HttpResponseRedirect(cells.page_of(type(row), row.pk))
    return shown(pages, request, form, back=back)


def shown(pages: OperatorAdmin, request: HttpRequest, form: DeedForm, *, back: str) -> HttpResponse:
    """The page, with what is wrong with what was entered."""
    context = {
        **pages.admin_site.each_context(request),
        "opts": pages.opts,
        "title": form.title,
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/billing/form.html", context)


def put_at_fields(form: forms.BaseForm, error: BillingError) -> None:
    """Show a service's refusal at the fields that it names."""
    for name, sentences in error.errors.items():
        form.add_error(name if name in form.fields else None, sentences)
    if not error.errors:
        form.add_error(None, error.detail)
