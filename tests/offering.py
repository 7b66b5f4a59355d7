"""Which gateways there are, for tests that bring their own."""

from __future__ import annotations

import pytest

from billing.gateways import registry
from billing.gateways.base import Gateway


def offer(monkeypatch: pytest.MonkeyPatch, *gateways: Gateway) -> None:
    """From here on there are these gateways and no others."""
    there = {gateway.name: gateway for gateway in gateways}
    monkeypatch.setattr(registry, "offered", lambda: there)
