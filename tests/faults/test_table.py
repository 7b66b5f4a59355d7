"""The table: whatever the gateway and the network do to a charge, a refund or a set-up, it is done
once or not at all, and our books say what the gateway says.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from billing.gateways.paypal import client as paypal_client
from billing.gateways.stripe import client as stripe_client
from billing.gateways.stripe.gateway import StripeGateway
from billing.models import GatewayCall
from tests.faults.conftest import PayPal, Stripe
from tests.faults.shop import Shop
from tests.faults.verbs import PAYPAL, STRIPE, VERBS
from tests.gateways.cases import StandIn

pytestmark = pytest.mark.django_db(transaction=True)

IMPATIENT: Final = (2.0, 0.15)
SLOW: Final = 0.4  # longer than that


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what a call that met it is put down as.

    :param lasts: whether it outlasts the client's own repetitions.
    """

    action: str
    moment: str = "before"
    outcome: str = "NO_ANSWER"
    lasts: bool = True

    def fails(self, stand_in: StandIn, path: str, *, times: int) -> None:
        """Ask the stand-in for it."""
        is_repeated = self.action == "cut" and self.lasts  # nothing else is tried again at once
        more: dict[str, Any] = {"times": times if is_repeated else 1}
        if self.action == "slow":
            more["delay"] = SLOW
        stand_in.fail(path, action=self.action, moment=self.moment, **more)


FAULTS: Final = {
    "time-out before": Fault("slow", "before"),
    "time-out after": Fault("slow", "after"),
    "500 before": Fault("500", "before"),
    "500 after": Fault("500", "after"),
    "429": Fault("429", outcome="UNREACHED"),
    "cut before": Fault("cut", "before"),
    "cut after": Fault("cut", "after"),
    "cut once before": Fault("cut", "before", outcome="ANSWERED", lasts=False),
    "cut once after": Fault("cut", "after", outcome="ANSWERED", lasts=False),
}


def outcomes(name: str, verb: str, there: Stripe | PayPal) -> set[str]:
    """How the call may be put down that met a fault."""
    if isinstance(there, Stripe):
        if (name, verb) in {("500 after", "charge"), ("500 after", "refund")}:
            return {"ANSWERED"}  # it is looked for at once
        if (name, verb) == ("429", "setup"):
            return {"NO_ANSWER"}  # of the customer it had heard
    if FAULTS[name].action == "slow":  # found by looking, if that is quick enough
        return {"NO_ANSWER", "ANSWERED"}
    return {FAULTS[name].outcome}


@contextmanager
def impatient(shop: Shop, there: Stripe | PayPal, fault: Fault) -> Iterator[None]:
    """Wait for a moment only; afterwards what was slow is done."""
    if fault.action != "slow":
        yield
        return
    with shop.patching() as patch:
        patch.setattr(paypal_client, "TIMEOUTS", IMPATIENT)
        if isinstance(there, Stripe):
            shop.offers(StripeGateway(stripe_client.build(timeouts=IMPATIENT)))
        yield
    shop.offers(there.gateway)
    time.sleep(SLOW)


def run(shop: Shop, there: Stripe | PayPal, cell: tuple[str, str]) -> None:
    (fault_name, verb_name), place = cell, STRIPE if isinstance(there, Stripe) else PAYPAL
    fault = FAULTS[fault_name]
    shop.offers(there.gateway)
    verb = VERBS[verb_name](shop, place, there.till)
    verb.begins()
    fault.fails(there.stand_in, place.paths[verb_name], times=place.tries)
    calls = GatewayCall.objects.count()
    with impatient(shop, there, fault):
        verb.happens()

    put_down = GatewayCall.objects.order_by("pk")[calls].outcome
    assert put_down in outcomes(fault_name, verb_name, there)
    verb.goes_on()
    verb.ends()
    shop.later(days=1)
    shop.sweeps()
    verb.ends()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", FAULTS)
def test_at_stripe_it_is_done_once_or_not_at_all(
    shop: Shop, stripe: Stripe, fault: str, verb: str
) -> None:
    run(shop, stripe, (fault, verb))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", [name for name in FAULTS if "once" not in name])
def test_at_paypal_it_is_done_once_or_not_at_all(
    shop: Shop, paypal: PayPal, fault: str, verb: str
) -> None:
    run(shop, paypal, (fault, verb))
