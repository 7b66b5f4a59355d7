"""The stand-in's own API, under `/_control/`: what tests read and the knobs they turn.

Owns: reading what was asked and what was told, and turning faults and delays on and off.
Does not own: what the knobs do (`faults`, `webhooks`), nor the page for people (`pages.panel`).
"""

from __future__ import annotations
