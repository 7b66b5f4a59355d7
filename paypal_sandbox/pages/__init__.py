"""What people see: the page on which a payer agrees, and the one to watch and control.

Owns: HTML, forms and redirects. They work without a script, by keyboard and on a phone, and say
plainly that no money moves. Does not own: what pressing a button does (`payments`, `control`).
"""

from __future__ import annotations
