"""PayPal's operations, one module for each kind of resource.

Owns: paths, parameters and what is missing or malformed in them. Does not own: what then happens
(`payments`, `webhooks`).
"""

from __future__ import annotations
