"""What every test stands on: no network beyond loopback, and books that agree afterwards."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

    from tests.world import World

_LOOPBACK = ("127.", "::1", "localhost")


def pytest_collection_finish() -> None:
    """Spare the collector what stays: it looked through all modules hundreds of times a minute."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


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


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """One of several workers copies a database that is migrated already."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        from django.db import connection

        from tests import template

        connection.settings_dict["TEST"]["TEMPLATE"] = template.migrate()


@pytest.fixture(scope="module")
def lasting(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """What a module's fixtures commit under it is there for each of its tests.

    A story that many tests begin with is told once; each of them undoes what it does.
    """
    for item in request.session.items:
        marker = item.get_closest_marker("django_db")
        is_emptying = marker is not None and marker.kwargs.get("transaction")
        assert item.path != request.path or not is_emptying, f"{item.name} empties the database"
    with django_db_blocker.unblock():
        yield
        from tests.emptying import empty_database

        empty_database()


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
    from tests import agreeing

    assert not _is_anything_entered() or agreeing.discrepancies() == []


def _is_anything_entered() -> bool:
    """Whether there are books: hundreds of tests ask what needs none, and thirty checks cost."""
    from billing.models import Invoice, JournalEntry, Payment, Subscription, UsageEvent

    tables = (JournalEntry, Invoice, Subscription, UsageEvent, Payment)
    return any(table.objects.exists() for table in tables)


@pytest.fixture(scope="module")
def told_once() -> World | None:
    """The world of a module's story, which is told once: see `lasting`."""
    return None


@pytest.fixture
def world(told_once: World | None, db: None) -> World:
    """As the module's story leaves it; else a catalogue, no customers, a clock not yet set."""
    from tests.world import World

    return World() if told_once is None else deepcopy(told_once)
