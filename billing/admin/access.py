"""Who may call the API, and what was answered."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from billing import clock
from billing.admin import cells, columns
from billing.admin.base import BooksAdmin, OperatorAdmin
from billing.admin.theme import ModelForm, dialog_action
from billing.models import ApiRequest, ApiToken
from billing.services import tokens

_STATUS = columns.computed(
    "Status", lambda token: cells.status("REVOKED" if token.revoked_at else "ACTIVE")
)


@admin.register(ApiToken)
class ApiTokenAdmin(OperatorAdmin):
    """Tokens, of which the text is shown once, when they are made."""

    list_display = (
        "name",
        columns.computed("Begins with", lambda token: cells.code(f"{token.prefix}…")),
        "role",
        columns.link("customer"),
        "is_read_only",
        _STATUS,
        columns.instant("created_at"),
    )
    list_select_related = ("customer",)
    list_filter = ("role", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "=prefix", "customer__organization_id")
    ordering = ("-pk",)
    autocomplete_fields = ("customer",)
    actions_detail = ("revoke",)
    fields = ("name", "customer", "is_read_only")
    shown = (
        "name",
        "role",
        columns.link("customer"),
        "is_read_only",
        _STATUS,
        columns.computed("Begins with", lambda token: cells.code(f"{token.prefix}…")),
        columns.instant("created_at"),
        columns.instant("revoked_at"),
    )

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A token is revoked, never changed."""
        return False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[Any, ...]:
        """What a new one needs; of an old one, all but its hash."""
        return self.fields if obj is None else (self.shown[:4], self.shown[4:])

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[Any, ...]:
        """All of an old one."""
        return () if obj is None else self.shown

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiToken,
        form: ModelForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Issue it, and show its text this once."""
        entered = form.cleaned_data
        token, text = tokens.issue(
            entered["name"],
            now=clock.now(),
            customer=entered["customer"],
            is_read_only=entered["is_read_only"],
        )
        obj.pk, obj.prefix = token.pk, token.prefix
        self.message_user(
            request, f"Copy the token now, it is never shown again: {text}", messages.WARNING
        )

    def is_offered(self, action: str, obj: ApiToken) -> bool:
        """Once."""
        return obj.revoked_at is None

    @dialog_action(
        "Revoke",
        "Whoever uses this token is refused from now on. This cannot be undone.",
        icon="key_off",
        is_danger=True,
    )
    def revoke(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Refuse it from now on."""

        def command(token: ApiToken) -> str:
            tokens.revoke(token, now=clock.now())
            return "The token is revoked."

        return self.act(request, object_id, command)


@admin.register(ApiRequest)
class ApiRequestAdmin(BooksAdmin):
    """Which idempotency keys were used. What was answered is the caller's, and not shown."""

    list_display = (
        columns.instant("created_at", "when"),
        columns.link("token"),
        "key",
        "status_code",
    )
    list_select_related = ("token",)
    list_filter = ("status_code",)
    search_fields = ("=key",)
    search_help_text = "Idempotency key, whole"
    ordering = ("-pk",)
    readonly_fields = list_display
    fields = (readonly_fields,)
