"""Processors: what is stored, what is read before it is stored, and what a rebuild gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from billing import tasks
from billing.core.money import Money
from billing.core.postings import RECEIVABLES, ROUNDING, credit, debit
from billing.core.processors import all_processors
from billing.core.processors.entitlement_timeline import spans
from billing.models import ProcessorPosition, Projection, UnsealedEntry
from billing.queries import balances, projections, reports, statements, verification
from billing.services import journal, processing, sealing
from billing.services.journal import Fact
from customers.models import Customer
from tests.world import World

pytestmark = pytest.mark.django_db

NAMES = sorted(all_processors())


@pytest.fixture(scope="module")
def told_once(lasting: None) -> World:
    """Three months: she pays one, owes two, and changes her plan in between."""
    world = World().at("2026-03-28 09:00")
    alice = world.signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-05-02").adds_card(alice, "tok_declined")
    world.at("2026-05-10").changes(alice, plan="Gold")
    return world.at("2026-07-03")


@pytest.fixture
def alice(world: World) -> Customer:
    """Whose story it is."""
    return world.named("alice")


def read(customer: Customer) -> dict[str, dict[str, Any]]:
    """Everything that is derived of a customer."""
    return {name: projections.of(name, customer) for name in NAMES}


def stored() -> list[tuple[str, str, str, Any]]:
    """Every stored value."""
    rows = Projection.objects.order_by("processor", "scope", "key")
    return list(rows.values_list("processor", "scope", "key", "value"))


def digested() -> None:
    """Seal and digest all there is."""
    sealing.seal(now=datetime(2026, 7, 3, tzinfo=UTC))
    processing.digest()


def test_reads_are_the_same_before_sealing_in_between_and_after(alice: Customer) -> None:
    unsealed = read(alice)
    sealing.seal(now=datetime(2026, 7, 3, tzinfo=UTC))
    sealed = read(alice)
    processing.digest()

    assert unsealed == sealed == read(alice)
    assert all(unsealed.values())
    assert {row[0] for row in stored()} == set(NAMES)


def test_a_read_in_a_command_sees_what_the_command_wrote(alice: Customer) -> None:
    digested()
    before = balances.owed_by(alice)["USD"]
    one = Money(1, "USD")

    with transaction.atomic():
        postings = [*debit(RECEIVABLES, one), *credit(ROUNDING, one)]
        journal.post(Fact("NOTED", "one", alice.pk, datetime(2026, 7, 3, tzinfo=UTC), {}, postings))
        assert balances.owed_by(alice)["USD"] == before + 1
        transaction.set_rollback(True)

    assert balances.owed_by(alice)["USD"] == before


def test_what_is_owed_is_the_sum_of_the_lines(alice: Customer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(CASE side WHEN 'DEBIT' THEN amount_minor ELSE -amount_minor END)"
            " FROM billing_journalline WHERE account_id = 'receivables'"
        )
        (summed,) = cursor.fetchone()

    assert summed > 0
    assert balances.owed_by(alice) == {"USD": summed}
    digested()
    assert balances.owed_by(alice) == {"USD": summed}


def test_small_batches_give_the_same(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    digested()
    whole = stored()
    monkeypatch.setattr(processing, "MOST_ENTRIES", 1)
    monkeypatch.setattr(sealing, "MOST", 3)

    for name in NAMES:
        processing.rebuild(name)

    assert stored() == whole


def test_a_rebuild_is_made_beside_what_is_in_use(alice: Customer) -> None:
    digested()
    whole, seen = read(alice), []

    processing.rebuild("balances", progress=lambda _: seen.append(read(alice)))

    assert seen
    assert all(found == whole for found in seen)
    assert not Projection.objects.filter(processor__contains="~").exists()


def test_a_killed_rebuild_is_begun_anew(alice: Customer) -> None:
    digested()
    kept = stored()

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processing.rebuild("balances", progress=killed)
    assert list(verification.discrepancies()) == []

    processing.rebuild("balances")
    assert stored() == kept


@pytest.mark.crooked_books
class TestCheck:
    """`manage.py rebuild`, with and without `--check`."""

    @pytest.fixture(autouse=True)
    def _crooked(self, alice: Customer) -> None:
        digested()
        row = Projection.objects.filter(processor="balances").first()
        assert row is not None
        row.value += 1
        row.save()

    def test_it_names_what_differs_and_changes_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = stored()

        with pytest.raises(CommandError, match="1 values differ"):
            call_command("rebuild", "balances", "mrr", "--check")

        printed = capsys.readouterr()
        assert "mrr: equal to its rebuild." in printed.out
        assert "differs." in printed.err
        assert stored() == before

    def test_a_rebuild_mends_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("rebuild")

        assert "balances: rebuilt." in capsys.readouterr().out
        assert list(verification.discrepancies()) == []

    def test_it_knows_no_other_processors(self) -> None:
        with pytest.raises(CommandError, match="There is no processor"):
            call_command("rebuild", "fortunes")


def test_the_tasks_seal_and_digest(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "soon", lambda task, **_: sent.append(task.name))

    tasks.seal()
    tasks.digest()

    assert sent == ["billing.tasks.digest"]
    assert not UnsealedEntry.objects.exists()
    assert set(ProcessorPosition.objects.values_list("processor", flat=True)) == set(NAMES)


def test_the_timeline_says_from_when_to_when_what_was_granted(alice: Customer) -> None:
    (states,) = projections.of("entitlement_timeline", alice).values()

    found = [(span["from"][:10], span["status"], span["plan"]) for span in spans(states)]
    assert found == [
        ("2026-03-28", "trialing", "Premium"),
        ("2026-04-11", "incomplete", "Premium"),
        ("2026-04-11", "active", "Premium"),
        ("2026-05-10", "active", "Gold"),
        ("2026-06-01", "past_due", "Gold"),
    ]


def test_mrr_of_a_life(alice: Customer) -> None:
    digested()

    months = reports.mrr_by_month(first="2026-01", last="2026-12")

    found = [
        (row.month, {name: str(moved) for name, moved in row.movements.items() if moved},
         str(row.closing))
        for row in months
    ]  # fmt: skip
    assert found == [
        ("2026-04", {"new": "180.00 USD"}, "180.00 USD"),
        ("2026-05", {"expansion": "420.00 USD"}, "600.00 USD"),
    ]


def test_ageing_is_by_how_late_it_is(alice: Customer) -> None:
    digested()
    (owed,) = balances.owed_by(alice).values()

    (now,) = reports.ageing(now=datetime(2026, 7, 3, tzinfo=UTC))
    (later,) = reports.ageing(now=datetime(2026, 12, 31, tzinfo=UTC))
    count, (row,) = reports.ageing_by_customer(
        now=datetime(2026, 7, 3, tzinfo=UTC), offset=0, limit=10
    )

    assert now.owed.minor == later.owed.minor == owed
    assert sum(part.minor for part in now.parts) == owed
    assert [bool(part) for part in now.parts] == [True, True, False, False, False]
    assert [bool(part) for part in later.parts] == [False, False, False, False, True]
    assert (count, row.organization_id, row.parts) == (1, "alice", now.parts)


@pytest.mark.parametrize("is_digested", [False, True])
def test_a_statement_is_the_same_however_it_is_cut(alice: Customer, is_digested: bool) -> None:
    if is_digested:
        digested()
    began, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
    (whole,) = statements.of(alice, since=began, until=ends)
    assert not whole.opening
    assert whole.closing.minor == balances.owed_by(alice)["USD"]

    for item in whole.items:
        for cut in (item.at, item.at.replace(microsecond=1)):
            earlier = statements.of(alice, since=began, until=cut)
            (later,) = statements.of(alice, since=cut, until=ends, currency="USD")
            before = earlier[0].closing if earlier else Money.zero("USD")
            items = [*earlier[0].items, *later.items] if earlier else later.items
            assert later.opening == before
            assert later.closing == whole.closing
            assert list(items) == list(whole.items)
