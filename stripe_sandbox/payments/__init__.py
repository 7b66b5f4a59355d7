"""How money would move.

Owns: test cards and how they behave, minimum amounts and fees, and what intents, charges and
refunds go through. The API's operations and the hosted pages both act through it.

Does not own: who asks, and in what form.
"""

from __future__ import annotations
