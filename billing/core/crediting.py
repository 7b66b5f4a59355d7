"""What of an invoice is credited: its lines' net amounts and the tax on them.

The document's tax is reckoned once for each rate and split over the lines it came from, within
what is left of each. Whatever the steps, what credits all that is left of a line takes exactly the
rest of its tax, so that all credit notes together are the invoice: net, tax, each rate, each line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.core import taxes
from billing.core.deferring import Portion
from billing.core.errors import ConflictError, InvalidError
from billing.core.money import Money, allocate, round_half_away, total
from billing.core.taxes import Tax, TaxTotal


@dataclass(frozen=True, slots=True)
class Billed:
    """A line of an invoice, and what was credited of it before.

    :param net: after discounts, without tax; negative for a credit on the invoice.
    :param before_quantity: what was credited of it as quantities.
    """

    key: str
    net: Money
    tax: Tax
    tax_amount: Money
    quantity: Decimal = Decimal(1)
    before_net: Money | None = None
    before_tax: Money | None = None
    before_quantity: Decimal = Decimal(0)

    @property
    def left(self) -> Money:
        """What is left of its net amount."""
        return self.net - self.before_net if self.before_net else self.net

    @property
    def tax_left(self) -> Money:
        """What is left of its tax."""
        return self.tax_amount - self.before_tax if self.before_tax else self.tax_amount

    @property
    def gross_left(self) -> Money:
        """What is left of it, tax and all."""
        return self.left + self.tax_left


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be credited of one line: one of the three, or all that is left of it.

    :param net: without tax; of a line that is negative, negative.
    :param gross: with its tax.
    :param quantity: that share of the line.
    """

    key: str
    net: Money | None = None
    gross: Money | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What shall be credited: an amount with tax, some lines, or all that is left."""

    amount: Money | None = None
    wishes: tuple[Wish, ...] = ()


WHOLE: Final = Request()


@dataclass(frozen=True, slots=True)
class Part:
    """What is credited of one line.

    :param quantity: None where no quantity was asked for.
    """

    key: str
    net: Money
    tax: Money
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Credited:
    """What a credit note says.

    :param tax_totals: one for each tax; their bases and amounts sum to the total.
    """

    parts: tuple[Part, ...]
    tax_totals: tuple[TaxTotal, ...]
    currency: str

    @property
    def net(self) -> Money:
        """Without tax."""
        return total((part.net for part in self.parts), self.currency)

    @property
    def tax(self) -> Money:
        """All tax."""
        return total((part.tax for part in self.parts), self.currency)

    @property
    def total(self) -> Money:
        """With tax."""
        return self.net + self.tax


def credit(lines: Sequence[Billed], request: Request, *, currency: str) -> Credited:
    """What is credited of an invoice.

    An amount is spread over the lines that are charges, by what is left of them. Whatever takes
    all that is left of the invoice takes all that is left of each line, credits on it included.

    :raises InvalidError: if a line is not the invoice's, or an amount makes no sense.
    :raises ConflictError: if it is more than is left of the invoice or of a line.
    """
    left = left_of(lines, currency=currency)
    if left.minor <= 0:
        raise ConflictError("All of the invoice is credited already.", code="nothing_to_credit")
    if request == WHOLE or request.amount == left:
        return _credited(lines, [_rest(line) for line in lines], currency)
    if request.amount is not None:
        _require_positive(request.amount, currency)
        _require_left(request.amount, left)
        parts = _spread(lines, request.amount)
    else:
        parts = _by_line(lines, request.wishes, currency)
    found = _credited(lines, parts, currency)
    if found.total.minor <= 0:
        raise InvalidError("What is credited must be more than nothing.", code="invalid_amount")
    _require_left(found.total, left)
    if found.total == left:
        quantities = {part.key: part.quantity for part in parts}
        parts = [_rest(line, quantities.get(line.key)) for line in lines]
    return _credited(lines, parts, currency)


def left_of(lines: Iterable[Billed], *, currency: str) -> Money:
    """What can still be credited of an invoice, with its tax."""
    return total((line.gross_left for line in lines), currency)


def taken_back(net: Money, portions: Iterable[Portion], *, day: date) -> Portion | None:
    """What a credit of a line takes back of what is still to be earned; the rest was earned.

    :param net: what is credited of the line, without tax.
    :param portions: what is deferred of the line, and what credits took back of that before.
    :param day: from this day on it is not earned. None: nothing of it is left to earn.
    """
    rests = [rest for portion in portions if (rest := portion.rest(day)) is not None]
    left = total((rest.amount for rest in rests), net.currency)
    if not rests or not net or (left.minor < 0) != (net.minor < 0):
        return None
    amount = max(net, left) if net.minor < 0 else min(net, left)
    if not amount:
        return None
    return Portion(-amount, max(rest.starts_on for rest in rests), rests[0].ends_on)


def _rest(line: Billed, quantity: Decimal | None = None) -> Part:
    return Part(line.key, line.left, line.tax_left, quantity)


def _credited(lines: Sequence[Billed], parts: Sequence[Part], currency: str) -> Credited:
    """What is nothing is left out; the parts in the order of the lines."""
    found = {part.key: part for part in parts if part.net or part.tax}
    by_tax: dict[Tax, list[Part]] = {}
    for line in lines:
        if line.key in found:
            by_tax.setdefault(line.tax, []).append(found[line.key])
    return Credited(
        parts=tuple(found[line.key] for line in lines if line.key in found),
        tax_totals=tuple(
            TaxTotal(
                tax,
                base=total((part.net for part in mine), currency),
                amount=total((part.tax for part in mine), currency),
            )
            for tax, mine in by_tax.items()
        ),
        currency=currency,
    )


def _spread(lines: Sequence[Billed], amount: Money) -> list[Part]:
    """An amount over what is left of the charges: first over their taxes, then over lines."""
    charges = [line for line in lines if line.gross_left.minor > 0]
    groups = list(_by_tax(charges).values())
    shares = allocate(amount, [_gross_minor(group) for group in groups])
    found: list[Part] = []
    for group, share in zip(groups, shares, strict=True):
        grosses = allocate(share, [line.gross_left.minor for line in group])
        found += _of_grosses(list(zip(group, grosses, strict=True)))
    return found


def _by_line(lines: Sequence[Billed], wishes: Sequence[Wish], currency: str) -> list[Part]:
    known = {line.key: line for line in lines}
    if len({wish.key for wish in wishes}) != len(wishes):
        raise InvalidError("A line is named twice.", code="line_twice")
    whole: list[Part] = []
    nets: list[tuple[Billed, Money]] = []
    grosses: list[tuple[Billed, Money]] = []
    quantities = {wish.key: wish.quantity for wish in wishes}
    for wish in wishes:
        if wish.key not in known:
            raise InvalidError(f"The invoice has no line {wish.key}.", code="no_such_line")
        line = known[wish.key]
        if wish.gross is not None:
            _require_of_line(wish.gross, line.gross_left, currency)
            grosses.append((line, wish.gross))
            continue
        net = _net_of(wish, line)
        _require_of_line(net, line.left, currency)
        if net == line.left:
            whole.append(_rest(line))
        else:
            nets.append((line, net))
    found = [*whole, *_of_grosses(grosses)]
    for group in _by_tax_and_sign(nets, beside=whole, lines=lines):
        found += group
    return [Part(part.key, part.net, part.tax, quantities[part.key]) for part in found]


def _net_of(wish: Wish, line: Billed) -> Money:
    if wish.net is not None:
        return wish.net
    if wish.quantity is None:
        return line.left
    share = Fraction(wish.quantity), Fraction(line.quantity)
    reached = line.before_quantity + wish.quantity
    if wish.quantity <= 0 or not line.quantity or reached > line.quantity:
        raise ConflictError("So much is not left of the line.", code="above_what_is_left")
    if reached == line.quantity:
        return line.left
    net = round_half_away(line.net.minor * share[0] / share[1])
    bound = line.left.minor
    return Money(max(net, bound) if bound < 0 else min(net, bound), line.net.currency)


def _by_tax_and_sign(
    nets: Sequence[tuple[Billed, Money]], *, beside: Sequence[Part], lines: Sequence[Billed]
) -> Iterable[list[Part]]:
    """Parts of lines; the tax of each rate is that on all that is credited at it.

    Charges and credits on the invoice are reckoned apart: what is left of a rate would else be
    less than what is left of its charges.
    """
    groups: dict[tuple[Tax, bool], list[tuple[Billed, Money]]] = {}
    for line, net in nets:
        groups.setdefault((line.tax, line.net.minor < 0), []).append((line, net))
    taken = {part.key: part for part in beside}
    for (tax, is_negative), mine in groups.items():
        alike = [row for row in lines if row.tax == tax and (row.net.minor < 0) == is_negative]
        whole = [taken[row.key] for row in alike if row.key in taken]
        yield _of_nets(mine, _tax_on(mine, whole, alike))


def _tax_on(
    nets: Sequence[tuple[Billed, Money]], whole: Sequence[Part], alike: Sequence[Billed]
) -> Money:
    """The tax of parts of lines, beside lines that are credited whole."""
    currency, tax = alike[0].net.currency, alike[0].tax
    zero = Money.zero(currency)
    on_all = taxes.credited(
        total((net for _, net in nets), currency) + total((part.net for part in whole), currency),
        invoiced=TaxTotal(
            tax,
            total((row.net for row in alike), currency),
            total((row.tax_amount for row in alike), currency),
        ),
        before=TaxTotal(
            tax,
            total((row.before_net or zero for row in alike), currency),
            total((row.before_tax or zero for row in alike), currency),
        ),
    )
    return on_all - total((part.tax for part in whole), currency)


def _of_nets(nets: Sequence[tuple[Billed, Money]], tax: Money) -> list[Part]:
    """Split a tax over parts of lines, none above what is left of its line's."""
    sign = -1 if nets[0][0].net.minor < 0 else 1
    minors = _within(
        sign * tax.minor,
        [_rate(line.tax) * abs(net.minor) for line, net in nets],
        least=[0] * len(nets),
        most=[max(sign * line.tax_left.minor, 0) for line, _ in nets],
    )
    return [
        Part(line.key, net, Money(sign * minor, net.currency))
        for (line, net), minor in zip(nets, minors, strict=True)
    ]


