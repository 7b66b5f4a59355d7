"""Stories in which, together, everything happens that the world is told of."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from django.db import transaction

from billing.core.changes import Act
from billing.core.crediting import Request
from billing.core.dunning import DunningPolicy, FinalAct, Notice
from billing.core.instalments import Part
from billing.core.lifecycle import DisputeStatus, MovementKind, PayoutStatus
from billing.core.returning import Destination
from billing.gateways.abilities import Evidence, Payout
from billing.gateways.base import Dispute
from billing.models import PaymentMethod
from billing.services import (
    corrections,
    credit_sales,
    customers,
    disputes,
    dunning,
    dunning_days,
    entitlement_changes,
    erasure,
    evidence,
    grants,
    instalments,
    invoices,
    items,
    payment_methods,
    payments,
    prepaid,
    reversals,
    schedule,
    settlements,
)
from customers.models import Customer
from plans import services as plan_services
from plans.prices import Price, UsageModel
from plans.services import CouponTerms
from plans.terms import UsageTerms
from tests.admin.reporting import Reporting, line
from tests.hearing import HearingGateway
from tests.offering import offer
from tests.services.dunned import billed_by_hand, made, run_of
from tests.services.paying import bill, give, money, pay
from tests.services.returning import credit, payment_of, pays, refund
from tests.world import World

# Written wherever people write freely; it is a person's name, for all anybody knows.
WORDS: Final = "Zq7 Liddell"
_DUNNED: Final = DunningPolicy(
    name="dunned",
    retry_after_days=(2,),
    grace_days=5,
    notices=(Notice(0, "Not paid", "{amount}. {url}"),),
    final_act=FinalAct.WRITE_OFF,
    final_after_days=10,
)
_DIME: Final = UsageTerms("api_calls", Price(UsageModel.PER_UNIT, Decimal("0.10")))


def all_of(world: World, patch: pytest.MonkeyPatch) -> None:
    """One after the other, from April 2026 on."""
    world.at("2026-04-01")
    _sells(world)
    _subscription(world)
    _trials(world)
    _dunning(world)
    _charges(world)
    _money_by_hand(world)
    _credit(world)
    _money_back(world)
    _disputes(world)
    _gateway(world, patch)
    _entitlements(world)


def _sells(world: World) -> None:
    for name, amount in (("Start", "10.00"), ("Pro", "30.00"), ("Team", "20.00")):
        world.sells(name, amount, trial_days=0)
    world.sells("Tried", "10.00", trial_days=14)
    world.sells("Prepaid", "0", usage=(_DIME,), is_prepaid=True, trial_days=0)
    terms = CouponTerms(percent_off=Decimal(10))
    plan_services.create_coupon("SPRING", terms=terms, by="test", now=world.now)


def _payer(world: World, name: str, token: str = "tok_ok") -> Customer:
    customer = world.customer(name)
    world.adds_card(customer, token)
    return customer


def _subscription(world: World) -> None:
    """Made through what announces customers, changed in every way, and ended."""
    alice = customers.create(
        "alice",
        fields={"name": WORDS, "email": "alice@example.org", "line1": "1 Rabbit Hole"},
        by="test",
        now=world.now,
        test_clock=world.clock,
    )
    customers.update(alice.pk, fields={"city": "Oxford"}, by="test", now=world.now)
    world.adds_card(alice)
    world.adds_card(alice, "tok_insufficient_funds")
    world.adds_card(alice)
    *_, spare = PaymentMethod.objects.filter(customer=alice).order_by("pk")
    first = PaymentMethod.objects.filter(customer=alice).earliest("pk")
    payment_methods.make_default(first.pk, by="test", now=world.now)
    payment_methods.remove(spare.pk, by="test", now=world.now)
    world.subscribes(alice, "Start", coupon="SPRING")
    world.changes(alice, plan="Pro")
    subscription = world.subscription(alice)
    later = world.changes(alice, quantity=1, plan="Start", when="period_end")
    schedule.withdraw(subscription.pk, later.pk, by="test", now=world.now)
    world.changes(alice, plan="Team", when="2026-04-10")
    plan_services.retire(world.plans["Team"].pk, by="test", now=world.now)
    world.at("2026-04-11")
    world.changes(alice, act=Act.PAUSE)
    world.at("2026-04-12").changes(alice, act=Act.RESUME)
    world.cancels(alice, "now")
    mallory = customers.create("mallory", fields={}, by="test", now=world.now)
    erasure.erase(mallory.pk, by="test", now=world.now)


def _trials(world: World) -> None:
    """One ends with a card, later than it was to, and one without."""
    bob = _payer(world, "bob")
    world.subscribes(bob, "Tried")
    ends_at = world.now + timedelta(days=16)
    schedule.set_trial_end(world.subscription(bob).pk, ends_at, by="test", now=world.now)
    world.signs_up("carol", "Tried")
    world.at("2026-05-05").cancels(bob, "now")


def _dunning(world: World) -> None:
    """One pays in the end, one never does, one is late, and one is left alone."""
    made(_DUNNED)
    dan = _payer(world, "dan", "tok_declined")
    world.subscribes(dan, "Start")
    run = run_of(dan)
    dunning.stop(run.pk, by="test", now=world.now, note=WORDS)
    dunning.resume(run.pk, by="test", now=world.now)
    world.adds_card(dan)
    world.cancels(dan, "now")
    world.subscribes(_payer(world, "erin", "tok_declined"), "Start")
    late = world.customer("frank")
    billed_by_hand(world, late)
    world.at("2026-06-10")
    dunning_days.overdue(now=world.now, clock=world.clock)


def _charges(world: World) -> None:
    """One that takes its time, one that asks its payer, one in parts."""
    for token in ("tok_processing", "tok_action"):
        payer = _payer(world, token.removeprefix("tok_"), token)
        draft = world.drafts(payer, "7.00")
        if token == "tok_processing":
            first = draft.lines.get()
            items.change(draft.pk, first.pk, {"description": WORDS}, now=world.now)
        payments.collect(world.charges(draft).pk, now=world.now)
    grace = world.customer("grace")
    owed = bill(world, grace, "90.00")
    days = [world.now + timedelta(days=number) for number in (10, 20)]
    parts = [Part(money("45.00"), at) for at in days]
    instalments.agree(owed.pk, parts, by="test", now=world.now)
    instalments.withdraw(owed.pk, by="test", now=world.now)
    invoices.cancel(owed.pk, by="test", now=world.now)


def _money_by_hand(world: World) -> None:
    """A transfer is put on the wrong invoice, and another one bounces."""
    heidi = world.customer("heidi")
    first, second = bill(world, heidi, "20.00"), bill(world, heidi, "30.00")
    wrong = pay(world, heidi, "20.00", (first, "20.00"), reference=WORDS)
    reversals.reverse_allocation(wrong.pk, first.pk, by="test", reason=WORDS, now=world.now)
    bounced = pay(world, heidi, "30.00", (second, "30.00"), reference=f"{WORDS} 2")
    reversals.reverse(bounced.pk, by="test", reason=WORDS, now=world.now)


def _credit(world: World) -> None:
    """Given, sold, used, drawn by usage, given back, taken back, lapsed."""
    ivan = _payer(world, "ivan")
    give(world, ivan, "3.00")
    give(world, world.customer("lena"), "3.00", expires="2026-06-20")
    voided = give(world, ivan, "2.00")
    grants.void(voided.pk, by="test", reason=WORDS, now=world.now)
    owed = bill(world, ivan, "1.00")
    assert owed.status == "PAID"
    with transaction.atomic():
        credit_sales.sell(ivan.pk, money("40.00"), expires_at=None, by="test", now=world.now)
    world.settles()
    world.subscribes(ivan, "Prepaid")
    world.uses(ivan, 120)
    prepaid.draw(ivan.pk, now=world.now)
    corrections.withdraw("ivan", "event-1", by="test", now=world.now)
    prepaid.draw(ivan.pk, now=world.now)
    judy = world.customer("judy")
    settled = bill(world, judy, "5.00")
    transfer = pay(world, judy, "8.00", (settled, "5.00"))
    other = bill(world, judy, "3.00")
    assert other.status == "PAID"
    reversals.reverse(transfer.pk, by="test", reason=WORDS, now=world.now)
    world.at("2026-06-21")


def _money_back(world: World) -> None:
    """A part by a credit note, all of another one, and one that cannot go back."""
    kate = world.customer("kate")
    part = pays(world, kate, "50.00")
    credit(world, part, Request(amount=money("5.00")), to=Destination.BALANCE)
    refund(world, pays(world, kate, "10.00"))
    refund(world, pays(world, world.customer("luke"), "10.00", token="tok_refund_declined"))


def _disputes(world: World) -> None:
    """Customers contest with us, and win and lose."""
    for name, status in (("mia", DisputeStatus.WON), ("nina", DisputeStatus.LOST)):
        paid = pays(world, world.customer(name), "11.00")
        [row] = disputes.contest(paid.pk, by="test", reason=WORDS, now=world.now)
        disputes.decide(row.pk, status, by="test", now=world.now)


def _gateway(world: World, patch: pytest.MonkeyPatch) -> None:
    """A bank contests; the gateway pays out, and the payout comes back."""
    paid = pays(world, world.customer("oscar"), "12.00")
    payment = payment_of(paid)
    assert payment.attempt is not None
    charge = payment.attempt.external_id
    told = Dispute("dp_1", charge, payment.amount, DisputeStatus.OPEN, "fraudulent")
    row = disputes.follow(payment.pk, told, now=world.now)
    hearing = HearingGateway()
    patch.setattr(hearing, "submit_evidence", lambda *_: told, raising=False)
    with pytest.MonkeyPatch.context() as there:
        offer(there, hearing)
        evidence.submit(row.pk, Evidence(WORDS), by="test", now=world.now)
    for status in (PayoutStatus.PAID, PayoutStatus.FAILED):
        payout = Payout("po_1", money("11.00"), status, world.now)
        lines = [line(charge, "12.00", "1.00", now=world.now, kind=MovementKind.CHARGE)]
        with pytest.MonkeyPatch.context() as there:
            offer(there, Reporting(payout, lines))
            settlements.take_over("sandbox", since=world.now, now=world.now)


def _entitlements(world: World) -> None:
    """Usage comes near a limit, and a worker looks."""
    world.sells("Walled", "1.00", limits={"api_calls": "10"})
    peggy = world.signs_up("peggy", "Walled")
    world.adds_card(peggy)
    world.uses(peggy, 8)
    while entitlement_changes.tell(now=world.now):
        pass
