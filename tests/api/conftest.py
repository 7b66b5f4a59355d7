"""The cast: an operator, Alice the customer, Charlie the stranger."""

from __future__ import annotations

from copy import deepcopy

import pytest

from billing.gateways.bank_transfer.gateway import BankTransferGateway
from billing.gateways.sandbox.gateway import SandboxGateway
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller, caller
from tests.api.stage import Stage, set_stage
from tests.offering import offer


@pytest.fixture
def operator(db: None) -> Caller:
    """Somebody who may do everything."""
    return caller()


@pytest.fixture
def alice(db: None) -> Customer:
    """A customer."""
    return builders.make_customer("alice")


@pytest.fixture
def as_alice(alice: Customer) -> Caller:
    """Alice's own token."""
    return caller(alice)


@pytest.fixture
def as_charlie(db: None) -> Caller:
    """Another customer's token."""
    return caller(builders.make_customer("charlie"))


@pytest.fixture(scope="module")
def _set(lasting: None) -> Stage:
    with pytest.MonkeyPatch.context() as patch:
        offer(patch, SandboxGateway(), BankTransferGateway())
        return set_stage()


@pytest.fixture
def stage(_set: Stage, db: None) -> Stage:
    """The stage as it was set; each test undoes what it does to it."""
    return deepcopy(_set)


@pytest.fixture(autouse=True)
def _sandbox_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers for Stripe here; the in-process gateway does."""
    offer(monkeypatch, SandboxGateway(), BankTransferGateway())
