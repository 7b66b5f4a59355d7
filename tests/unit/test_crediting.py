"""Credits of an invoice: whatever the steps, together they are the invoice, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core import crediting
from billing.core.crediting import WHOLE, Billed, Credited, Request, Wish, taken_back
from billing.core.deferring import Portion
from billing.core.errors import BillingError, ConflictError, InvalidError
from billing.core.money import Money, total
from billing.core.taxes import Tax, TaxCategory, TaxRounding, reckon

STANDARD, REDUCED = (Tax(TaxCategory.STANDARD, Decimal(rate), "DE") for rate in ("19", "7"))
EXPORT = Tax(TaxCategory.EXPORT, Decimal(0))


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def billed(
    *lines: tuple[int, Tax],
    included: bool = False,
    currency: str = "EUR",
    rounding: str = "DOCUMENT",
) -> list[Billed]:
    """Lines as an invoice has them, keyed `0`, `1`, …"""
    taxed = reckon(
        [Money(minor, currency) for minor, _ in lines],
        [tax for _, tax in lines],
        included=[included] * len(lines),
        currency=currency,
        rounding=TaxRounding(rounding),
    )
    return [
        Billed(str(index), net, tax, amount, quantity=Decimal(4))
        for index, ((_, tax), net, amount) in enumerate(
            zip(lines, taxed.nets, taxed.amounts, strict=True)
        )
    ]


def credit(lines: list[Billed], request: Request = WHOLE) -> Credited:
    return crediting.credit(lines, request, currency=lines[0].net.currency)


def after(lines: list[Billed], found: Credited) -> list[Billed]:
    """The lines once that was credited."""
    parts = {part.key: part for part in found.parts}
    zero = Money.zero(found.currency)
    return [
        replace(
            line,
            before_net=(line.before_net or zero) + parts[line.key].net,
            before_tax=(line.before_tax or zero) + parts[line.key].tax,
            before_quantity=line.before_quantity + (parts[line.key].quantity or 0),
        )
        if line.key in parts
        else line
        for line in lines
    ]


@st.composite
def invoices(draw: st.DrawFn) -> list[Billed]:
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    minors = st.one_of(st.integers(-30, 60), st.integers(-(10**4), 10**6))
    lines = draw(
        st.lists(
            st.tuples(minors, st.sampled_from([STANDARD, REDUCED, EXPORT])), min_size=1, max_size=6
        )
    )
    return billed(
        *lines,
        included=draw(st.booleans()),
        currency=currency,
        rounding=draw(st.sampled_from(["DOCUMENT", "LINE"])),
    )


def moneys(low: int, high: int, currency: str) -> st.SearchStrategy[Money]:
    return st.builds(Money, st.integers(low, high), st.just(currency))


@st.composite
def requests(draw: st.DrawFn, lines: list[Billed]) -> Request:
    currency = lines[0].net.currency
    left = total((line.gross_left for line in lines), currency)
    if draw(st.booleans()):
        return Request(amount=Money(draw(st.integers(1, left.minor)), currency))
    wishes = []
    for line in draw(st.lists(st.sampled_from(lines), unique_by=lambda each: each.key, min_size=1)):
        low, high = sorted((0, line.left.minor))
        gross_low, gross_high = sorted((0, line.gross_left.minor))
        wishes.append(
            draw(
                st.one_of(
                    st.just(Wish(line.key)),
                    st.builds(Wish, st.just(line.key), net=moneys(low, high, currency)),
                    st.builds(
                        Wish, st.just(line.key), gross=moneys(gross_low, gross_high, currency)
                    ),
                    st.builds(Wish, st.just(line.key), quantity=st.integers(1, 4).map(Decimal)),
                )
            )
        )
    return Request(wishes=tuple(wishes))


@given(st.data())
def test_any_steps_that_credit_everything_are_exactly_the_invoice(data: st.DataObject) -> None:
    lines = data.draw(invoices())
    currency = lines[0].net.currency
    whole = total((line.gross_left for line in lines), currency)
    steps = []
    for _ in range(data.draw(st.integers(0, 6))):
        if total((line.gross_left for line in lines), currency).minor <= 0:
            break
        request = data.draw(requests(lines))
        try:
            found = credit(lines, request)
        except BillingError:  # more than is left of a line, or nothing
            continue
        if request.amount is not None:
            assert found.total == request.amount
        steps.append(found)
        lines = after(lines, found)
        assert all(line.left.minor * line.net.minor >= 0 for line in lines)
        assert all(line.tax_left.minor * line.tax_amount.minor >= 0 for line in lines)
    if total((line.gross_left for line in lines), currency).minor > 0:
        steps.append(credit(lines))
        lines = after(lines, steps[-1])
    if whole.minor > 0:
        assert total((step.total for step in steps), currency) == whole
        assert all(not line.left and not line.tax_left for line in lines)
    for step in steps:
        assert step.total.minor > 0
        assert total((row.base for row in step.tax_totals), currency) == step.net
        assert total((row.amount for row in step.tax_totals), currency) == step.tax


@given(invoices())
def test_the_whole_is_the_invoice(lines: list[Billed]) -> None:
    if total((line.gross_left for line in lines), lines[0].net.currency).minor <= 0:
        with pytest.raises(ConflictError, match="already"):
            credit(lines)
        return
    found = {part.key: part for part in credit(lines).parts}
    for line in lines:
        if line.net or line.tax_amount:
            assert (found[line.key].net, found[line.key].tax) == (line.net, line.tax_amount)


def test_an_amount_is_spread_over_taxes_and_lines_by_what_is_left() -> None:
    lines = billed((10000, STANDARD), (20000, STANDARD), (10000, REDUCED))

    found = credit(lines, Request(amount=eur(10000)))

    # 119.00 : 238.00 : 107.00 of 464.00
    assert [(part.net.minor, part.tax.minor) for part in found.parts] == [
        (2156, 409),
        (4310, 819),
        (2155, 151),
    ]
    assert [(row.base.minor, row.amount.minor) for row in found.tax_totals] == [
        (6466, 1228),
        (2155, 151),
    ]
    assert found.total == eur(10000)


def test_a_credit_on_the_invoice_is_taken_back_with_the_last_step_only() -> None:
    lines = billed((10000, STANDARD), (-4000, STANDARD))

    part = credit(lines, Request(amount=eur(1190)))
    rest = credit(after(lines, part))

    assert [(each.key, each.net.minor) for each in part.parts] == [("0", 1000)]
    assert [(each.key, each.net.minor) for each in rest.parts] == [("0", 9000), ("1", -4000)]
    assert part.total + rest.total == eur(7140)


def test_a_line_is_not_credited_above_what_is_left_of_the_invoice() -> None:
    lines = billed((10000, STANDARD), (-4000, STANDARD))
    with pytest.raises(ConflictError, match=r"Only 71.40 EUR is left of the invoice"):
        credit(lines, Request(wishes=(Wish("0"),)))


def test_a_line_s_tax_is_that_of_the_line_where_all_of_it_is_credited() -> None:
    lines = billed((33, STANDARD), (33, STANDARD), (33, STANDARD))  # 0.19: 0.07, 0.06, 0.06
    taken = []
    for key in ("2", "1", "0"):
        found = credit(lines, Request(wishes=(Wish(key),)))
        lines = after(lines, found)
        taken.append(found.tax.minor)
    assert taken == [6, 6, 7]


def test_a_gross_amount_of_a_line_is_credited_exactly() -> None:
    found = credit(billed((10000, STANDARD)), Request(wishes=(Wish("0", gross=eur(5000)),)))
    assert (found.net, found.tax, found.total) == (eur(4202), eur(798), eur(5000))


def test_quantities_come_to_the_whole_line() -> None:
    lines = billed((1001, STANDARD))
    nets = []
    for _ in range(4):
        found = credit(lines, Request(wishes=(Wish("0", quantity=Decimal(1)),)))
        lines = after(lines, found)
        nets.append(found.net.minor)
    assert nets == [250, 250, 250, 251]
    with pytest.raises(ConflictError, match="already"):
        credit(lines)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (Request(amount=eur(0)), InvalidError),
        (Request(amount=eur(-1)), InvalidError),
        (Request(amount=Money(1, "USD")), InvalidError),
        (Request(amount=eur(12000)), ConflictError),
        (Request(wishes=(Wish("9"),)), InvalidError),
        (Request(wishes=(Wish("0"), Wish("0"))), InvalidError),
        (Request(wishes=(Wish("0", net=eur(10001)),)), ConflictError),
        (Request(wishes=(Wish("0", net=eur(-1)),)), InvalidError),
        (Request(wishes=(Wish("0", gross=eur(11901)),)), ConflictError),
        (Request(wishes=(Wish("0", quantity=Decimal(5)),)), ConflictError),
        (Request(wishes=(Wish("0", quantity=Decimal(0)),)), ConflictError),
    ],
)
def test_what_makes_no_sense_or_is_not_left_is_refused(
    request_: Request, error: type[BillingError]
) -> None:
    with pytest.raises(error):
        credit(billed((10000, STANDARD)), request_)


def days(amount: int, start: str, end: str) -> Portion:
    return Portion(eur(amount), date.fromisoformat(start), date.fromisoformat(end))


def test_a_credit_takes_back_what_is_still_to_be_earned_first() -> None:
    month = days(3000, "2026-04-01", "2026-05-01")
    on = date(2026, 4, 16)

    part = taken_back(eur(1000), [month], day=on)
    assert part == days(-1000, "2026-04-16", "2026-05-01")
    assert taken_back(eur(3000), [month], day=on) == days(-1500, "2026-04-16", "2026-05-01")
    assert taken_back(eur(3000), [month, part], day=on) == days(-500, "2026-04-16", "2026-05-01")
    assert taken_back(eur(3000), [month], day=date(2026, 5, 1)) is None
    assert taken_back(eur(-10), [month], day=on) is None


def test_a_credit_of_a_credit_gives_back_what_it_took_of_later_days() -> None:
    unused = days(-3000, "2026-04-01", "2026-05-01")
    taken = taken_back(eur(-2000), [unused], day=date(2026, 4, 16))
    assert taken == days(1500, "2026-04-16", "2026-05-01")
