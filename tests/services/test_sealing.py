"""The seal: every entry is bound once, by whoever comes, and whoever tampers is found."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from billing.models import JournalBlock, JournalEntry, JournalSeal, UnsealedEntry
from billing.queries import chain, verification
from billing.services import journal, locks, sealing
from billing.services.journal import Fact
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 4, 11, 9, tzinfo=UTC)
WITHOUT_GUARDS = "SET session_replication_role = replica"
WITH_GUARDS = "SET session_replication_role = DEFAULT"


def enter(*keys: str) -> None:
    """Facts without postings, one transaction for all."""
    with transaction.atomic():
        journal.post(*(Fact("NOTED", key, None, NOW, {"n": key}) for key in keys))


def tamper(sql: str) -> None:
    """Write past every guard."""
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_GUARDS)
        cursor.execute(sql)
        cursor.execute(WITH_GUARDS)


def found() -> list[tuple[str, str]]:
    """What verification says."""
    return [(item.check, item.subject) for item in verification.discrepancies()]


def test_what_is_committed_is_sealed_once() -> None:
    enter("a", "b")
    assert sealing.seal(now=NOW) == 2
    enter("c")

    assert sealing.seal(now=NOW) == 1
    assert sealing.seal(now=NOW) == 0
    assert list(JournalBlock.objects.order_by("number").values_list("number", "entries")) == [
        (1, 2),
        (2, 1),
    ]
    assert not UnsealedEntry.objects.exists()


def test_a_block_covers_its_digests_and_the_block_before() -> None:
    for key in ("a", "b"):
        enter(key)
        sealing.seal(now=NOW)

    first, second = JournalBlock.objects.order_by("number")
    digest = JournalSeal.objects.get(block=second).digest
    assert first.previous_hash == "0" * 64
    assert second.previous_hash == first.hash
    assert second.hash == hashlib.sha256((first.hash + digest).encode()).hexdigest()


def test_a_digest_is_the_same_in_every_time_zone(world: World) -> None:
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    sealing.seal(now=world.now)

    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Kathmandu'")
        assert found() == []
        cursor.execute("SET TIME ZONE 'UTC'")


def test_large_journals_are_sealed_by_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST", 2)
    enter("a", "b", "c", "d", "e")

    assert sealing.seal(now=NOW) == 5
    assert list(JournalBlock.objects.order_by("number").values_list("entries", flat=True)) == [
        2,
        2,
        1,
    ]


def test_within_a_block_entries_stand_in_the_order_of_time() -> None:
    with transaction.atomic():
        for key, day in (("late", 12), ("early", 10), ("middle", 11)):
            at = datetime(2026, 4, day, tzinfo=UTC)
            journal.post(Fact("NOTED", key, None, at, {}))
    sealing.seal(now=NOW)

    keys = JournalEntry.objects.order_by("seal__position").values_list("idempotency_key", flat=True)
    assert list(keys) == ["early", "middle", "late"]


def test_runs_at_once_seal_everything_once() -> None:
    enter(*(f"entry-{number}" for number in range(200)))

    sealed = at_once(*[lambda: sealing.seal(now=NOW)] * 4)

    assert sum(count for count in sealed if isinstance(count, int)) == 200
    assert JournalSeal.objects.count() == 200
    assert found() == []


def test_a_second_run_ends_at_once_and_nobody_waits() -> None:
    enter("a")
    with transaction.atomic():
        assert locks.is_alone("seal")
        (sealed, written) = at_once(lambda: sealing.seal(now=NOW), lambda: enter("b"))

    assert (sealed, written) == (0, None)
    assert sealing.seal(now=NOW) == 2


def test_what_is_not_committed_is_left_for_later() -> None:
    enter("a")
    with transaction.atomic():
        journal.post(Fact("NOTED", "open", None, NOW, {}))
        (sealed,) = at_once(lambda: sealing.seal(now=NOW))
        assert sealed == 1

    assert sealing.seal(now=NOW) == 1


KILLED = """
import os, sys, time, django
django.setup()
from django.db import connection, transaction
from django.utils import timezone
from billing.services import sealing
with transaction.atomic():
    sealing.seal(now=timezone.now())
    print("sealed", flush=True)
    time.sleep(60)