def _of_grosses(grosses: Sequence[tuple[Billed, Money]]) -> list[Part]:
    """Parts of lines by amounts with tax; the tax in them is reckoned once for each rate."""
    groups: dict[tuple[Tax, bool], list[tuple[Billed, Money]]] = {}
    for line, gross in grosses:
        groups.setdefault((line.tax, line.net.minor < 0), []).append((line, gross))
    found = []
    for (tax, is_negative), mine in groups.items():
        sign = -1 if is_negative else 1
        part = _rate(tax) / (1 + _rate(tax))
        asked = [sign * gross.minor for _, gross in mine]
        minors = _within(
            round_half_away(sum(asked) * part),
            [gross * part for gross in asked],
            least=[
                max(gross - sign * line.left.minor, 0)
                for (line, _), gross in zip(mine, asked, strict=True)
            ],
            most=[
                min(max(sign * line.tax_left.minor, 0), gross)
                for (line, _), gross in zip(mine, asked, strict=True)
            ],
        )
        for (line, gross), minor in zip(mine, minors, strict=True):
            tax_part = Money(sign * minor, gross.currency)
            found.append(Part(line.key, gross - tax_part, tax_part))
    return found


def _within(
    wanted: int, exact: Sequence[Fraction], *, least: Sequence[int], most: Sequence[int]
) -> list[int]:
    """Whole numbers beside exact ones that sum to what is wanted, as far as their bounds let."""
    parts = [
        min(max(math.floor(value), low), high)
        for value, low, high in zip(exact, least, most, strict=True)
    ]
    missing = min(max(wanted, sum(least)), sum(most)) - sum(parts)
    step = 1 if missing > 0 else -1
    bounds = most if missing > 0 else least
    for _ in range(abs(missing)):
        index = max(
            (i for i in range(len(parts)) if parts[i] != bounds[i]),
            key=lambda i: (step * (exact[i] - parts[i]), -i),
        )
        parts[index] += step
    return parts


