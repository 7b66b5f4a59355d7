from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from billing.core import references


def test_the_reference_is_that_of_the_standards_own_example() -> None:
    assert references.creditor_reference("539007547034") == "RF18539007547034"


@given(st.text(alphabet="ABCXYZ0189-/. ", min_size=1, max_size=24))
def test_every_reference_passes_the_check_of_the_standard(number: str) -> None:
    found = references.creditor_reference(number)

    body = references.bare(number)
    assert bool(found) == (0 < len(body) <= 21)
    assert not found or iso11649.is_valid(found)


def test_it_is_read_by_people_in_groups() -> None:
    assert references.in_groups("RF18539007547034") == "RF18 5390 0754 7034"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("RF54INV2026000042", ["INV-2026-000042"]),
        ("Invoice rf54 inv2 0260 0004 2, thanks", ["INV-2026-000042"]),
        ("for INV-2026-000042.", ["INV-2026-000042"]),
        ("inv-2026-000042 and INV-2026-000043", ["INV-2026-000042", "INV-2026-000043"]),
        ("INV-2026-0000421", []),
        ("RF55INV2026000042", []),
        ("rent", []),
        ("", []),
    ],
)
def test_a_transfers_text_names_invoices(text: str, named: list[str]) -> None:
    numbers = ["INV-2026-000042", "INV-2026-000043", "INV-2026-00004"]

    assert references.named(text, numbers) == named


def test_a_reference_that_is_part_of_a_longer_one_is_not_named_by_it() -> None:
    numbers = ["A1", "A11"]
    longer = references.creditor_reference("A11")

    assert references.named(longer, numbers) == ["A11"]
