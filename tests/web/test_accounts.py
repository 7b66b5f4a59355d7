from __future__ import annotations

import smtplib
from typing import Any

import pytest
from django.test import Client

from customers.models import CustomerUser
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mail_server_that_is_down_keeps_nobody_from_signing_up(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_: Any, **__: Any) -> int:
        raise smtplib.SMTPServerDisconnected("no mail today")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", down)
    plan = builders.make_plan()

    answer = client.post(
        "/accounts/signup/",
        {"email": "alice@example.org", "password1": "a long enough password", "plan": str(plan.pk)},
    )

    assert answer.status_code == 302
    assert CustomerUser.objects.count() == 1
    assert "was not sent" in caplog.text
    assert "alice@example.org" not in caplog.text
