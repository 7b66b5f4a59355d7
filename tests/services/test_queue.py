"""The queue is only told early; when it does not answer, nothing is lost and nobody is held up."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from billing import tasks


def test_a_task_is_sent_to_the_queue() -> None:
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue(current_app.conf.task_default_queue)
        queue.clear()
        tasks.soon(tasks.collect, attempt_id="01a1f9a8-0000-7000-8000-000000000000")
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    assert message.headers["task"] == "billing.tasks.collect"


def test_a_queue_that_is_down_is_logged_and_left_to_the_sweeper(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise OperationalError("no queue today")

    monkeypatch.setattr(tasks.collect, "apply_async", down)
    tasks.soon(tasks.collect, attempt_id="01a1f9a8-0000-7000-8000-000000000000")
    assert "waits for the sweeper" in caplog.text
