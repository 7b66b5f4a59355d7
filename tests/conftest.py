"""What every test stands on: no network beyond loopback, and books that agree afterwards."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.world import World

_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Refuse every connection that leaves the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = str(address[0])
            assert host.startswith(_LOOPBACK), f"a test tried to reach {host}"
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_emptying() -> Iterator[None]:
    """Empty the database our way after each test that really commits."""
    with pytest.MonkeyPatch.context() as patch:
        if "django" in sys.modules:
            from django.test import TransactionTestCase

            from tests.emptying import empty_database

            patch.setattr(TransactionTestCase, "_fixture_teardown", empty_database)
        yield


@pytest.fixture(autouse=True)
def _books_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that had a database: nothing contradicts anything."""
    if not request.node.get_closest_marker("django_db"):
        yield
        return
    request.getfixturevalue("_django_db_helper")
    yield
    if request.node.get_closest_marker("crooked_books"):
        return
    from billing.queries import verification

    assert not _is_anything_entered() or list(verification.discrepancies()) == []


def _is_anything_entered() -> bool:
    """Whether there are books: hundreds of tests ask what needs none, and thirty checks cost."""
    from billing.models import Invoice, JournalEntry, Payment, Subscription, UsageEvent

    tables = (JournalEntry, Invoice, Subscription, UsageEvent, Payment)
    return any(table.objects.exists() for table in tables)


@pytest.fixture
def world(db: None) -> World:
    """A catalogue, no customers, a clock not yet set."""
    from tests.world import World

    return World()
