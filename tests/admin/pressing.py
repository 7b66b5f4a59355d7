"""Pressing the buttons of a subscription: first a preview, then the deed."""

from __future__ import annotations

import re

from django.db import models
from django.test import Client
from django.utils.html import strip_tags

from billing.services import test_clocks
from tests.admin.urls_of import action
from tests.world import World


def text_of(page: bytes) -> str:
    """What is read on a page, without its spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.decode()).split())


def send(browser: Client, row: models.Model, name: str, **entered: str) -> tuple[str, list[str]]:
    """Fill in the form of an action and press a button: what is shown, and the messages."""
    answer = browser.post(action(row, name), entered, follow=True)
    assert answer.status_code == 200
    return text_of(answer.content), [str(message) for message in answer.context["messages"]]


def preview(browser: Client, row: models.Model, name: str, **entered: str) -> list[tuple[str, str]]:
    """The invoices that are foreseen: when, and their totals."""
    answer = browser.post(action(row, name), {"preview": "on", **entered})
    assert answer.status_code == 200
    found = answer.context["foreseen"]
    assert found is not None, [str(message) for message in answer.context["messages"]]
    return [(invoice.title, strip_tags(invoice.total)) for invoice in found]


def do(browser: Client, row: models.Model, name: str, **entered: str) -> list[str]:
    """Preview it, then do it; the messages that follow."""
    shown = browser.post(action(row, name), {"preview": "on", **entered})
    _, texts = send(browser, row, name, do="on", seen=shown.context["seen"], **entered)
    return texts


def collect(world: World) -> None:
    """Let the workers do what was left to them."""
    test_clocks.advance(world.clock.pk, to=world.now)
