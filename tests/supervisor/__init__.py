"""The supervisor: real processes, and nothing of Bursar."""

from __future__ import annotations
