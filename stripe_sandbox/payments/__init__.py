"""How money would move.

Owns: test cards and accounts and how they behave, minimum amounts and fees, and what intents,
charges, refunds, disputes, payouts and the balance go through. The API's operations, the control
API and the hosted pages all act through it.

Does not own: who asks, and in what form.
"""

from __future__ import annotations
