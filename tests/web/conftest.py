"""People at their browsers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing import clock
from billing.gateways.bank_transfer.gateway import BankTransferGateway
from billing.gateways.sandbox.gateway import SandboxGateway
from billing.gateways.stripe.gateway import StripeGateway
from customers import services as customer_services
from customers.models import Customer, User
from stripe_sandbox import server
from tests.chrome import launch
from tests.gateways.cases import StandIn
from tests.offering import offer
from tests.web.markup import Page
from tests.world import World


@pytest.fixture(autouse=True)
def _no_rate_is_used_up() -> Iterator[None]:
    """Tests sign in more often than people do."""
    yield
    cache.clear()


class Browser:
    """A person's: pages come back read and checked."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str) -> Page:
        """Go there, wherever that leads."""
        return Page(self.client.get(path, follow=True))

    def post(self, path: str, **fields: str) -> Page:
        """Send a form there."""
        return Page(self.client.post(path, fields, follow=True))

    def status_of(self, path: str) -> int:
        """What is answered there, without following."""
        return self.client.get(path).status_code


class People:
    """A world, and the people who sign in for its customers."""

    def __init__(self, world: World) -> None:
        self.world = world

    def person(self, name: str, *customers: Customer) -> Browser:
        """Somebody who acts for these customers."""
        user, _ = User.objects.get_or_create(email=f"{name}@example.org")
        for customer in customers:
            customer_services.add_member(customer, user)
        return Browser(user)

    def signs_up(self, name: str, plan: str = "Premium") -> tuple[Customer, Browser]:
        """A customer on a plan, and the person at their browser."""
        customer = self.world.signs_up(name, plan)
        return customer, self.person(name, customer)


Opener = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def _chromium() -> Iterator[Chromium]:
    """A real browser: it takes a second to start, so it stays for the tests of a module.

    While Playwright runs, this thread has an event loop, so the database must be told that this
    is meant, and its connections of that time be closed before the loop is gone.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with launch(playwright) as browser:
            yield browser
        connections.close_all()


@pytest.fixture
def opened(live_server: LiveServer, _chromium: Chromium) -> Iterator[Opener]:
    """Opens windows of a real browser on the live server; what it complains of fails the test."""
    complaints: list[str] = []
    windows: list[BrowserContext] = []

    def window(**options: Any) -> BrowserContext:
        context = _chromium.new_context(base_url=live_server.url, **options)
        context.on("console", lambda message: complaints.append(message.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        windows.append(context)
        return context

    yield window
    for context in windows:
        context.close()
    for thread in threading.enumerate():
        served_by = getattr(getattr(thread, "_target", None), "__self__", None)
        if isinstance(served_by, ThreadedWSGIServer):  # ends with the browser; a stand-in's do not
            thread.join(timeout=10)
    assert complaints == []


@pytest.fixture
def stripe(
    live_server: LiveServer, opened: Opener, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """A stand-in for Stripe that notifies the live server, where workers do all at once."""
    settings.PUBLIC_URL = live_server.url
    told = f"{live_server.url}/webhooks/stripe/"
    with server.running(webhook_url=told, webhook_secret=settings.STRIPE_WEBHOOK_SECRET) as url:
        settings.STRIPE_API_BASE = url
        offer(monkeypatch, StripeGateway(), SandboxGateway(), BankTransferGateway())
        current_app.conf.task_always_eager = True
        try:
            yield StandIn(url)
        finally:
            current_app.conf.task_always_eager = False


def signed_in(context: BrowserContext, person: Browser) -> BrowserContext:
    """The window, as of somebody who has signed in."""
    name = settings.SESSION_COOKIE_NAME
    session = person.client.cookies[name].value
    context.add_cookies([{"name": name, "value": session, "domain": "localhost", "path": "/"}])
    return context


@pytest.fixture
def people(world: World) -> People:
    """Nobody yet; it is 11 April 2026."""
    world.at("2026-04-11 09:00")
    return People(world)


@pytest.fixture
def stranger(people: People) -> Browser:
    """Charlie, who is a customer of nobody's business."""
    _, browser = people.signs_up("charlie")
    return browser


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The real present, held still."""
    now = datetime.fromisoformat("2026-04-11T09:00:00+00:00")
    monkeypatch.setattr(clock, "now", lambda: now)
    return now


def queries_of(browser: Browser, path: str) -> int:
    """How many reads a page costs."""
    with CaptureQueriesContext(connection) as captured:
        assert browser.status_of(path) == 200
    return len(captured)
