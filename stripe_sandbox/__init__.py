"""A stand-in for Stripe: a program of its own that speaks Stripe's HTTP API on loopback.

It owns everything a client of Stripe can see without a Stripe account: the API and its errors,
the hosted pages, the notifications, and the knobs a test turns to make them go wrong. It keeps
its state in a SQLite file of its own.

It does not move money, does not know its callers, and imports nothing of them: whoever uses it
meets it over HTTP (`server`) or through the SDK's own client interface (`inprocess`).
"""

from __future__ import annotations
