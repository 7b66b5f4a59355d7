"""Each check finds what it is for: the books are broken on purpose, past every guard."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.queries import verification, verification_journal, verification_returns
from billing.services import processing, sealing
from tests import agreeing
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.crooked_books]

_GRANT = (
    "INSERT INTO billing_creditgrant (id, kind, currency, amount_minor, remaining_minor, priority,"
    " reason, effective_at, created_by, created_at, customer_id) SELECT uuidv7(), 'PAID', 'USD'"
)
_RUN = (
    "INSERT INTO billing_dunningrun (id, invoice_id, customer_id, policy_name, terms, reason,"
    " started_at, ended_by, note, version, status, due_at, ended_at)"
    " SELECT uuidv7(), id, customer_id, 'x', '{}', 'DECLINED', now(), '', '', 1,"
)
BREAKS = {
    "every entry is sealed or waits for it": "DELETE FROM billing_unsealedentry",
    "what waits for its seal is of its entry's customer": "UPDATE billing_unsealedentry"
    " SET customer_id = NULL",
    "a sealed entry is as it was": "UPDATE billing_journalentry SET kind = 'X'",
    "the chain of blocks holds": "UPDATE billing_journalblock SET hash = repeat('a', 64)"
    " WHERE number = 1",
    "every seal is of a block that is there": "DELETE FROM billing_journalblock",
    "stored balances are what the sealed journal comes to": "UPDATE billing_projection"
    " SET value = to_jsonb(value::bigint + 1) WHERE processor = 'balances'",
    verification_journal.REBUILT: "DELETE FROM billing_projection WHERE processor = 'mrr'",
    "every journal entry balances": "UPDATE billing_journalline SET amount_minor = amount_minor + 1"
    " WHERE account_id LIKE 'revenue:%'",
    "a series has every number once": "UPDATE billing_invoiceseries SET next_number = 99",
    "an invoice's lines, less their discounts, with their taxes, sum to its total": "UPDATE"
    " billing_invoiceline SET amount_minor = 1",
    "an invoice's taxes are those of its lines": "UPDATE billing_invoiceline SET tax_minor = 7",
    "what is deferred is what the days to come will earn": "INSERT INTO billing_journalline"
    " (entry_id, account_id, side, amount_minor, currency) SELECT entry_id, 'deferred_revenue',"
    " side, 1, 'USD' FROM billing_journalline WHERE side = 'DEBIT'",
    "no line defers more than it earns": "INSERT INTO billing_deferral (customer_id, line_id,"
    " account, currency, amount_minor, starts_on, ends_on, recognized_until_on) SELECT customer_id,"
    " id, 'revenue', 'USD', amount_minor + 1, '2026-05-01', '2026-06-01', '2026-05-01'"
    " FROM billing_invoiceline",
    "a finalized invoice is in the journal, and no other": "UPDATE billing_journalentry"
    " SET idempotency_key = idempotency_key || 'x' WHERE kind = 'INVOICE_FINALIZED'",
    "what is owed is what nothing has settled, and nothing where it is paid": "UPDATE"
    " billing_allocation SET amount_minor = amount_minor - 1",
    "every success is a payment, and every payment of an attempt a success": "UPDATE"
    " billing_paymentattempt SET status = 'FAILED'",
    "a payment is what it settles and what became credit, and is booked as cash": "UPDATE"
    " billing_payment SET gateway = 'x'",
    "a payment settles invoices of its own customer and currency": "UPDATE billing_payment"
    " SET currency = 'EUR'",
    "of a grant is left what was not drawn": f"{_GRANT}, 100, 99, 50, '', now(), '', now(),"
    " customer_id FROM billing_payment",
    "a customer's credit in the journal is what their grants have left": f"{_GRANT}, 100, 100, 50,"
    " '', now(), '', now(), customer_id FROM billing_payment",
    "prepaid usage in the journal is what was drawn for periods not invoiced": "UPDATE"
    " billing_journalline SET account_id = 'prepaid_usage' WHERE account_id = 'receivables'"
    " AND side = 'CREDIT'",
    "a draw says what it was for": "INSERT INTO billing_creditdraw (grant_id, kind, amount_minor,"
    " created_by, created_at) VALUES (uuidv7(), 'INVOICE', 1, '', now())",
    "credit that was sold came once, and not before it was paid": "UPDATE billing_invoiceline"
    " SET kind = 'CREDIT'",
    "instalments follow each other, and ask for no more than their invoice": "INSERT INTO"
    " billing_instalment (position, amount_minor, due_at, invoice_id) SELECT 2, 1, now(), id"
    " FROM billing_invoice",
    "what is dunned is in error, its customer's, and due some time": f"{_RUN} 'RUNNING', now(),"
    " NULL FROM billing_invoice",
    "dunning is in the journal from its beginning to its end": f"{_RUN} 'RUNNING', now(), NULL"
    " FROM billing_invoice",
    "every dunning notice is in the journal, and no other": "INSERT INTO billing_dunningnotice"
    " (run_id, position, subject, text, created_at) VALUES (uuidv7(), 1, 'x', 'x', now())",
    "what is written off is in the journal, and nothing else": "UPDATE billing_invoice"
    " SET status = 'UNCOLLECTIBLE'",
    "nothing is charged again by itself where dunning stopped": f"{_RUN} 'STOPPED', NULL, now()"
    " FROM billing_invoice; UPDATE billing_invoice SET next_charge_at = now()",
    "usage totals equal their events": "UPDATE billing_usagetotal SET quantity = quantity + 1",
    "unique values equal their events": "INSERT INTO billing_usagevalue"
    " (period_id, meter_id, component, value, events, day)"
    " SELECT period_id, meter_id, component, 'x', 1, '2026-04-20' FROM billing_usagetotal LIMIT 1",
    "usage days equal their events": "UPDATE billing_usageday SET quantity = quantity + 1",
    "no event waits where a period counts it": "UPDATE billing_usageevent SET period_id = NULL",
    "periods follow each other": "UPDATE billing_billingperiod"
    " SET ends_at = ends_at + '1 day'::interval",
    "a closed period is charged whole, its usage once for each price": "UPDATE"
    " billing_billingperiod SET charged_until = starts_at",
    "recurring charges are what the periods say": "UPDATE billing_billingperiod"
    " SET recurring_minor = recurring_minor + 1",
    "a coupon was redeemed as often as it counts": "INSERT INTO plans_coupon (id, code,"
    " percent_off, currency, duration, redemptions, plan_ids, created_by, created_at)"
    " VALUES (uuidv7(), 'X', 5, '', 'ONCE', 1, '{}', '', now())",
    "what is due next is the end of the period or the next change": "UPDATE billing_subscription"
    " SET due_at = due_at + '1 day'::interval",
    "the fees in the journal are those that gateways kept": "INSERT INTO billing_gatewaymovement"
    " (id, gateway, external_id, kind, amount_minor, fee_minor, currency, source_external_id,"
    " description, occurred_at) VALUES (uuidv7(), 'x', 'x', 'FEE', 0, 5, 'USD', '', '', now())",
    "the bank account is what gateways paid out": "INSERT INTO billing_gatewaypayout (id, gateway,"
    " external_id, amount_minor, currency, status, created_at)"
    " VALUES (uuidv7(), 'x', 'x', 5, 'USD', 'PAID', now())",
    "no invoice is charged twice": "INSERT INTO billing_paymentattempt (id, gateway, amount_minor,"
    " currency, status, external_id, decline_code, decline_message, is_hard_decline, created_by,"
    " created_at, invoice_id, payment_method_id, tries, is_undecided, route_reason)"
    " SELECT uuidv7(), gateway, amount_minor, currency, status, external_id || '2', '', '', false,"
    " '', created_at, invoice_id, payment_method_id, 1, false, '' FROM billing_paymentattempt",
}


@pytest.fixture(scope="module")
def told_once(lasting: None) -> World:
    """A paid month with usage."""
    world = World()
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice)
    world.at("2026-04-20").uses(alice, 300)
    world.at("2026-05-01")
    sealing.seal(now=world.now)
    processing.digest()
    return world.at("2026-06-01")


def test_sound_books_find_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_books")
    assert "The books agree" in capsys.readouterr().out


def test_every_check_is_broken_here() -> None:
    elsewhere = set(verification_returns.CHECKS)
    assert set(BREAKS) == {*verification.CHECKS, verification_journal.REBUILT} - elsewhere


@pytest.mark.parametrize("check", BREAKS)
def test_a_broken_book_is_found(world: World, check: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(BREAKS[check])
        cursor.execute("SET session_replication_role = DEFAULT")

    assert check in {found.check for found in verification.discrepancies()}
    assert agreeing.discrepancies() != []
    with pytest.raises(CommandError, match="discrepancies"):
        call_command("verify_books")
