"""The journal in other people's formats, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core import postings
from billing.core.exporting import beancount, jsonl, names, tables
from billing.core.exporting.values import AccountTotals, ExportedEntry, ExportedLine
from billing.core.money import Money
from billing.core.postings import Account, AccountKind, Posting, Side
from billing.core.taxes import Tax, TaxCategory
from tests.exporting import balances, faults

APRIL = datetime(2026, 4, 1, 9, tzinfo=UTC)
ALICE = UUID("0198d5a2-0000-7000-8000-00000000a11c")
INVOICE = UUID("0198d5a2-0000-7000-8000-000000000042")
PLAN = "a198d5a2-0000-7000-8000-000000000001"
GERMAN = Tax(TaxCategory.STANDARD, Decimal(19), country="DE")
_numbers = count(1)


def entry(
    found: Sequence[Posting],
    *,
    kind: str = "INVOICE_FINALIZED",
    at: datetime = APRIL,
    key: str = "invoice:42",
    invoice_number: str = "INV-000042",
) -> ExportedEntry:
    """An entry of Alice's."""
    return ExportedEntry(
        id=UUID(int=next(_numbers)),
        kind=kind,
        customer_id=ALICE,
        source_kind="invoice",
        source_id=INVOICE,
        occurred_at=at,
        recorded_at=at + timedelta(seconds=1),
        key=key,
        context={"total": "119.00 EUR"},
        lines=[
            ExportedLine(row.account, row.side, row.amount, INVOICE, invoice_number)
            for row in found
        ],
    )


def summed(entries: Sequence[ExportedEntry]) -> list[AccountTotals]:
    """What the entries move, as the query would say it."""
    sums: dict[tuple[str, str], list[int]] = {}
    accounts: dict[str, Account] = {}
    for each in entries:
        for line in each.lines:
            accounts[line.account.code] = line.account
            moved = sums.setdefault((line.account.code, line.amount.currency), [0, 0])
            moved[line.side == Side.CREDIT] += line.amount.minor
    return [
        AccountTotals(accounts[code], currency, 0, debit, credit)
        for (code, currency), (debit, credit) in sorted(sums.items())
    ]


def book(entries: Sequence[ExportedEntry], opened: Sequence[AccountTotals] | None = None) -> str:
    """The whole text."""
    found = opened if opened is not None else summed(entries)
    first = beancount.day(min(each.occurred_at for each in entries))
    last = beancount.day(max(each.occurred_at for each in entries))
    return "".join(
        (
            *beancount.head(found, on=first),
            beancount.opening(found, on=first),
            *map(beancount.transaction, entries),
            *beancount.assertions(found, on=last + timedelta(days=1)),
        )
    )


def golden() -> list[ExportedEntry]:
    """An invoice over 100.00 € and 19 % of tax, and its payment."""
    owed = Money(11900, "EUR")
    finalized = postings.invoice_finalized(
        owed,
        earned={postings.revenue(PLAN, 'Gold "1"\nline'): Money(10000, "EUR")},
        deferred=Money.zero("EUR"),
        taxes={postings.tax_payable(GERMAN): Money(1900, "EUR")},
    )
    paid = postings.payment_received(owed, gateway="stripe", allocated={INVOICE: owed})
    return [
        entry(finalized),
        entry(paid, kind="PAYMENT_RECEIVED", at=APRIL + timedelta(days=2), key="payment:1"),
    ]


ASSERTED = """\
2026-04-04 balance Assets:Cash:Stripe 119.00 ~ 0 EUR
2026-04-04 balance Assets:Receivables 0.00 ~ 0 EUR
2026-04-04 balance Income:Revenue:A198d5a2-0000-7000-8000-000000000001 -100.00 ~ 0 EUR
2026-04-04 balance Liabilities:Tax:DE:19 -19.00 ~ 0 EUR
"""


