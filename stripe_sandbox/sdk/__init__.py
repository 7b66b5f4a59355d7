"""What the installed SDK says of Stripe's API, read from its own types.

Owns: which operations exist and what parameters each takes (`operations`, `parameters`,
`specs`), and which attributes each object has (`shapes`). Everything is derived when it is
first asked for and kept; nothing here names a resource, so a new SDK brings new shapes without
new code.

Does not own: what an operation does.
"""

from __future__ import annotations
