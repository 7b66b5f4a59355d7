"""A new gateway is one folder, as `docs/gateways.md` says it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import billing.gateways
from billing.core.errors import InvalidError
from billing.gateways import registry
from billing.gateways.options import option
from billing.models import Payment
from billing.services import payment_methods, payments
from tests.services.paying import bill, state
from tests.world import World

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).resolve().parents[2] / "docs/gateways.md"
NEW = "billing.gateways.piggy_bank"


@pytest.fixture
def _documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The gateway of the documentation, in a folder beside the others."""
    (code,) = re.findall(r"```python gateway\n(.*?)```", DOCS.read_text(), re.DOTALL)
    folder = tmp_path / "piggy_bank"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "gateway.py").write_text(code)
    monkeypatch.setattr(billing.gateways, "__path__", [*billing.gateways.__path__, str(tmp_path)])
    registry.offered.cache_clear()
    yield
    registry.offered.cache_clear()
    for name in (NEW, f"{NEW}.gateway"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("_documented")
def test_the_gateway_of_the_documentation_takes_money(world: World) -> None:
    alice = world.at("2026-04-01").customer("alice")
    payment_methods.add(alice, token="x", now=world.now, gateway="piggy_bank")
    invoice = bill(world, alice, "25.00", "EUR")

    payments.collect(world.charges(invoice).pk, now=world.now)

    assert state(invoice) == ("PAID", "0.00")
    assert Payment.objects.get().gateway == "piggy_bank"


def test_there_are_those_that_are_configured() -> None:
    assert set(registry.offered()) == {"bank_transfer", "sandbox", "stripe"}
    with pytest.raises(InvalidError):
        registry.get("paypal")


def test_a_gateways_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIGGY_BANK_KEY", "oink")

    assert option("PIGGY_BANK_KEY") == "oink"
    assert option("PIGGY_BANK_LOCK", "none") == "none"