def test_beancount_text_is_golden() -> None:
    first, second = golden()

    assert book([first, second]) == (
        'option "title" "Bursar: the journal"\n'
        "\n"
        "2026-04-01 commodity EUR\n"
        "  decimals: 2\n"
        "2026-04-01 open Assets:Cash:Stripe EUR\n"
        '  code: "cash:stripe"\n'
        '  name: "Money at stripe"\n'
        "2026-04-01 open Assets:Receivables EUR\n"
        '  code: "receivables"\n'
        '  name: "Owed by customers"\n'
        "2026-04-01 open Income:Revenue:A198d5a2-0000-7000-8000-000000000001 EUR\n"
        '  code: "revenue:a198d5a2-0000-7000-8000-000000000001"\n'
        '  name: "Gold \\"1\\"\\nline"\n'
        "2026-04-01 open Liabilities:Tax:DE:19 EUR\n"
        '  code: "tax:DE:19"\n'
        '  name: "Tax DE 19 %"\n'
        "\n"
        '2026-04-01 * "invoice_finalized" ^INV-000042 #invoice\n'
        f'  entry: "{first.id}"\n'
        '  key: "invoice:42"\n'
        '  customer: "0198d5a2-0000-7000-8000-00000000a11c"\n'
        '  source: "0198d5a2-0000-7000-8000-000000000042"\n'
        '  occurred_at: "2026-04-01T09:00:00Z"\n'
        '  recorded_at: "2026-04-01T09:00:01Z"\n'
        "  Assets:Receivables 119.00 EUR\n"
        '    invoice: "INV-000042"\n'
        "  Income:Revenue:A198d5a2-0000-7000-8000-000000000001 -100.00 EUR\n"
        '    invoice: "INV-000042"\n'
        "  Liabilities:Tax:DE:19 -19.00 EUR\n"
        '    invoice: "INV-000042"\n'
        "\n"
        '2026-04-03 * "payment_received" ^INV-000042 #invoice\n'
        f'  entry: "{second.id}"\n'
        '  key: "payment:1"\n'
        '  customer: "0198d5a2-0000-7000-8000-00000000a11c"\n'
        '  source: "0198d5a2-0000-7000-8000-000000000042"\n'
        '  occurred_at: "2026-04-03T09:00:00Z"\n'
        '  recorded_at: "2026-04-03T09:00:01Z"\n'
        "  Assets:Cash:Stripe 119.00 EUR\n"
        '    invoice: "INV-000042"\n'
        "  Assets:Receivables -119.00 EUR\n"
        '    invoice: "INV-000042"\n'
        "\n"
        f"{ASSERTED}"
    )


def test_csv_is_golden() -> None:
    first, second = golden()
    rows = [row for each in (first, second) for row in tables.journal_rows(each)]

    assert tables.text_of([tables.JOURNAL_COLUMNS, *rows[:2]]) == (
        "entry,line,occurred_at,recorded_at,kind,account,account_name,account_kind,debit,credit,"
        "currency,invoice,invoice_number,customer,source_kind,source,key\n"
        f"{first.id},1,2026-04-01T09:00:00Z,2026-04-01T09:00:01Z,invoice_finalized,receivables,"
        f"Owed by customers,asset,119.00,,EUR,{INVOICE},INV-000042,{ALICE},invoice,{INVOICE},"
        "invoice:42\n"
        f"{first.id},2,2026-04-01T09:00:00Z,2026-04-01T09:00:01Z,invoice_finalized,revenue:{PLAN},"
        f'"Gold ""1""\nline",income,,100.00,EUR,{INVOICE},INV-000042,{ALICE},invoice,{INVOICE},'
        "invoice:42\n"
    )


def test_a_json_line_is_golden() -> None:
    (first, _) = golden()

    text = jsonl.line_of(first)

    assert text.startswith(f'{{"id":"{first.id}","kind":"invoice_finalized","customer":"{ALICE}",')
    assert text.endswith(
        f'{{"account":"tax:DE:19","side":"credit","amount":"19.00","currency":"EUR",'
        f'"invoice":"{INVOICE}","invoice_number":"INV-000042"}}]}}\n'
    )
    assert text.count("\n") == 1


