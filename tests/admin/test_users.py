"""Operators are made by superusers, and the log never names them."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from customers.models import User
from tests.admin.conftest import signed_in
from tests.admin.urls_of import add, change

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


def test_a_user_is_added_by_email(operator: Client) -> None:
    answer = operator.post(
        add(User),
        {
            "email": "Bob@Example.org",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
            **_nothing_inline("memberships", "emailaddress_set"),
        },
    )

    assert answer.status_code == 302
    assert User.objects.get(email="bob@example.org").check_password(PASSWORD)
    assert LogEntry.objects.get().object_repr.startswith("user ")


def test_passwords_are_changed_without_a_trace_of_the_address(operator: Client) -> None:
    bob = User.objects.create_user("bob@example.org", "secret")
    address = reverse("admin:auth_user_password_change", args=[bob.pk])

    assert operator.get(address).status_code == 200
    entered = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert operator.post(address, entered).status_code == 302

    assert "bob" not in LogEntry.objects.get().object_repr


def test_operators_cannot_raise_themselves() -> None:
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    browser = signed_in(clerk)
    browser.post(change(clerk), {"email": clerk.email, "is_active": "on", "is_superuser": "on"})
    clerk.refresh_from_db()
    root = User.objects.create_superuser("root@example.org", "secret")

    assert not clerk.is_superuser
    assert browser.post(change(root), {"email": "mine@example.org"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert browser.post(password, {"password1": PASSWORD}).status_code == 403


def test_keys_that_open_accounts_have_no_page() -> None:
    assert not admin.site.is_registered(EmailConfirmation)
    assert not admin.site.is_registered(EmailAddress)


def _nothing_inline(*prefixes: str) -> dict[str, str]:
    return {f"{prefix}-{name}_FORMS": "0" for prefix in prefixes for name in ("TOTAL", "INITIAL")}
