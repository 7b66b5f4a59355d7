"""Who the invoices are for."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from billing import clock
from billing.api import downloads
from billing.services import customers
from billing.web import words
from billing.web.forms import DetailsForm
from billing.web.members import Member
from billing.web.pages import form_page, page, see
from customers.models import Customer


@form_page
def details(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the details, and save them unless somebody else has meanwhile."""
    if request.method != "POST":
        form = DetailsForm(initial=DetailsForm.values_of(member.customer))
        return _shown(request, member, form)
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _shown(request, member, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        customers.update(
            member.customer.pk,
            fields=form.fields_of(member.customer),
            by=member.by,
            now=member.customer.lives_at(clock.now()),
            expected_version=form.cleaned_data["version"],
        )
    except ValidationError as error:
        if error.code != "version_mismatch":
            raise
        return _conflict(request, member, form)
    messages.success(request, "Your billing details are saved.")
    return see("billing_details")


@page
def data(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Everything that is held on them, as a file."""
    return downloads.personal(member.customer, now=clock.now())


def _conflict(request: HttpRequest, member: Member, form: DetailsForm) -> HttpResponse:
    """Both are shown: what they typed, and what has been saved meanwhile."""
    current = Customer.objects.readable().get(pk=member.customer.pk)
    again = DetailsForm({**form.cleaned_data, "version": current.version})
    again.is_valid()
    differing = _differences(form, current)
    return _shown(request, member, again, differing=differing, status=HTTPStatus.CONFLICT)


def _differences(form: DetailsForm, current: Customer) -> list[tuple[str, str]]:
    saved = DetailsForm.values_of(current)
    return [
        (str(field.label), saved[name])
        for name, field in form.fields.items()
        if name != "version" and form.cleaned_data[name] != saved[name]
    ]


def _shown(
    request: HttpRequest,
    member: Member,
    form: DetailsForm,
    *,
    differing: Sequence[tuple[str, str]] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    numbers = [(row.value, words.tax_number(row)) for row in member.customer.tax_ids.order_by("pk")]
    context = {"member": member, "form": form, "differing": differing, "numbers": numbers}
    return render(request, "billing/details.html", context, status=status)
