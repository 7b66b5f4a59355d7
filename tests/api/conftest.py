"""The cast: an operator, Alice the customer, Charlie the stranger."""

from __future__ import annotations

import pytest

from billing.gateways.bank_transfer.gateway import BankTransferGateway
from billing.gateways.sandbox.gateway import SandboxGateway
from customers.models import Customer
from tests import builders
from tests.api.calling import Caller, caller
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


@pytest.fixture(autouse=True)
def _sandbox_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers for Stripe here; the in-process gateway does."""
    offer(monkeypatch, SandboxGateway(), BankTransferGateway())