def test_beancount_accepts_it_and_counts_the_same() -> None:
    text = book(golden())

    assert faults(text) == []
    assert balances(text) == {
        ("cash:stripe", "EUR"): "119.00",
        (f"revenue:{PLAN}", "EUR"): "-100.00",
        ("tax:DE:19", "EUR"): "-19.00",
    }


@pytest.mark.parametrize("minor", [-1, 1])
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_beancount_refuses_a_balance_that_is_one_minor_unit_off(currency: str, minor: int) -> None:
    given_away = [entry(postings.credit_granted(Money(1000, currency)))]
    true = summed(given_away)
    wrong = [
        AccountTotals(row.account, currency, 0, row.debit_minor + minor, row.credit_minor)
        for row in true
    ]
    text = "".join(
        (
            *beancount.head(true, on=date(2026, 4, 1)),
            *map(beancount.transaction, given_away),
            *beancount.assertions(wrong, on=date(2026, 4, 2)),
        )
    )

    assert len(faults(text)) == 2


def test_beancount_refuses_an_entry_that_is_one_minor_unit_off() -> None:
    text = book([entry(postings.credit_granted(Money(1000, "EUR")))])

    assert faults(text.replace(" 10.00 EUR", " 10.01 EUR", 1)) != []


def test_an_entry_that_moved_nothing_is_left_out() -> None:
    assert beancount.transaction(entry([])) == ""
    assert list(tables.journal_rows(entry([]))) == []
    assert jsonl.line_of(entry([])).endswith('"lines":[]}\n')


def test_what_was_there_before_is_an_entry_of_its_own() -> None:
    entries = golden()[1:]
    before = [
        AccountTotals(postings.cash("stripe"), "EUR", 0, 11900, 0),
        AccountTotals(postings.RECEIVABLES, "EUR", 11900, 0, 11900),
        AccountTotals(postings.revenue(PLAN), "EUR", -11900, 0, 0),
    ]

    text = book(entries, before)

    assert (
        '\n2026-04-03 * "Opening balances"\n'
        "  Assets:Receivables 119.00 EUR\n"
        f"  Income:Revenue:{PLAN.capitalize()} -119.00 EUR\n"
    ) in text
    assert faults(text) == []


def test_a_link_has_no_letters_that_links_lack() -> None:
    (first, *_) = golden()
    strange = entry(
        [Posting(line.account, line.side, line.amount) for line in first.lines],
        invoice_number='Rechnung "№ 7"\\\n',
    )

    assert " ^Rechnung-7-" in beancount.transaction(strange)
    assert faults(book([strange])) == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("receivables", "Receivables"),
        ("credit_carried", "Credit-carried"),
        ("cash:stripe", "Cash:Stripe"),
        ("cash:bank_transfer", "Cash:Bank-transfer"),
        ("cash:bank-transfer", "Cash:X---bank-2d-transfer"),
        (f"revenue:{PLAN}", f"Revenue:{PLAN.capitalize()}"),
        ("tax:FR:5.5", "Tax:FR:5-5"),
        ("tax:ES-CN:7", "Tax:ES-CN:7"),
        ("cash:é", "Cash:X----e9-"),
        ("cash:", "Cash:X---"),
    ],
)
def test_account_names(code: str, name: str) -> None:
    account = Account(code, AccountKind.ASSET)

    assert names.name_of(account) == f"Assets:{name}"
    assert names.account_of(f"Assets:{name}") == account


@pytest.mark.parametrize("name", ["Assets", "Money:Cash", ""])
def test_no_account_is_called_so(name: str) -> None:
    with pytest.raises(ValueError):
        names.account_of(name)


