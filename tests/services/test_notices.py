"""Notices by mail: once, after the commit, again where the server refused."""

from __future__ import annotations

from smtplib import SMTPException

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage

from billing import tasks
from billing.models import DunningNotice
from billing.services import notices, sweep
from customers.models import BillingDetails, Customer
from tests.services.dunned import made, subscriber
from tests.threads import at_once
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pauses() -> None:
    cache.clear()


@pytest.fixture
def alice(world: World) -> Customer:
    """Told once, on 1 May."""
    made()
    alice = subscriber(world, "tok_expired")
    world.at("2026-05-01 10:00")
    return alice


def test_a_notice_is_mailed_once_to_the_address_of_the_details(
    world: World, alice: Customer
) -> None:
    (found,) = sweep.sweep(now=world.now).notices

    assert notices.mail(found, now=world.now)
    assert not notices.mail(found, now=world.now)

    (message,) = mail.outbox
    notice = DunningNotice.objects.get()
    assert (message.to, message.subject) == (["alice@example.org"], notice.subject)
    assert (message.body, notice.mailed_at) == (notice.text, world.now)
    assert sweep.sweep(now=world.now).notices == []


def test_the_sweepers_task_has_it_mailed(
    world: World, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "soon", lambda task, **arguments: task(**arguments))

    tasks.sweep()
    tasks.sweep()

    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_mail_it_once(world: World, alice: Customer) -> None:
    notice, now = DunningNotice.objects.get(), world.now

    sent = at_once(*(lambda: notices.mail(notice.pk, now=now) for _ in range(8)))

    assert sorted(map(bool, sent)) == [False] * 7 + [True]
    assert len(mail.outbox) == 1


def test_what_cannot_be_sent_is_tried_again_after_a_while(
    world: World,
    alice: Customer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_message: EmailMessage) -> int:
        raise SMTPException("550 <alice@example.org> is unknown")

    notice = DunningNotice.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", refuse)
        assert not notices.mail(notice.pk, now=world.now)
    assert sweep.sweep(now=world.now).notices == [notice.pk]
    assert "could not be mailed: SMTPException" in caplog.text
    assert "alice" not in caplog.text
    assert not notices.mail(notice.pk, now=world.now)  # not in the next second already

    cache.clear()

    assert notices.mail(notice.pk, now=world.now)


def test_nobody_is_mailed_whose_address_is_not_known(world: World, alice: Customer) -> None:
    BillingDetails.objects.update(email="")
    assert sweep.sweep(now=world.now).notices == []
    BillingDetails.objects.all().delete()
    assert sweep.sweep(now=world.now).notices == []
    BillingDetails.objects.create(customer=alice)


def test_what_is_old_or_paid_by_now_is_not_mailed(world: World, alice: Customer) -> None:
    world.at("2026-05-04 00:01")
    assert sweep.sweep(now=world.now).notices == []
    world.at("2026-05-08 10:00")
    (found,) = sweep.sweep(now=world.now).notices

    world.adds_card(alice)

    assert not notices.mail(found, now=world.now)
    assert mail.outbox == []
