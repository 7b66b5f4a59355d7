"""Who is told of what happens here, and whether they listen."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from billing import clock, tasks
from billing.admin import cells, change_words, columns, deliveries
from billing.admin.base import OperatorAdmin, by
from billing.admin.tables import Table
from billing.admin.theme import DialogForm, ModelForm, dialog_action, dress
from billing.core.errors import InvalidError
from billing.models import Delivery, WebhookEndpoint
from billing.services import webhook_endpoints
from billing.services.deliveries import Range, resend_range
from billing.services.webhook_endpoints import FIELDS, MAX_OVERLAP_HOURS, OVERLAP_HOURS


class EndpointForm(ModelForm):
    """An endpoint's settings; types as a list with commas."""

    types = forms.CharField(
        required=False,
        help_text="Names or patterns with commas between: invoice.*, refund.succeeded. None: all.",
    )
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput, label="")

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "types" in self.fields:
            dress(self.fields["types"])
        self.initial["types"] = ", ".join(self.instance.types)
        self.initial["seen_version"] = self.instance.version

    @property
    def changes(self) -> dict[str, Any]:
        """What was entered, and nothing that was left as it was."""
        return {
            name: self.cleaned_data[name]
            for name in FIELDS
            if name in self.cleaned_data and self.cleaned_data[name] != self.initial_of(name)
        }

    def initial_of(self, name: str) -> Any:
        """What is stored."""
        return getattr(self.instance, name)

    def clean_url(self) -> str:
        """One that we send to."""
        url = str(self.cleaned_data["url"]).strip()
        _checked(lambda: webhook_endpoints.require_url(url))
        return url

    def clean_types(self) -> list[str]:
        """Types and patterns that there are."""
        parts = [part.strip() for part in self.cleaned_data["types"].split(",")]
        found = list(dict.fromkeys(filter(None, parts)))
        _checked(lambda: webhook_endpoints.require_types(found))
        return found

    def _post_clean(self) -> None:
        """The service writes the row."""


class SecretForm(DialogForm):
    """For how long the secret before signs, too."""

    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP_HOURS,
        initial=OVERLAP_HOURS,
        help_text="For so many hours the secret before signs, too.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["overlap_hours"])


