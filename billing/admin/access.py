"""Who may call the API, and what was answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from billing import clock
from billing.admin import cells, columns, form_page
from billing.admin.base import BooksAdmin, OperatorAdmin, by
from billing.admin.form_page import DeedForm
from billing.admin.theme import ModelForm, dialog_action, page_action
from billing.core.errors import BillingError
from billing.models import ApiRequest, ApiToken
from billing.models.token import TokenStatus
from billing.services import tokens

_STATUS = columns.computed("Status", lambda token: cells.status(token.status_at(clock.now()).value))
_BEGINS = columns.computed("Begins with", lambda token: cells.code(f"{token.prefix}…"))


class RotationForm(DeedForm):
    """How long both are taken."""

    title = "Rotate"
    about = (
        "A new token of the same name and scope takes its place, and is shown once. The old one"
        " is taken until the overlap is over."
    )
    hours = forms.IntegerField(
        label="Overlap in hours",
        min_value=0,
        max_value=tokens.LONGEST_OVERLAP // timedelta(hours=1),
        initial=tokens.OVERLAP // timedelta(hours=1),
        help_text="0 ends the old one at once.",
    )


@admin.register(ApiToken)
class ApiTokenAdmin(OperatorAdmin):
    """Tokens, of which the text is shown once, when they are made."""

    compressed_fields = False
    list_display = (
        "name",
        _BEGINS,
        "role",
        columns.link("customer"),
        "is_read_only",
        _STATUS,
        columns.instant("created_at"),
        columns.instant("last_used_at", "last used"),
        columns.instant("expires_at", "expires"),
    )
    list_select_related = ("customer",)
    list_filter = (
        "role",
        "is_read_only",
        ("revoked_at", admin.EmptyFieldListFilter),
        ("last_used_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("name", "=prefix", "customer__organization_id")
    ordering = ("-pk",)
    autocomplete_fields = ("customer",)
    actions_detail = ("rotate", "revoke")
    fields = ("name", "customer", "is_read_only", "expires_at")
    shown = (
        "name",
        "role",
        columns.link("customer"),
        "is_read_only",
        _STATUS,
        _BEGINS,
        columns.link("predecessor", "rotated from"),
        columns.instant("last_used_at", "last used"),
        columns.instant("created_at"),
        "created_by",
        columns.instant("expires_at", "expires"),
        columns.instant("revoked_at"),
        "revoked_by",
    )

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A token is rotated or revoked, never changed."""
        return False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[Any, ...]:
        """What a new one needs; of an old one, all but its hash."""
        return self.fields if obj is None else (self.shown[:4], self.shown[4:8], self.shown[8:])

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
        """Issue it; its text goes with the row to the page that shows it."""
        entered = form.cleaned_data
        token, text = tokens.issue(
            entered["name"],
            now=clock.now(),
            customer=entered["customer"],
            is_read_only=entered["is_read_only"],
            expires_at=entered["expires_at"],
            by=by(request),
        )
        vars(obj).update(vars(token), text=text)

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show its text this once."""
        return self._shown_once(request, obj, vars(obj)["text"])

    def is_offered(self, action: str, obj: ApiToken) -> bool:
        """Both while it is taken; one that expired may still be revoked."""
        if action == "rotate":
            return obj.status_at(clock.now()) == TokenStatus.ACTIVE
        return obj.revoked_at is None or obj.revoked_at > clock.now()

    @page_action("Rotate", icon="autorenew")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put another one in its place."""
        token = get_object_or_404(ApiToken, pk=object_id)
        form = RotationForm(request.POST or None)
        if form.is_bound and form.is_valid():
            overlap = timedelta(hours=form.cleaned_data["hours"])
            try:
                successor, text = tokens.rotate(
                    token.pk, now=clock.now(), overlap=overlap, by=by(request)
                )
            except BillingError as error:
                form_page.put_at_fields(form, error)
            else:
                self.log_change(request, token, "The token is rotated.")
                return self._shown_once(request, successor, text)
        return form_page.shown(self, request, form, back=cells.page_of(ApiToken, token.pk))

    @dialog_action(
        "Revoke",
        "Whoever uses this token is refused from now on. This cannot be undone.",
        icon="key_off",
        is_danger=True,
    )
    def revoke(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Refuse it from now on."""

        def command(token: ApiToken) -> str:
            tokens.revoke(token, now=clock.now(), by=by(request))
            return "The token is revoked."

        return self.act(request, object_id, command)

    def _shown_once(self, request: HttpRequest, token: ApiToken, text: str) -> HttpResponse:
        """The text stands in this answer alone: no message and no session ever holds it."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(token),
            "text": text,
            "back": cells.page_of(ApiToken, token.pk),
        }
        return TemplateResponse(request, "admin/billing/token.html", context)


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
