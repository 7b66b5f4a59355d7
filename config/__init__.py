"""Wiring only: settings, URLs, the WSGI and Celery applications."""

from __future__ import annotations

from config.celery import app

__all__ = ["app"]
