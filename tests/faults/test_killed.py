"""Workers that die, and databases that go away, at every step of a charge, a refund, a set-up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import DatabaseError, InterfaceError, connection, connections

from billing import tasks
from billing.core.lifecycle import AttemptStatus
from billing.gateways.stripe.gateway import StripeGateway
from billing.models import CheckoutSession, PaymentAttempt, Refund
from billing.services import journal, payment_methods, payments, refunds
from tests.faults.conftest import Stripe, keys
from tests.faults.shop import Shop
from tests.faults.verbs import STRIPE, VERBS, Charging, Refunding
from tests.offering import offer
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

FORK: Final = multiprocessing.get_context("fork")
WORDS: Final = {"charge": "charge", "refund": "refund", "setup": "start_setup"}
SERVICES: Final = {"charge": payments, "refund": refunds, "setup": payment_methods}
STEPS: Final = ("before the call", "in the call", "before the commit", "after the commit")


class KilledError(BaseException):
    """What kills a worker: nothing catches it."""


def die() -> None:
    raise KilledError


def lose_connection() -> None:
    """The server goes away under the worker, who goes on."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def strike(patch: pytest.MonkeyPatch, verb: str, step: str, blow: Callable[[], None]) -> None:
    """Let something happen to whoever comes to this step."""
    places: dict[str, tuple[Any, str, bool]] = {
        "before the call": (StripeGateway, WORDS[verb], False),
        "in the call": (StripeGateway, WORDS[verb], True),
        "before the commit": (journal, "post", True),
        "after the commit": (SERVICES[verb], "settle", True),
    }
    owner, name, is_after = places[step]
    usual = getattr(owner, name)

    def struck(*args: Any, **kwargs: Any) -> Any:
        if not is_after:
            blow()
        answer = usual(*args, **kwargs)
        if is_after:
            blow()
        return answer

    patch.setattr(owner, name, struck)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("step", STEPS)
def test_what_a_killed_worker_leaves_is_taken_over(
    shop: Shop, stripe: Stripe, step: str, verb: str
) -> None:
    shop.offers(stripe.gateway)
    row = VERBS[verb](shop, STRIPE, stripe.till)
    row.begins()
    with shop.patching() as patch:
        strike(patch, verb, step, die)
        with pytest.raises(KilledError):
            row.happens()

    row.goes_on()
    row.ends()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("step", STEPS[:3])
def test_what_a_lost_connection_leaves_is_taken_over(
    shop: Shop, stripe: Stripe, step: str, verb: str
) -> None:
    shop.offers(stripe.gateway)
    row = VERBS[verb](shop, STRIPE, stripe.till)
    row.begins()
    with shop.patching() as patch:
        strike(patch, verb, step, lose_connection)
        [error] = at_once(row.happens)
    assert isinstance(error, DatabaseError | InterfaceError)
    assert not CheckoutSession.objects.exclude(external_id="").filter(status="OPEN").exists()

    row.goes_on()
    row.ends()


def test_a_lock_lost_with_the_connection_lets_two_ask_and_one_charge(
    shop: Shop, stripe: Stripe
) -> None:
    """The lock is gone while its holder still asks: the key alone keeps them to one charge."""
    shop.offers(stripe.gateway)
    row = Charging(shop, STRIPE, stripe.till)
    row.begins()

    def overtaken() -> None:
        lose_connection()
        patch.undo()
        at_once(row.happens)

    with shop.patching() as patch:
        strike(patch, "charge", "before the call", overtaken)
        at_once(row.happens)

    row.goes_on()
    row.ends()
    assert keys(stripe) == [f"attempt:{row.attempt.pk}"] * 2


@pytest.mark.parametrize("verb", ["charge", "refund"])
def test_a_process_killed_in_mid_call_gives_way_to_the_sweeper(
    shop: Shop, stripe: Stripe, verb: str
) -> None:
    shop.offers(stripe.gateway)
    row: Charging | Refunding = (Charging if verb == "charge" else Refunding)(
        shop, STRIPE, stripe.till
    )
    row.begins()
    sent = row.attempt if isinstance(row, Charging) else row.row
    stripe.stand_in.fail(STRIPE.paths[verb], action="slow", moment="after", delay=20)
    connections.close_all()
    worker = FORK.Process(target=_work, args=(verb, sent.pk))
    worker.start()
    assert worker.pid is not None
    there = stripe.till.taken if verb == "charge" else stripe.till.returned
    deadline = time.monotonic() + 15
    while not there() and time.monotonic() < deadline:
        time.sleep(0.02)

    row.happens()  # somebody else is at it: left alone
    model = PaymentAttempt if verb == "charge" else Refund
    assert model.objects.get(pk=sent.pk).status == AttemptStatus.SENDING
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()

    row.goes_on()
    row.ends()


def _work(verb: str, row_id: UUID) -> None:
    """A worker process, with connections of its own."""
    settings = connections.databases["default"]
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": False}
    del connections["default"]
    there = StripeGateway()
    with pytest.MonkeyPatch.context() as patch:
        offer(patch, there)
        if verb == "charge":
            tasks.collect(attempt_id=str(row_id))
        else:
            tasks.refund(refund_id=str(row_id))
    os._exit(0)
