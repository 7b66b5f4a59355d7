"""The stand-in for PayPal, met as its users meet it: over its API, or by browser."""

from __future__ import annotations
