"""The same settings with what tests change; the servers' addresses come from `tests/conftest`."""

from __future__ import annotations

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("PUBLIC_URL", "http://localhost:8000")
os.environ.setdefault("DATABASE_URL", "postgresql://postgres@localhost/bursar")
os.environ.setdefault("REDIS_URL", "redis://localhost:6379/0")
os.environ.setdefault("STRIPE_SECRET_KEY", "sk_test_" + "0" * 32)
os.environ.setdefault("STRIPE_WEBHOOK_SECRET", "whsec_" + "0" * 32)
os.environ.setdefault("EMAIL_URL", "dummy://")
os.environ.setdefault("SECURE", "0")
os.environ.setdefault("TEST_CLOCKS", "1")
os.environ.setdefault("VIES_URL", "")
os.environ.setdefault(
    "RETURN_ORIGINS",
    "https://example.com,https://*.example.com,http://localhost:*,http://127.0.0.1:*",
)
os.environ.setdefault("WEBHOOK_PRIVATE_TARGETS", "1")

from config.settings import *  # noqa: F403  # the environment comes first

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_AUTOREFRESH = True