class RangeForm(DialogForm):
    """Which deliveries, by when they were written."""

    start = forms.DateTimeField(label="From", help_text="UTC, like 2026-04-11 09:00.")
    end = forms.DateTimeField(label="To", help_text="Not included.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    @property
    def range(self) -> Range:
        """What failed in it."""
        start, end = (self.cleaned_data[name] for name in ("start", "end"))
        return Range(start, end)


def _status(endpoint: WebhookEndpoint) -> object:
    if not endpoint.is_enabled:
        return cells.status("DISABLED")
    return cells.status("FAILING" if endpoint.failing_since_at else "ACTIVE")


def _why(endpoint: WebhookEndpoint) -> object:
    reason = endpoint.disabled_reason
    return change_words.fault(reason) if reason else cells.NOTHING


def _types(endpoint: WebhookEndpoint) -> str:
    return ", ".join(endpoint.types) or "all"


_STATE: Final = (
    columns.computed("Status", _status),
    columns.instant("disabled_at"),
    columns.computed("Why", _why),
    columns.instant("failing_since_at", "failing since"),
)
_SECRET: Final = (columns.instant("former_secret_until", "former secret signs until"),)
_MADE: Final = (
    columns.instant("created_at"),
    "created_by",
    columns.instant("updated_at"),
    "updated_by",
)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(OperatorAdmin):
    """Receivers of notifications. Their secrets are shown once, when they are made."""

    compressed_fields = False
    form = EndpointForm
    list_display = (
        "__str__",
        columns.computed("Types", _types),
        *_STATE[:3],
        columns.instant("created_at"),
    )
    list_filter = (
        "is_enabled",
        ("disabled_reason", admin.EmptyFieldListFilter),
        ("failing_since_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("url", "description")
    ordering = ("pk",)
    actions_detail = ("disable", "enable", "send_test", "resend_failed", "rotate_secret")
    readonly_fields = (*_STATE, *_SECRET, *_MADE)

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """What a new one needs; of an old one, how it fares, too."""
        entered: tuple[Any, ...] = ("url", "description", "types", "seen_version")
        if not self.has_change_permission(request, obj) and obj is not None:
            entered = ("url", "description", columns.computed("Types", _types))
        settings = [(None, {"fields": entered})]
        if obj is None:
            return settings
        return [
            *settings,
            ("How it fares", {"fields": (_STATE,)}),
            ("Its history", {"fields": ((*_SECRET, *_MADE),)}),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: WebhookEndpoint | None = None
    ) -> tuple[Any, ...]:
        """All of it, to those who may not change it."""
        if obj is None or self.has_change_permission(request, obj):
            return self.readonly_fields
        return ("url", "description", columns.computed("Types", _types), *self.readonly_fields)

    def save_model(
        self,
        request: HttpRequest,
        obj: WebhookEndpoint,
        form: EndpointForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Make it, and show its secret this once; or change it."""
        if not change:
            entered = {name: form.cleaned_data[name] for name in ("types", "description")}
            url = form.cleaned_data["url"]
            made, secret = webhook_endpoints.create(url, **entered, by=by(request), now=clock.now())
            obj.pk, obj.description = made.pk, made.description
            self._show(request, secret)
        elif form.changes:
            webhook_endpoints.update(
                obj.pk,
                form.changes,
                by=by(request),
                now=clock.now(),
                expected_version=form.cleaned_data["seen_version"],
            )

    def tables(self, obj: WebhookEndpoint) -> list[Table]:
        """What was sent to it lately."""
        return [
            deliveries.latest(Delivery.objects.filter(endpoint=obj), endpoint__id__exact=obj.pk)
        ]

    def is_offered(self, action: str, obj: WebhookEndpoint) -> bool:
        """Enabling what is not; sending where something is sent."""
        return action == "rotate_secret" or obj.is_enabled == (action != "enable")

    @dialog_action(
        "Disable",
        "Nothing is sent there any more. What waits is kept; what happens from now on is not.",
        icon="notifications_off",
        is_danger=True,
    )
    def disable(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Leave it alone."""
        return self._switch(request, object_id, is_enabled=False)

    @dialog_action(
        "Enable", "It is sent what waits, at once and in order.", icon="notifications_active"
    )
    def enable(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Send there again."""
        return self._switch(request, object_id, is_enabled=True)

    @dialog_action("Send test", "An endpoint.test is sent to it now.", icon="send")
    def send_test(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        """Try it out."""

        def command(endpoint: WebhookEndpoint) -> str:
            webhook_endpoints.send_test(endpoint.pk, now=clock.now())
            tasks.deliver_soon()
            return "A test is on its way: what comes of it stands below in a moment."

        return self.act(request, object_id, command)

    @dialog_action(
        "Resend failed",
        "What was given up in this time is sent once more, with all its retries.",
        icon="replay",
        form=RangeForm,
    )
    def resend_failed(self, request: HttpRequest, form: RangeForm, object_id: str) -> HttpResponse:
        """Send again what was given up."""

        def command(endpoint: WebhookEndpoint) -> str:
            done = resend_range(endpoint.pk, form.range)
            tasks.deliver_soon()
            rest = f" {done.left} are left: do it again for them." if done.left else ""
            return f"{done.resent} are sent again.{rest}"

        return self.act(request, object_id, command)

    @dialog_action(
        "Rotate secret",
        "A new secret is made and shown once. Until the overlap is over, both sign.",
        icon="key",
        is_danger=True,
        form=SecretForm,
    )
    def rotate_secret(self, request: HttpRequest, form: SecretForm, object_id: str) -> HttpResponse:
        """Make a new secret."""

        def command(endpoint: WebhookEndpoint) -> str:
            hours = form.cleaned_data["overlap_hours"]
            _, secret = webhook_endpoints.rotate_secret(
                endpoint.pk, overlap_hours=hours, by=by(request), now=clock.now()
            )
            self._show(request, secret)
            return "It has a new secret."

        return self.act(request, object_id, command)

    def _switch(self, request: HttpRequest, object_id: str, *, is_enabled: bool) -> HttpResponse:
        def command(endpoint: WebhookEndpoint) -> str:
            changes = {"is_enabled": is_enabled}
            webhook_endpoints.update(endpoint.pk, changes, by=by(request), now=clock.now())
            return f"It is {'enabled' if is_enabled else 'disabled'}."

        return self.act(request, object_id, command)

    def _show(self, request: HttpRequest, secret: str) -> None:
        sentence = f"Copy the secret now, it is never shown again: {secret}"
        self.message_user(request, sentence, messages.WARNING)


def _checked(check: Any) -> None:
    """Turn a service's refusal into the form's."""
    try:
        check()
    except InvalidError as error:
        raise forms.ValidationError(error.detail, code=error.code) from None