"""


def test_a_killed_sealer_leaves_nothing_half_done() -> None:
    enter("a", "b", "c")
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings_test"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "sealed\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    _until_its_session_is_gone()

    assert UnsealedEntry.objects.count() == 3
    assert not JournalBlock.objects.exists()
    assert sealing.seal(now=NOW) == 3
    assert found() == []


def _until_its_session_is_gone() -> None:
    for _ in range(200):
        with transaction.atomic():
            if locks.is_alone("seal"):
                return
        time.sleep(0.05)
    raise AssertionError("The killed sealer still holds its lock.")


@pytest.fixture
def blocks() -> None:
    """Three blocks of two entries, and one that waits."""
    for pair in (("a", "b"), ("c", "d"), ("e", "f")):
        enter(*pair)
        sealing.seal(now=NOW)
    enter("waits")


def of(key: str) -> str:
    """SQL: the id of an entry."""
    return f"(SELECT id FROM billing_journalentry WHERE idempotency_key = '{key}')"


@pytest.mark.crooked_books
@pytest.mark.usefixtures("blocks")
class TestTampering:
    """What an intruder with every right in the database may try."""

    def test_an_edited_entry_is_named(self) -> None:
        tamper("UPDATE billing_journalentry SET context = '{}' WHERE idempotency_key = 'd'")

        assert found() == [("a sealed entry is as it was", "block 2, place 2")]

    def test_a_line_added_to_a_sealed_entry_is_found(self) -> None:
        tamper("INSERT INTO billing_ledgeraccount VALUES ('x', 'ASSET', '')")
        tamper(
            "INSERT INTO billing_journalline (entry_id, account_id, side, amount_minor, currency)"
            f" SELECT {of('a')}, 'x', side, 1, 'USD' FROM unnest(ARRAY['DEBIT', 'CREDIT']) side"
        )

        assert found() == [("a sealed entry is as it was", "block 1, place 1")]

    def test_a_deleted_entry_is_found(self) -> None:
        tamper("DELETE FROM billing_journalentry WHERE idempotency_key = 'c'")

        assert ("a sealed entry is as it was", "block 2, place 1") in found()

    def test_an_entry_that_is_gone_with_its_seal_is_found(self) -> None:
        tamper(f"DELETE FROM billing_journalseal WHERE entry_id = {of('c')}")
        tamper("DELETE FROM billing_journalentry WHERE idempotency_key = 'c'")

        assert found() == [("the chain of blocks holds", "block 2")]

    def test_an_entry_smuggled_in_is_found(self) -> None:
        tamper(
            "INSERT INTO billing_journalentry (id, kind, source_kind, occurred_at, recorded_at,"
            " idempotency_key, context) VALUES (uuidv7(), 'X', '', now(), now(), 'x', '{}')"
        )

        assert [check for check, _ in found()] == ["every entry is sealed or waits for it"]

    def test_two_entries_that_change_places_are_found(self) -> None:
        for old, new in ((1, 9), (2, 1), (9, 2)):
            tamper(
                f"UPDATE billing_journalseal SET position = {new}"
                f" WHERE block_id = 2 AND position = {old}"
            )

        assert found() == [("the chain of blocks holds", "block 2")]

    def test_two_blocks_that_change_places_are_found(self) -> None:
        for old, new in ((1, 9), (2, 1), (9, 2)):
            tamper(f"UPDATE billing_journalblock SET number = {new} WHERE number = {old}")
            tamper(f"UPDATE billing_journalseal SET block_id = {new} WHERE block_id = {old}")

        assert ("the chain of blocks holds", "block 1") in found()

    def test_a_block_that_is_gone_with_all_its_entries_is_found(self) -> None:
        ids = f"({of('c')}, {of('d')})"
        tamper("DELETE FROM billing_journalseal WHERE block_id = 2")
        tamper(f"DELETE FROM billing_journalentry WHERE id IN {ids}")
        tamper("DELETE FROM billing_journalblock WHERE number = 2")

        assert found() == [("the chain of blocks holds", "block 3")]

    def test_an_edit_whose_digest_was_mended_is_found_by_its_block(self) -> None:
        tamper("UPDATE billing_journalentry SET context = '{}' WHERE idempotency_key = 'a'")
        _mend_digests()

        assert found() == [("the chain of blocks holds", "block 1")]

    def test_a_chain_mended_to_its_end_has_another_head(self) -> None:
        """Whoever recomputes everything is found by a head that was noted down elsewhere."""
        before = chain.head()
        tamper("UPDATE billing_journalentry SET context = '{}' WHERE idempotency_key = 'a'")
        _mend_digests()
        _mend_blocks()

        assert found() == []
        after = chain.head()
        assert before is not None
        assert after is not None
        assert before.number == after.number
        assert before.hash != after.hash


def _mend_digests() -> None:
    tamper(
        f"UPDATE billing_journalseal seal SET digest = {chain.DIGEST}"
        " FROM billing_journalentry entry WHERE entry.id = seal.entry_id"
    )


def _mend_blocks() -> None:
    previous = chain.FIRST_PREVIOUS
    for block in JournalBlock.objects.order_by("number"):
        seals = JournalSeal.objects.filter(block=block).order_by("position")
        digests = "".join(seals.values_list("digest", flat=True))
        mended = hashlib.sha256((previous + digests).encode()).hexdigest()
        tamper(
            f"UPDATE billing_journalblock SET previous_hash = '{previous}', hash = '{mended}'"
            f" WHERE number = {block.number}"
        )
        previous = mended


@pytest.mark.usefixtures("blocks")
def test_verify_books_prints_the_head_to_be_noted_down(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_books")

    head = chain.head()
    assert head is not None
    assert f"Note down block 3 of the journal: {head.hash}" in capsys.readouterr().out


def test_the_seal_is_append_only() -> None:
    enter("a")
    sealing.seal(now=NOW)

    for sql in (
        "UPDATE billing_journalseal SET position = 2",
        "DELETE FROM billing_journalseal",
        "UPDATE billing_journalblock SET sealed_at = now()",
        "DELETE FROM billing_journalblock",
    ):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)
