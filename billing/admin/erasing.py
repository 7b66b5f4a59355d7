"""What an operator does when somebody asks for their data, or to be forgotten."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from billing import clock
from billing.admin import tables
from billing.admin.base import OperatorAdmin, by
from billing.admin.theme import dialog_action, page_action
from billing.api import downloads
from billing.services import erasure
from customers.models import BillingDetails, Customer


class PersonAdmin(OperatorAdmin):
    """The pages of those who are somebody."""

    actions_detail: tuple[str, ...] = ("export", "erase")

    def is_offered(self, action: str, obj: Customer) -> bool:
        """Nobody is erased twice."""
        return action != "erase" or obj.erased_at is None

    @page_action("Export their data", icon="download")
    def export(self, request: HttpRequest, object_id: str) -> Any:
        """Everything that is held on them, for those who may view who they are."""
        return _exported(request, object_id)

    @dialog_action(
        "Erase the person",
        "Their details, users, tax numbers and payment methods are deleted for good. Invoices and"
        " the journal stay, as law requires. This cannot be undone.",
        icon="person_remove",
        is_danger=True,
    )
    def erase(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Erase the person, and not the books."""

        def command(customer: Customer) -> str:
            erasure.erase(customer.pk, by=by(request), now=clock.now())
            customer.refresh_from_db()  # the log names it as it is called now
            return "The person was erased."

        return self.act(request, object_id, command)


def _exported(request: HttpRequest, object_id: str) -> HttpResponseBase:
    if not tables.may_view(BillingDetails, request.user):
        raise PermissionDenied
    customer = get_object_or_404(Customer, pk=object_id)
    return downloads.personal(customer, now=clock.now())
