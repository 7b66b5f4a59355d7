"""The page of reports, and the blocks."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.models import JournalBlock, JournalEntry
from billing.services import processing, sealing
from tests.admin.conftest import Story
from tests.admin.urls_of import change

pytestmark = pytest.mark.django_db

PAGE = "/admin/billing/journalentry/reports/"


def test_who_owes_how_much_and_what_recurs(story: Story, operator: Client) -> None:
    sealing.seal(now=story.world.now)
    processing.digest()

    page = operator.get(PAGE).content.decode()

    assert "Receivables by days overdue" in page
    assert ">bob</a>" in page
    assert "Monthly recurring revenue" in page
    assert "2026-05-02 10:00" in page


def test_only_for_who_may_view_the_journal(story: Story, guest: Client) -> None:
    assert guest.get(PAGE).status_code == 403


def test_a_block_shows_its_entries_and_an_entry_its_block(story: Story, operator: Client) -> None:
    sealing.seal(now=story.world.now)
    block, entry = JournalBlock.objects.get(), JournalEntry.objects.order_by("seal__position")[0]

    assert entry.seal.digest in operator.get(change(block)).content.decode()
    assert "block 1, place 1" in operator.get(change(entry)).content.decode()
