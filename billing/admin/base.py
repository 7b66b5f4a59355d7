"""What all pages share: books that nobody edits, actions that call one service, cheap counting."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from billing.admin import cells, change_words, tables
from billing.admin.tables import Table
from billing.admin.theme import ModelAdmin, Paginator
from billing.api import invoice_files
from billing.core.errors import BillingError
from billing.documents.files import File
from billing.services.schedule import ConflictingChangesError

EXACT_UP_TO: Final = 5000


class EstimatedPaginator(Paginator):
    """Counts few rows exactly and asks the planner about many, so that no list counts millions."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or about how many."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # as lists give it
        exact = rows.order_by()[:EXACT_UP_TO].count()
        if exact < EXACT_UP_TO:
            return exact
        (plan,) = json.loads(rows.order_by().explain(format="json"))
        return max(int(plan["Plan"]["Plan Rows"]), EXACT_UP_TO)


class OperatorAdmin(ModelAdmin):
    """A model's pages for operators. Nothing is deleted and nothing is done in bulk."""

    actions = None
    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 50
    change_form_outer_after_template: str | None = "admin/billing/tables.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: what was, was."""
        return False

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may use the actions: the model's change permission."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def tables(self, obj: Any) -> list[Table]:
        """What is shown beneath the object."""
        return []

    def is_offered(self, action: str, obj: Any) -> bool:
        """Whether an action makes sense for the object as it is; the service has the last word."""
        return True

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons on the object's page."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        obj = self.get_object(request, object_id) if offered else None
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            action
            for action in offered
            if obj is not None and self.is_offered(action.action_name.removeprefix(prefix), obj)
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The object's page; a refusal of a service becomes a message."""
        context = dict(extra_context or {})
        if object_id is not None and request.method == "GET":
            obj = self.get_object(request, object_id)
            if obj is not None and self.has_view_permission(request, obj):
                context |= self.page_context(request, obj)
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except (BillingError, ValidationError) as error:
            self.message_user(request, refusal(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the object's page shows besides its fields."""
        return {"tables": tables.visible(self.tables(obj), request.user)}

    def hand_out(
        self, request: HttpRequest, object_id: str, make: Callable[[Any], File]
    ) -> HttpResponseBase:
        """A file that is made of an object; why there is none is said on its page."""
        try:
            file = make(get_object_or_404(self.model, pk=object_id))
        except BillingError as error:
            self.message_user(request, refusal(error), messages.ERROR)
            return HttpResponseRedirect(cells.page_of(self.model, object_id))
        return invoice_files.answer(request, file)

    def act(
        self, request: HttpRequest, object_id: str, command: Callable[[Any], str]
    ) -> HttpResponse:
        """Do one thing to an object, say what came of it, and go back to its page.

        :param command: calls a service with the object and gives the sentence that says it is done.
        """
        page = cells.page_of(self.model, object_id)
        obj = self.get_object(request, object_id)
        if obj is None:
            self.message_user(request, "It is not there any more.", messages.ERROR)
            return _go_to(request, cells.list_of(self.model))
        try:
            done = command(obj)
        except (BillingError, ValidationError) as error:
            self.message_user(request, refusal(error), messages.ERROR)
        else:
            self.log_change(request, obj, done)
            self.message_user(request, done, messages.SUCCESS)
        return _go_to(request, page)


class BooksAdmin(OperatorAdmin):
    """Rows that only services write: shown in full, never added to, changed or deleted.

    The right to change such a model is the right to use its actions, which call services.
    """

    compressed_fields = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


def by(request: HttpRequest) -> str:
    """Who does it, for services."""
    return f"user:{request.user.pk}"


def refusal(error: BillingError | ValidationError) -> str:
    """What the operator is told: of changes that contradict each other, all of it."""
    if isinstance(error, ConflictingChangesError):
        return " ".join(change_words.contradictions(error))
    return " ".join(error.messages) if isinstance(error, ValidationError) else error.detail


def _go_to(request: HttpRequest, url: str) -> HttpResponse:
    """A dialog is answered by script, which must be told to leave the page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
