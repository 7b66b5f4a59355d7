"""Operators take single documents away as files."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client

from billing.models import Seller
from customers.models import User
from tests.admin.conftest import signed_in
from tests.admin.urls_of import action, change
from tests.services.returning import bills, credit
from tests.world import World

pytestmark = pytest.mark.django_db


def test_invoices_and_credit_notes_are_handed_out(world: World, operator: Client) -> None:
    Seller.objects.create(name="Ours", country="DE", is_default=True)
    invoice = bills(world, world.at("2026-04-01").customer("carol"), "100.00")
    note = credit(world, invoice)

    for row in (invoice, note):
        page = operator.get(change(row)).content.decode()
        for name, media_type in (("pdf", "application/pdf"), ("xml", "application/xml")):
            assert action(row, name) in page
            answer = operator.get(action(row, name))
            assert answer.headers["Content-Type"] == media_type
            assert f'{row.number}.{name}"' in answer.headers["Content-Disposition"]


def test_why_there_is_no_file_is_said_on_the_page(world: World, operator: Client) -> None:
    invoice = bills(world, world.at("2026-04-01").customer("carol"), "100.00")

    answer = operator.get(action(invoice, "xml"))

    assert answer.headers["Location"] == change(invoice)
    [message] = get_messages(answer.wsgi_request)
    assert "the seller has no country" in str(message)


def test_a_draft_has_no_such_buttons(world: World, operator: Client) -> None:
    draft = world.drafts(world.at("2026-04-01").customer("carol"), "5")

    assert action(draft, "pdf") not in operator.get(change(draft)).content.decode()


def test_who_may_view_may_have_the_file_and_nobody_else(world: World, guest: Client) -> None:
    invoice = bills(world, world.at("2026-04-01").customer("carol"), "100.00")
    assert guest.get(action(invoice, "pdf")).status_code == 403

    viewer = User.objects.create_user("viewer@example.org", "secret", is_staff=True)
    viewer.user_permissions.add(
        Permission.objects.get(codename="view_invoice", content_type__app_label="billing")
    )

    assert signed_in(viewer).get(action(invoice, "pdf")).status_code == 200
