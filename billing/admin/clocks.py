"""Test clocks, in sandboxes."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from billing.admin import cells, columns
from billing.admin.base import BooksAdmin
from billing.admin.tables import Table, beginning
from billing.admin.theme import DialogForm, dialog_action, dress
from billing.services import test_clocks
from customers.models import Customer, TestClock


class AdvanceForm(DialogForm):
    """Until when."""

    to = forms.DateTimeField(
        label="Advance to, UTC", help_text="As 2026-05-01 or 2026-05-01 09:30."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["to"])


@admin.register(TestClock)
class TestClockAdmin(BooksAdmin):
    """Times of their own for some customers."""

    list_display = (columns.instant("now", "stands at"), columns.instant("created_at"))
    ordering = ("-pk",)
    actions_detail = ("advance",)
    readonly_fields = list_display
    fields = (readonly_fields,)

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only where test clocks are switched on."""
        return settings.TEST_CLOCKS and super().has_act_permission(request, obj)

    def tables(self, obj: TestClock) -> list[Table]:
        """Who lives by it."""
        rows = Customer.objects.filter(test_clock=obj).order_by("-pk")
        found, more = beginning(rows, test_clock=obj.pk)
        return [
            Table(
                Customer, "Customers", ["Organization"], [[cells.link(row)] for row in found], more
            )
        ]

    @dialog_action(
        "Advance",
        "All that would have happened until then happens now, its charges included.",
        icon="fast_forward",
        form=AdvanceForm,
    )
    def advance(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Let time pass."""

        def command(clock: TestClock) -> str:
            moved = test_clocks.advance(clock.pk, to=form.cleaned_data["to"].astimezone(UTC))
            return f"The clock stands at {cells.instant(moved.now)}."

        return self.act(request, object_id, command)
