"""Rates of tax are loaded whole or not at all, and never over what was invoiced."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing.core.errors import ConflictError, InvalidError
from billing.core.tax_policies import TaxPolicyKind
from billing.models import Seller, TaxRate
from billing.queries import taxes
from billing.services import invoices, tax_rates
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_rates(db: None) -> None:
    TaxRate.objects.all().delete()


def row(percent: str, starts_on: str, ends_on: str = "", **changes: str) -> dict[str, str]:
    usual = {"country": "DE", "region": "", "tax_class": "standard", "source": "UStG § 12"}
    return {**usual, "percent": percent, "starts_on": starts_on, "ends_on": ends_on, **changes}


def stored() -> list[tuple[Decimal, str, str | None]]:
    return [
        (rate.percent, str(rate.starts_on), str(rate.ends_on) if rate.ends_on else None)
        for rate in TaxRate.objects.order_by("starts_on")
    ]


def test_the_bundled_rates_are_loaded_and_again_change_nothing() -> None:
    rows = tax_rates.read(tax_rates.BUNDLED)

    first = tax_rates.load(rows)
    again = tax_rates.load(rows)

    assert len(first.added) == len(rows) == TaxRate.objects.count()
    assert (first.changed, first.ended, first.unchanged) == ([], [], 0)
    assert (again.added, again.changed, again.ended) == ([], [], [])
    assert again.unchanged == len(rows)
    assert taxes.rate_table().find("FI", "", "standard", date(2026, 11, 20)) == Decimal("25.5")


def test_every_bundled_rate_names_its_source() -> None:
    assert all(each["source"] for each in tax_rates.read(tax_rates.BUNDLED))


def test_a_new_rate_ends_the_one_before_it() -> None:
    tax_rates.load([row("19", "2021-01-01")])

    loaded = tax_rates.load([row("20", "2027-01-01")])

    assert loaded.added == ["DE standard 20 % from 2027-01-01"]
    assert loaded.ended == ["DE standard 19 % from 2021-01-01 to 2026-12-31"]
    assert stored() == [
        (Decimal(19), "2021-01-01", "2026-12-31"),
        (Decimal(20), "2027-01-01", None),
    ]


def test_an_open_table_says_the_same_every_time() -> None:
    rows = [row("19", "2021-01-01"), row("20", "2027-01-01")]
    tax_rates.load(rows)

    assert tax_rates.load(rows).unchanged == 2
    assert tax_rates.load(rows[:1]).unchanged == 1


def test_what_nobody_was_invoiced_may_be_corrected() -> None:
    tax_rates.load([row("18", "2021-01-01")])

    loaded = tax_rates.load([row("19", "2021-01-01")])

    assert loaded.changed == ["DE standard 19 % from 2021-01-01"]
    assert stored() == [(Decimal(19), "2021-01-01", None)]


def test_a_rehearsal_says_what_would_change_and_changes_nothing() -> None:
    loaded = tax_rates.load([row("19", "2021-01-01")], is_rehearsal=True)

    assert loaded.added == ["DE standard 19 % from 2021-01-01"]
    assert stored() == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row("x", "2021-01-01"), "no number"),
        (row("101", "2021-01-01"), "no percentage"),
        (row("-1", "2021-01-01"), "no percentage"),
        (row("NaN", "2021-01-01"), "number"),
        (row("19", "01.01.2021"), "isoformat"),
        (row("19", "2021-01-01", "2020-12-31"), "ends before"),
        (row("19", "2021-01-01", country="Germany"), "2 characters"),
        (row("19", "2021-01-01", country="de"), "no ISO 3166 code"),
        (row("19", "2021-01-01", tax_class=""), "blank"),
        (row("7", "2015-01-01"), "same rate as in line 2"),
    ],
)
def test_a_table_with_one_bad_row_changes_nothing(bad: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidError, match=said) as caught:
        tax_rates.load([row("19", "2015-01-01"), bad])

    assert list(caught.value.errors) == ["line 3"]
    assert stored() == []


def test_rates_that_overlap_are_refused() -> None:
    tax_rates.load([row("19", "2021-01-01", "2026-12-31")])

    with pytest.raises(InvalidError, match="overlaps"):
        tax_rates.load([row("20", "2026-07-01")])

    assert stored() == [(Decimal(19), "2021-01-01", "2026-12-31")]


def test_the_command_loads_a_file_and_says_what_it_did(tmp_path: Path) -> None:
    path, out = tmp_path / "rates.csv", StringIO()
    path.write_text(
        "country,region,tax_class,percent,starts_on,ends_on,source\n"
        "CA,QC,standard,14.975,2013-01-01,,Revenu Québec\n"
    )

    call_command("load_tax_rates", "--file", str(path), "--dry-run", stdout=out)
    assert stored() == []
    call_command("load_tax_rates", "--file", str(path), stdout=out)

    assert out.getvalue().splitlines() == [
        "added: QC standard 14.975 % from 2013-01-01",
        "1 added, 0 changed, 0 ended, 0 as they were. Nothing was stored.",
        "added: QC standard 14.975 % from 2013-01-01",
        "1 added, 0 changed, 0 ended, 0 as they were.",
    ]
    assert stored() == [(Decimal("14.975"), "2013-01-01", None)]


@pytest.mark.parametrize("text", ["country,percent\nDE,19\n", "", "\xff"])
def test_a_file_that_is_no_table_of_rates_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(CommandError):
        call_command("load_tax_rates", "--file", str(path))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_tax_rates", "--file", str(tmp_path / "none.csv"))


def test_a_rate_that_invoices_state_is_not_rewritten_but_ended(world: World) -> None:
    tax_rates.load([row("19", "2021-01-01")])
    german = {"country": "DE", "tax_policy": TaxPolicyKind.EU_VAT}
    Seller.objects.update_or_create(is_default=True, defaults=german)
    alice = world.at("2026-04-01").customer("alice", country="DE")
    invoice = world.drafts(alice, "100.00")
    invoices.issue(invoice.pk, now=world.now)
    assert invoice.lines.get().tax_minor == 19_00

    with pytest.raises(ConflictError) as caught:
        tax_rates.load([row("20", "2021-01-01")])

    assert caught.value.code == "tax_rate_used"
    assert tax_rates.load([row("20", "2026-05-01")]).ended == [
        "DE standard 19 % from 2021-01-01 to 2026-04-30"
    ]
    assert invoice.lines.get().tax_rate == 19
