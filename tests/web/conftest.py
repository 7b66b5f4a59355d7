"""People at their browsers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.core.cache import cache
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import clock
from customers import services as customer_services
from customers.models import Customer, User
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
    from django.db import connection

    with CaptureQueriesContext(connection) as captured:
        assert browser.status_of(path) == 200
    return len(captured)
