"""What Stripe's HTTP does the same for every resource.

Owns: form decoding, `expand`, lists and their cursors and filters, idempotency keys, API keys.
Does not own: what a resource is (`resources`), nor sockets (`server`).
"""

from __future__ import annotations