CODES = st.text("aAzZ09-_.:é DE", min_size=1, max_size=16) | st.text(min_size=1, max_size=12)


@given(CODES, st.sampled_from(AccountKind))
@settings(max_examples=1000)
def test_every_code_is_read_back_from_its_name(code: str, kind: AccountKind) -> None:
    account = Account(code, kind)

    assert names.account_of(names.name_of(account)) == account


CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])
MINOR = st.integers(-(10**12), 10**12)
GATEWAYS = st.sampled_from(["stripe", "sandbox", "bank_transfer", "sepa-debit", "PayPal", "é ü"])
PLANS = st.builds(str, st.uuids())
TAXES = st.builds(
    Tax,
    st.just(TaxCategory.STANDARD),
    st.decimals(0, 30, places=2),
    country=st.sampled_from(["DE", "FR", "ES", "US"]),
    region=st.sampled_from(["", "CN", "NY"]),
)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
)


@st.composite
def random_postings(draw: Callable[..., object]) -> list[Posting]:
    """What a random rule makes of random amounts, of several currencies now and then."""
    currency: str = draw(CURRENCIES)  # type: ignore[assignment]  # hypothesis' own typing

    def some() -> Money:
        return Money(draw(MINOR), currency)  # type: ignore[arg-type]  # likewise

    gateway: str = draw(GATEWAYS)  # type: ignore[assignment]  # likewise
    net, tax, deferred = some(), some(), some()
    earned = {postings.revenue(draw(PLANS), draw(TEXTS)): net}  # type: ignore[arg-type]
    taxes = {postings.tax_payable(draw(TAXES)): tax}  # type: ignore[arg-type]
    rules = _rules((net, tax, deferred), gateway, earned, taxes)
    return draw(st.sampled_from(rules))()  # type: ignore[operator,no-any-return]  # likewise


def _rules(
    amounts: tuple[Money, Money, Money],
    gateway: str,
    earned: dict[Account, Money],
    taxes: dict[Account, Money],
) -> list[Callable[[], list[Posting]]]:
    net, tax, deferred = amounts
    return [
        lambda: postings.invoice_finalized(
            net + tax + deferred, earned=earned, deferred=deferred, taxes=taxes
        ),
        lambda: postings.payment_received(
            net, gateway=gateway, allocated={INVOICE: tax, ALICE: deferred}
        ),
        lambda: postings.credit_note_issued(
            earned=earned,
            deferred=deferred,
            taxes=taxes,
            to_due=net,
            to_credit=tax,
            to_refund=deferred,
        ),
        lambda: postings.refund_paid(net, gateway=gateway),
        lambda: postings.dispute_opened(net, gateway=gateway),
        lambda: postings.credit_expired(net, is_paid=True),
        lambda: postings.fee_charged(net, gateway=gateway),
        lambda: postings.revenue_recognized(earned),
        lambda: postings.mirrored(postings.usage_prepaid(net)),
    ]


@st.composite
def journals(draw: Callable[..., object]) -> list[ExportedEntry]:
    """Random facts in the order in which they were true."""
    facts: list[tuple[int, list[Posting], str, str]] = draw(  # type: ignore[assignment]
        st.lists(
            st.tuples(st.integers(0, 10_000), random_postings(), TEXTS, TEXTS),
            min_size=1,
            max_size=6,
        )
    )
    return [
        entry(found, at=APRIL + timedelta(hours=hours), key=key, invoice_number=number)
        for hours, found, key, number in sorted(facts, key=lambda fact: fact[0])
    ]


@given(journals())
@settings(max_examples=60, deadline=None)
def test_beancount_finds_no_fault_and_the_same_balances(entries: list[ExportedEntry]) -> None:
    text = book(entries)

    assert faults(text) == []
    assert balances(text) == {
        (row.account.code, row.currency): f"{row.closing.major}"
        for row in summed(entries)
        if row.closing
    }
