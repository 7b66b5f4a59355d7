"""A stand-in for PayPal: a program of its own that speaks PayPal's REST API on loopback.

It owns everything a client of PayPal can see without a PayPal account: the API and its errors,
the page on which a payer agrees, the signed notifications, and the knobs a test turns to make
them go wrong. It keeps its state in a SQLite file of its own.

It does not move money, does not know its callers, and imports nothing of them: whoever uses it
meets it over HTTP (`server`). What any stand-in needs and nothing of PayPal is in it (the state
file, the log of requests, faults, the queue of deliveries) comes from `stripe_sandbox`.
"""

from __future__ import annotations
