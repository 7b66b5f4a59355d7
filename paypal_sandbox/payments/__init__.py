"""What happens to money that is not there: tokens, captures, refunds, cases.

Owns: the rules, and the events they lead to. Does not own: paths and parameters (`resources`),
nor who asks (`control`, `pages`).
"""

from __future__ import annotations
