"""What the stand-in remembers, in one SQLite file of its own.

Owns: the file, its tables, transactions and the rows in them. A file survives `kill -9` at any
instant: what a request did and the answer kept for its idempotency key are one transaction.

Does not own: what the rows mean.
"""

from __future__ import annotations
