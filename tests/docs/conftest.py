"""A server that the pages of `docs/api/` are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from celery import current_app
from django.core.cache import cache
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing import clock
from billing.gateways.bank_transfer.gateway import BankTransferGateway
from billing.management.commands.seed_demo import BRITISH
from billing.models import Seller
from billing.services import tokens
from tests.docs.paying_out import PayingOutGateway
from tests.offering import offer


@dataclass(frozen=True)
class Site:
    """Where the API is, and an operator's token."""

    url: str
    token: str


@pytest.fixture
def site(
    live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """Bursar over HTTP, with the demo's seller, and workers who do all at once."""
    offer(monkeypatch, PayingOutGateway(), BankTransferGateway())
    settings.PUBLIC_URL = live_server.url
    Seller.objects.create(is_default=True, **BRITISH)
    _, token = tokens.issue("docs", now=clock.now())
    current_app.conf.task_always_eager = True
    try:
        yield Site(live_server.url, token)
    finally:
        current_app.conf.task_always_eager = False
        cache.clear()
