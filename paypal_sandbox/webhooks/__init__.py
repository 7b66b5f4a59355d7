"""Telling clients what happened.

Owns: events, their signatures and the certificate that proves them. What is due when, and what
goes wrong on purpose, is the outbox and the knobs of `stripe_sandbox`.
"""

from __future__ import annotations
