"""The only writer of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core.postings import Posting, is_balanced
from billing.models import JournalEntry, JournalLine, LedgerAccount, bulk


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, to be entered once.

    :param key: names the fact; a second one of that name is refused by the database.
    :param context: what is needed to understand the entry alone; never personal data.
    :param invoice_id: what the postings are owed or paid on.
    """

    kind: str
    key: str
    customer_id: UUID
    occurred_at: datetime
    context: dict[str, Any]
    postings: Sequence[Posting] = field(default_factory=tuple)
    invoice_id: UUID | None = None


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
            occurred_at=fact.occurred_at,
            idempotency_key=fact.key,
            context=fact.context,
        )
        for fact in facts
    ]
    bulk.insert(entries)
    _ensure_accounts(facts)
    bulk.insert(
        JournalLine(
            entry=entry,
            account_id=posting.account.code,
            side=posting.side,
            amount_minor=posting.amount.minor,
            currency=posting.amount.currency,
            invoice_id=fact.invoice_id,
        )
        for entry, fact in zip(entries, facts, strict=True)
        for posting in fact.postings
    )


def _ensure_accounts(facts: Sequence[Fact]) -> None:
    accounts = {posting.account for fact in facts for posting in fact.postings}
    known = set(
        LedgerAccount.objects.filter(code__in=[account.code for account in accounts]).values_list(
            "code", flat=True
        )
    )
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(code=account.code, kind=account.kind)
            for account in sorted(accounts, key=lambda account: account.code)
            if account.code not in known
        ],
        ignore_conflicts=True,
    )