def _rate(tax: Tax) -> Fraction:
    return Fraction(tax.percent) / 100


def _by_tax(lines: Sequence[Billed]) -> Mapping[Tax, list[Billed]]:
    groups: dict[Tax, list[Billed]] = {}
    for line in lines:
        groups.setdefault(line.tax, []).append(line)
    return groups


def _gross_minor(lines: Sequence[Billed]) -> int:
    return sum(line.gross_left.minor for line in lines)


def _require_positive(amount: Money, currency: str) -> None:
    if amount < Money(1, currency):
        raise InvalidError("An amount is more than nothing.", code="invalid_amount")


def _require_of_line(asked: Money, left: Money, currency: str) -> None:
    """An amount is of the line's sign, and not above what is left of it."""
    sign = -1 if left.minor < 0 else 1
    if Money(sign * asked.minor, asked.currency) < Money(1, currency):
        if not left:
            raise ConflictError("Nothing is left of the line.", code="above_what_is_left")
        raise InvalidError("An amount has the sign of its line.", code="invalid_amount")
    if Money(sign * left.minor, currency) < Money(sign * asked.minor, currency):
        raise ConflictError(f"Only {left} is left of the line.", code="above_what_is_left")


def _require_left(asked: Money, left: Money) -> None:
    if left < asked:
        raise ConflictError(f"Only {left} is left of the invoice.", code="above_what_is_left")
