"""The stand-in for Stripe, met as its users meet it: through Stripe's own SDK, or by browser."""

from __future__ import annotations
