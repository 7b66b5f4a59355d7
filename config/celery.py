"""The Celery application and what beat starts when.

The queue only hears early of what stands in PostgreSQL as a row; `sweep` finds what it missed.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("bursar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
