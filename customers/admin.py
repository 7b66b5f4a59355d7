"""People who sign in. Customers, whose story is told from the books, are among billing's pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest

from customers.models import CustomerUser, User

if TYPE_CHECKING:
    from django.contrib.admin import TabularInline as _TabularInline
    from django.contrib.auth.admin import UserAdmin as _UserAdmin
    from django.contrib.auth.forms import AdminPasswordChangeForm
    from django.contrib.auth.forms import AdminUserCreationForm as _AdminUserCreationForm
    from django.contrib.auth.forms import UserChangeForm as _UserChangeForm

    TabularInline = _TabularInline[Any, Any]
    AdminUserCreationForm = _AdminUserCreationForm[User]
    DjangoUserAdmin = _UserAdmin[User]
    UserChangeForm = _UserChangeForm[User]

    class ModelAdmin: ...
else:
    from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
    from unfold.admin import ModelAdmin, TabularInline  # ships no types
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm

_RIGHTS: Final = ("is_staff", "is_superuser", "groups", "user_permissions")


class NewUserForm(AdminUserCreationForm):
    """An e-mail address and a password."""

    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        """In lower case, as people sign in by it."""
        return str(self.cleaned_data["email"]).lower()


class Memberships(TabularInline):
    """For which customers they may act."""

    model = CustomerUser
    extra = 0
    autocomplete_fields = ("customer",)


class Addresses(TabularInline):
    """Their e-mail addresses, and which are verified."""

    model = EmailAddress
    extra = 0
    can_delete = False
    fields = readonly_fields = ("email", "verified", "primary")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They add their own."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They verify their own."""
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Who may sign in, and what operators may do. Nobody is deleted: `is_active` locks out."""

    add_form = NewUserForm
    form = UserChangeForm
    change_password_form = AdminPasswordChangeForm
    actions = None
    inlines = (Memberships, Addresses)
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("email", "password", ("first_name", "last_name"), "is_active")}),
        ("Operator", {"fields": _RIGHTS}),
        ("Record", {"fields": (("last_login", "date_joined"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Rights are given by superusers alone, lest operators give themselves more."""
        own = ("last_login", "date_joined")
        return own if request.user.is_superuser else (*own, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's account is changed by superusers alone."""
        is_above = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        """Keep who added them, without their address."""
        return _log(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        """Keep who changed them, without their address."""
        return _log(request, obj, CHANGE, message)


def _log(request: HttpRequest, user: models.Model, flag: int, message: Any) -> LogEntry:
    return LogEntry.objects.create(
        user_id=cast("User", request.user).pk,
        content_type=ContentType.objects.get_for_model(user),
        object_id=str(user.pk),
        object_repr=f"user {user.pk}",
        action_flag=flag,
        change_message=json.dumps(message) if isinstance(message, list) else message,
    )


admin.site.unregister(Group)
# Addresses are shown with their user; confirmations hold keys that open accounts.
admin.site.unregister(EmailAddress)
if admin.site.is_registered(EmailConfirmation):
    admin.site.unregister(EmailConfirmation)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Rights that several operators have."""

    actions = None
