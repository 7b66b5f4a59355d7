"""What people see: the hosted pages, and the page from which the stand-in is controlled.

Owns: HTML, forms and redirects. They work without a script, by keyboard and on a phone, and say
plainly that no money moves. Does not own: what pressing a button does (`payments`, `control`).
"""

from __future__ import annotations
