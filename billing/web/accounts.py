"""What we ask of allauth beyond its settings."""

from __future__ import annotations

import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types  # type: ignore[misc]  # allauth has no types
    """Nobody is kept from signing up because the mail server is down."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or log that it was not sent. The log says which mail, not to whom."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException) as error:
            logger.warning("Mail %s was not sent: %s", template_prefix, type(error).__name__)
