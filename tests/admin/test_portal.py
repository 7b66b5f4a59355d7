"""Visits by link in the admin."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import clock
from billing.models import PortalSession
from tests import builders
from tests.admin.pressing import text_of
from tests.admin.test_actions import act
from tests.admin.urls_of import action, change
from tests.web.linking import link

pytestmark = pytest.mark.django_db


def test_an_operator_ends_a_visit_and_never_sees_its_link(operator: Client) -> None:
    visitor = Client()
    address = link(builders.make_customer("alice"), "PAYMENT_METHOD")
    visitor.get(address)
    visit = PortalSession.objects.get()
    page = operator.get(change(visit)).content
    assert "End the visit" in text_of(page)
    assert address.rpartition(":")[2] not in page.decode()
    assert visit.browser_digest not in page.decode()
    assert visitor.get("/billing/payment-methods/").status_code == 200

    assert operator.get(action(visit, "end")).status_code == 200  # asking ends nothing
    assert visitor.get("/billing/payment-methods/").status_code == 200

    assert act(operator, visit, "end") == ["The visit is over."]

    assert visitor.get("/billing/payment-methods/").status_code == 410
    visit.refresh_from_db()
    assert visit.ended_at is not None
    assert visit.ended_at <= clock.now()
    assert "End the visit" not in text_of(operator.get(change(visit)).content)
