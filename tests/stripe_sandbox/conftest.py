"""A stand-in per test, in the same process; and one over HTTP for what needs sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import stripe

from stripe_sandbox.core import Sandbox
from stripe_sandbox.inprocess import InProcessClient
from stripe_sandbox.server import running
from tests.stripe_sandbox.ears import Ears, listening

KEY = "sk_test_abcdefghijklmnopqrstuvwx"

Control: TypeAlias = Callable[..., Any]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def client_of(url: str, **options: Any) -> stripe.StripeClient:
    """Return the SDK's client of a stand-in over HTTP."""
    return stripe.StripeClient(
        KEY,
        base_addresses={"api": url, "files": url},
        http_client=stripe.RequestsClient(),
        **options,
    )


def client_in(sandbox: Sandbox, key: str = KEY) -> stripe.StripeClient:
    """Return the SDK's client of a stand-in in this process."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": "http://stand-in.test", "files": "http://stand-in.test"},
        http_client=InProcessClient(sandbox),
        max_network_retries=0,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    sandbox = Sandbox(clock=clock)
    yield sandbox
    sandbox.close()


@pytest.fixture
def api(sandbox: Sandbox) -> stripe.V1Services:
    return client_in(sandbox).v1


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Ask the control API: `control("POST", "faults", action="cut")`."""

    def ask(method: str, name: str, /, **wish: Any) -> Any:
        answer = sandbox.handle(method, f"/_control/{name}", json.dumps(wish) if wish else "")
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    return ask


@pytest.fixture
def ears() -> Iterator[Ears]:
    with listening() as ears:
        yield ears


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A stand-in over HTTP, shared by a module's tests."""
    with running() as url:
        yield url


@pytest.fixture
def remote(url: str) -> stripe.V1Services:
    return client_of(url).v1


@pytest.fixture
def alice(api: stripe.V1Services) -> stripe.Customer:
    return api.customers.create({"metadata": {"cast": "alice"}})


@pytest.fixture
def visa(api: stripe.V1Services, alice: stripe.Customer) -> stripe.PaymentMethod:
    return api.payment_methods.attach("pm_card_visa", {"customer": alice.id})
