"""Test clocks: a time of their own."""

from __future__ import annotations

import pytest
import stripe

from tests.stripe_sandbox.conftest import Clock

JANUARY = 1_767_225_600


def test_customers_live_in_their_clocks_time(api: stripe.V1Services, clock: Clock) -> None:
    frozen = api.test_helpers.test_clocks.create({"frozen_time": JANUARY, "name": "winter"})
    alice = api.customers.create({"test_clock": frozen.id})
    assert (alice.created, alice.test_clock) == (JANUARY, frozen.id)

    on_its_way = api.test_helpers.test_clocks.advance(frozen.id, {"frozen_time": JANUARY + 3600})
    assert on_its_way.status == "advancing"
    arrived = api.test_helpers.test_clocks.retrieve(frozen.id)
    assert (arrived.status, arrived.frozen_time) == ("ready", JANUARY + 3600)

    intent = api.setup_intents.create({"customer": alice.id})
    assert intent.created == JANUARY + 3600
    assert api.customers.create({}).created == int(clock.now)
    told = [event.type for event in api.events.list({"type": "test_helpers.*"}).data]
    assert told == [
        "test_helpers.test_clock.ready",
        "test_helpers.test_clock.advancing",
        "test_helpers.test_clock.created",
    ]


def test_time_does_not_go_back(api: stripe.V1Services) -> None:
    frozen = api.test_helpers.test_clocks.create({"frozen_time": JANUARY})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.test_helpers.test_clocks.advance(frozen.id, {"frozen_time": JANUARY})

    assert refusal.value.param == "frozen_time"


def test_customers_on_a_clock_are_listed_by_it(api: stripe.V1Services) -> None:
    frozen = api.test_helpers.test_clocks.create({"frozen_time": JANUARY})
    alice = api.customers.create({"test_clock": frozen.id})
    bob = api.customers.create({})

    assert [found.id for found in api.customers.list().data] == [bob.id]
    on_it = api.customers.list({"test_clock": frozen.id}).data
    assert [found.id for found in on_it] == [alice.id]


def test_a_clock_takes_its_customers_with_it(api: stripe.V1Services) -> None:
    frozen = api.test_helpers.test_clocks.create({"frozen_time": JANUARY})
    alice = api.customers.create({"test_clock": frozen.id})

    assert api.test_helpers.test_clocks.delete(frozen.id).deleted is True

    assert api.customers.retrieve(alice.id).deleted is True
    assert api.test_helpers.test_clocks.list().data == []
