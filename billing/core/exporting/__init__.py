"""The journal in other people's formats: values in, text out. What is read stands in `queries`."""

from __future__ import annotations
