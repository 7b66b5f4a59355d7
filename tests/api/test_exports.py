"""`/exports`: the journal, a month's totals, the documents; all of it streamed."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.core import postings
from billing.core.exporting import names
from billing.core.money import Money
from billing.core.postings import Posting
from billing.core.taxes import Tax, TaxCategory
from billing.models import JournalEntry
from billing.queries import exports
from billing.queries.exports import Form, Selection
from billing.services import journal
from billing.services.journal import Fact
from customers.models import Customer
from tests.api.calling import BASE, Caller
from tests.exporting import balances, bean_check

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crooked_books]

APRIL = datetime(2026, 4, 1, 9, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def post(customer: Customer | None, found: list[Posting], *, at: datetime, **said: str) -> None:
    """Enter a fact."""
    number = JournalEntry.objects.count()
    fact = Fact(
        kind=said.get("kind", "INVOICE_FINALIZED"),
        key=said.get("key", f"fact:{number}"),
        customer_id=customer.pk if customer else None,
        occurred_at=at,
        context={"note": 'a "quoted"\nline'},
        postings=found,
    )
    with transaction.atomic():
        journal.post(fact)


@pytest.fixture
def books(alice: Customer, operator: Caller) -> None:
    """Three currencies, taxes, strange names; April and May."""
    german = Tax(TaxCategory.STANDARD, Decimal(19), country="DE")
    canarian = Tax(TaxCategory.STANDARD, Decimal("5.5"), country="ES", region="CN")
    gold = postings.revenue("a198d5a2-0000-7000-8000-000000000001", 'Gold "1"\n\\ ünder; * !')
    for day, (currency, minor) in enumerate((("EUR", 10000), ("JPY", 500), ("KWD", 1234))):
        net, tax = Money(minor, currency), Money(minor // 5, currency)
        sold = postings.invoice_finalized(
            net + tax + tax,
            earned={gold: net},
            deferred=Money.zero(currency),
            taxes={postings.tax_payable(german): tax, postings.tax_payable(canarian): tax},
        )
        post(alice, sold, at=APRIL + timedelta(days=day))
        paid = postings.payment_received(net, gateway="sepa-debit", allocated={})
        post(alice, paid, at=MAY + timedelta(days=day), kind="PAYMENT_RECEIVED", key=f'"{day}"\\')
    post(None, postings.credit_granted(Money(5, "EUR")), at=MAY, kind="CREDIT_GRANTED")
    post(alice, [], at=MAY, kind="SUBSCRIPTION_STARTED")


def text_of(operator: Caller, query: str) -> str:
    """The journal, exported."""
    answer = operator.get(f"/exports/journal?{query}")
    assert answer.status == 200
    return str(answer.body)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&from=2026-04-02T00:00:00Z",
        "&to=2026-05-01T00:00:00Z",
        "&from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z",
        "&kind=payment_received&from=2026-05-02T00:00:00Z",
        "&from=2027-01-01T00:00:00Z",
        "&to=2020-01-01T00:00:00Z",
    ],
)
def test_bean_check_accepts_every_part_of_the_journal(
    books: None, operator: Caller, tmp_path: Path, query: str
) -> None:
    assert bean_check(text_of(operator, f"format=beancount{query}"), tmp_path) == ""


def test_beancounts_balances_are_ours(books: None, operator: Caller) -> None:
    text = text_of(operator, "format=beancount&from=2026-05-01T00:00:00Z")

    ours = {
        (row.account.code, row.currency): f"{row.closing.major}"
        for row in exports.totals(Selection())
        if row.closing
    }
    assert len(ours) == 19
    assert balances(text) == ours
    assert '* "Opening balances"\n  Assets:Receivables 140.00 EUR\n' in text


def test_of_one_customer(books: None, operator: Caller, alice: Customer, tmp_path: Path) -> None:
    text = text_of(operator, f"format=beancount&customer={alice.pk}")

    assert bean_check(text, tmp_path) == ""
    assert names.name_of(postings.PROMOTIONS) not in text


def test_csv_has_a_row_for_each_posting(books: None, operator: Caller) -> None:
    answer = operator.get("/exports/journal?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    disposition = 'attachment; filename="journal-2026-05-01-2026-05-02.csv"'
    assert answer.headers["Content-Disposition"] == disposition
    heading, *rows = str(answer.body).splitlines()
    assert heading.startswith("entry,line,occurred_at,recorded_at,kind,account,")
    assert len(rows) == 4
    assert ",payment_received,cash:sepa-debit,Money at sepa-debit,asset,100.00,,EUR," in rows[0]


def test_json_lines_have_every_fact(books: None, operator: Caller) -> None:
    facts = [json.loads(line) for line in text_of(operator, "format=jsonl").splitlines()]

    assert len(facts) == JournalEntry.objects.count() == 8
    assert [fact["occurred_at"] for fact in facts] == sorted(fact["occurred_at"] for fact in facts)
    assert facts[0]["context"] == {"note": 'a "quoted"\nline'}
    assert [len(fact["lines"]) for fact in facts].count(0) == 1


def test_totals_of_a_month(books: None, operator: Caller) -> None:
    body = operator.get("/exports/totals?month=2026-05").body

    assert body["month"] == "2026-05"
    rows = {(row["account"], row["currency"]): row for row in body["totals"]}
    assert rows["receivables", "KWD"] == {
        "account": "receivables",
        "name": "Owed by customers",
        "kind": "asset",
        "currency": "KWD",
        "opening": "1.726",
        "debit": "0.000",
        "credit": "0.000",
        "closing": "1.726",
    }
    assert rows["customer_credit", "EUR"]["closing"] == "-100.05"
    assert sum(Decimal(row["closing"]) for row in body["totals"] if row["currency"] == "JPY") == 0


def test_totals_as_csv(books: None, operator: Caller) -> None:
    answer = operator.get("/exports/totals?month=2026-04&format=csv")

    assert str(answer.body).splitlines()[0] == (
        "month,account,name,kind,currency,opening,debit,credit,closing"
    )
    assert "2026-04,receivables,Owed by customers,asset,JPY,0,700,0,700" in str(answer.body)
    assert "cash" not in str(answer.body)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("journal?format=xml", "format"),
        ("journal?from=2026-05-01T00:00:00Z&to=2026-05-01T00:00:00Z", "to"),
        ("totals?month=2026-13", "month"),
        ("totals", "month"),
        ("invoices?status=lost", "status"),
    ],
)
def test_bad_queries(operator: Caller, path: str, field: str) -> None:
    answer = operator.get(f"/exports/{path}")

    assert (answer.status, list(answer.body["errors"])) == (400, [field])


def test_an_unknown_customer(operator: Caller) -> None:
    path = "/exports/journal?customer=0198d5a2-0000-7000-8000-000000000001"

    assert operator.get(path).status == 404


@pytest.fixture
def many(alice: Customer) -> int:
    """More facts than are read at once."""
    amount = 3 * exports.AT_ONCE + 1
    facts = [
        Fact(
            "CREDIT_GRANTED",
            f"f:{n}",
            alice.pk,
            APRIL,
            {},
            postings.credit_granted(Money(n, "USD")),
        )
        for n in range(1, amount + 1)
    ]
    with transaction.atomic():
        journal.post(*facts)
    return amount


def test_memory_stays_flat(many: int) -> None:
    """Entries are read batch by batch, and those that were sent are gone."""
    alive = 0
    with CaptureQueriesContext(connection) as queries:
        pieces = 0
        for _ in exports.journal(Selection(), Form.JSONL):
            pieces += 1
            gc.collect()  # an entry and its postings name each other
            alive = max(alive, sum(type(thing) is JournalEntry for thing in gc.get_objects()))
    assert alive <= exports.AT_ONCE + 1
    assert pieces > 10
    lines = [query for query in queries if "billing_journalline" in query["sql"]]
    assert len(lines) == 4


def open_transactions() -> int:
    """Sessions of this database, other than the asking one, that hold a transaction open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("path", ["journal?format=beancount", "journal?format=jsonl", "invoices"])
