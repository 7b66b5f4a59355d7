"""The only writer of the journal. What is entered, the world is told of (see `outgoing`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core import events
from billing.core.entitlements import MOVING
from billing.core.events import Source
from billing.core.postings import Account, Posting, is_balanced
from billing.models import (
    EntitlementMark,
    JournalEntry,
    JournalLine,
    LedgerAccount,
    UnsealedEntry,
    bulk,
)
from billing.services import outgoing


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, to be entered once.

    :param key: names the fact; a second one of that name is refused by the database.
    :param customer_id: whom it concerns; None for what concerns many at once.
    :param context: what is needed to understand the entry alone; never personal data.
    :param invoice_id: what those postings are owed or paid on that do not say it themselves.
    :param source_kind: the kind of document it came of: `invoice`, `payment`, `credit_note`,
        `refund`, `credit_grant`, `dispute`, `subscription`, `payout`.
    """

    kind: str
    key: str
    customer_id: UUID | None
    occurred_at: datetime
    context: dict[str, Any]
    postings: Sequence[Posting] = field(default_factory=tuple)
    invoice_id: UUID | None = None
    source_kind: str = ""
    source_id: UUID | None = None


def post(*facts: Fact) -> None:
    """Enter facts, all or none, in a transaction of the caller's."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A fact is entered in the transaction that made it true.")
    for fact in facts:
        if not is_balanced(fact.postings):
            raise ValueError(f"{fact.key} does not balance.")
    entries = [
        JournalEntry(
            kind=fact.kind,
            customer_id=fact.customer_id,
            source_kind=fact.source_kind,
            source_id=fact.source_id,
            occurred_at=fact.occurred_at,
            idempotency_key=fact.key,
            context=fact.context,
        )
        for fact in facts
    ]
    bulk.insert(entries)
    bulk.insert(UnsealedEntry(entry=entry, customer_id=entry.customer_id) for entry in entries)
    moved = {fact.customer_id for fact in facts if fact.kind in MOVING and fact.customer_id}
    bulk.insert(EntitlementMark(customer_id=customer_id) for customer_id in moved)
    open_accounts({posting.account for fact in facts for posting in fact.postings})
    bulk.insert(
        JournalLine(
            entry=entry,
            account_id=posting.account.code,
            side=posting.side,
            amount_minor=posting.amount.minor,
            currency=posting.amount.currency,
            invoice_id=posting.invoice_id or fact.invoice_id,
        )
        for entry, fact in zip(entries, facts, strict=True)
        for posting in fact.postings
    )
    if not facts:
        return
    told = (events.of_fact(fact.kind, fact.context, _source(fact)) for fact in facts)
    outgoing.announce_all(each for each in told if each is not None)


def _source(fact: Fact) -> Source:
    return Source(fact.customer_id, fact.source_id, fact.invoice_id, fact.occurred_at)


def open_accounts(accounts: Collection[Account]) -> None:
    """See that accounts are in the chart."""
    known = set(
        LedgerAccount.objects.filter(code__in=[account.code for account in accounts]).values_list(
            "code", flat=True
        )
    )
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(code=account.code, name=account.name, kind=account.kind)
            for account in sorted(accounts, key=lambda account: account.code)
            if account.code not in known
        ],
        ignore_conflicts=True,
    )
