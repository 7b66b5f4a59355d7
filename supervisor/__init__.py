"""The supervisor: one process that starts, watches and stops everything Bursar runs on.

It owns the embedded PostgreSQL and Valkey, the demo's home directory and secrets, and the life of
every process of the demo. It does not own what those processes do: it imports nothing of Bursar,
and meets the web server, the worker and the stand-in for Stripe as programs it runs.

For tests: `supervisor.servers.running`. For people: `python -m supervisor demo|exec|reset`.
"""

from __future__ import annotations