def test_a_client_that_hangs_up_leaves_no_transaction(
    many: int, operator: Caller, path: str
) -> None:
    response = Client().get(
        f"{BASE}/exports/{path}", headers={"Authorization": f"Bearer {operator.token}"}
    )
    assert response.streaming
    chunks = iter(response.streaming_content)  # type: ignore[attr-defined]  # it streams
    next(chunks)
    assert connection.in_atomic_block is (path != "invoices")  # there are none: it is done

    response.close()

    assert not connection.in_atomic_block
    assert open_transactions() == 0
    assert JournalEntry.objects.count() == many  # the connection serves on


def test_nothing_is_opened_before_the_first_piece(books: None, operator: Caller) -> None:
    head = operator.send("HEAD", "/exports/journal", None)

    assert head.status == 200
    assert not connection.in_atomic_block


def test_what_is_entered_meanwhile_is_not_told(many: int, alice: Customer) -> None:
    pieces = exports.journal(Selection(), Form.BEANCOUNT)
    first = next(pieces)
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("on",)
    text = (first + b"".join(pieces)).decode()

    assert text.count('"credit_granted"') == many


def test_the_command_writes_what_the_api_streams(
    books: None, operator: Caller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal"
    span = ["--from", "2026-04-02", "--to", "2026-05-02"]

    call_command("export", "journal", "--format", "beancount", *span, "--output", str(path))

    query = "format=beancount&from=2026-04-02T00:00:00Z&to=2026-05-02T00:00:00Z"
    assert path.read_text(encoding="utf-8") == text_of(operator, query)
    call_command("export", "totals", "--month", "2026-04")
    answer = operator.get("/exports/totals?month=2026-04&format=csv")
    assert capsys.readouterr().out == answer.body


@pytest.mark.parametrize(
    "arguments",
    [
        ["totals"],
        ["totals", "--month", "2026-13"],
        ["journal", "--from", "yesterday"],
        ["journal", "--customer", "nobody"],
        ["journal", "--customer", "0198d5a2-0000-7000-8000-000000000001"],
        ["journal", "--output", "/nowhere/at/all"],
    ],
)
def test_what_the_command_refuses(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("export", *arguments)
