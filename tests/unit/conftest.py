"""How Hypothesis searches here: briefly, and without a stop-watch, since processors are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("core", deadline=None, max_examples=40)
settings.load_profile("core")
