"""Policies and customers for the stories about dunning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core.dunning import DunningPolicy, FinalAct, Notice
from billing.models import DunningRun, Invoice, JournalEntry
from billing.services import dunning_policies, invoices
from billing.services.dunning_policies import Use
from customers.models import Customer
from tests.builders import LONG_AGO
from tests.world import World

STRICT = DunningPolicy(
    name="strict",
    retry_after_days=(2, 4),
    grace_days=5,
    notices=(
        Notice(0, "Invoice {number} is not paid", "{amount} were due on {due_on}. {url}"),
        Notice(7, "Reminder: {number}", "We end your plan on {final_on}."),
    ),
    final_act=FinalAct.CANCEL,
    final_after_days=10,
)


def made(policy: DunningPolicy = STRICT, *, plans: Sequence[UUID] | None = None) -> UUID:
    """A policy: the default, unless it is for some plans."""
    use = Use(is_default=plans is None, plans=plans)
    return dunning_policies.create(policy, by="test", now=LONG_AGO, use=use).pk


def subscriber(world: World, token: str) -> Customer:
    """On Premium from 11 April 2026; 114.00 are charged on 1 May."""
    alice = world.at("2026-03-28 09:00").signs_up("alice", "Premium")
    world.at("2026-04-11 15:00").adds_card(alice, token)
    return alice


def billed_by_hand(world: World, customer: Customer, amount: str = "100.00") -> Invoice:
    """A finalized invoice that nobody charges: it is due in 14 days."""
    invoice = world.drafts(customer, amount)
    with transaction.atomic():
        invoices.finalize([invoice], now=world.now)
    return invoice


def run_of(customer: Customer) -> DunningRun:
    """The first of their runs."""
    runs = DunningRun.objects.select_related("invoice").filter(customer=customer)
    return runs.earliest("pk")


def told(customer: Customer) -> list[tuple[str, str]]:
    """The day and subject of every notice about the first invoice that failed."""
    notices = run_of(customer).notices.order_by("created_at")
    return [(f"{notice.created_at:%m-%d %H:%M}", notice.subject) for notice in notices]


def facts(customer: Customer) -> list[tuple[str, str]]:
    """The day and kind of what the journal says of that run."""
    rows = JournalEntry.objects.filter(customer=customer, kind__startswith="DUNNING").filter(
        context__run=str(run_of(customer).pk)
    )
    return [(f"{row.occurred_at:%m-%d}", row.kind) for row in rows.order_by("occurred_at", "pk")]


def changed(**fields: Any) -> DunningPolicy:
    """`STRICT` with something else."""
    return replace(STRICT, **fields)


def tried(customer: Customer) -> list[str]:
    """The days of all charges of their first invoice."""
    first = Invoice.objects.filter(customer=customer, subscription__isnull=False).earliest("pk")
    attempts = first.attempts.order_by("created_at")
    return [f"{at:%m-%d}" for at in attempts.values_list("created_at", flat=True)]
