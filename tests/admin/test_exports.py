"""The page of exports."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import User
from tests.admin.conftest import Story, signed_in
from tests.exporting import bean_check

pytestmark = pytest.mark.django_db

PAGE = "/admin/billing/journalentry/export/"


def content(answer: Any) -> bytes:
    """What was streamed."""
    assert answer.status_code == 200
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_the_books_are_taken_away(story: Story, operator: Client, tmp_path: Path) -> None:
    page = operator.get(PAGE)
    assert "Take the books away" in page.content.decode()
    assert f'href="{PAGE}"' in page.content.decode()

    book = content(operator.get(PAGE, {"what": "BEANCOUNT", "start": "2026-04-15"})).decode()

    assert bean_check(book, tmp_path) == ""
    assert "Opening balances" not in book
    assert book.count(' * "invoice_finalized"') == 2
    totals = content(operator.get(PAGE, {"what": "TOTALS", "start": "2026-05-20"})).decode()
    assert "2026-05,receivables," in totals
    archive = zipfile.ZipFile(io.BytesIO(content(operator.get(PAGE, {"what": "INVOICES"}))))
    assert len(archive.namelist()) == 4


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"what": "TOTALS"}, "Say which month"),
        ({"what": "CSV", "start": "2026-05-02", "end": "2026-05-01"}, "Later than the first day"),
        ({"what": "XML"}, "not one of the available choices"),
    ],
)
def test_what_makes_no_sense(operator: Client, query: dict[str, str], fault: str) -> None:
    assert fault in operator.get(PAGE, query).content.decode()


def test_who_may_not_view_the_journal_does_not_export_it(guest: Client, db: None) -> None:
    assert guest.get(PAGE).status_code == 403
    clerk = User.objects.create_user("clerk@example.org", "secret", is_staff=True)
    clerk.user_permissions.add(
        Permission.objects.get(codename="view_invoice", content_type__app_label="billing")
    )

    page = signed_in(clerk).get(PAGE, {"what": "CSV"})

    assert not page.streaming
    assert "not one of the available choices" in page.content.decode()
