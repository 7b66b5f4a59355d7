"""Telling clients what happened.

Owns: events, who is to hear of them, signed delivery with retries, and the knobs that make
delivery go wrong. Does not own: what happens (`payments`, `resources`).
"""

from __future__ import annotations
