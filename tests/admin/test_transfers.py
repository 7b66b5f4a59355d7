"""Transfers recorded by their reference alone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from billing.core.references import creditor_reference, in_groups
from billing.models import Payment
from customers.models import Customer, User
from tests.admin.pressing import text_of
from tests.admin.urls_of import change, changelist
from tests.services.paying import bill, state
from tests.world import World

pytestmark = pytest.mark.django_db

FORM = "admin:billing_payment_record_transfer"


@pytest.fixture
def carol(world: World) -> Customer:
    """A customer who transfers what she owes."""
    return world.at("2026-04-01").customer("carol")


def test_a_transfer_is_recorded_for_the_invoice_that_it_names(
    world: World, carol: Customer, operator: Client
) -> None:
    bill(world, carol, "40.00")
    invoice = bill(world, carol, "60.00")
    assert reverse(FORM) in operator.get(changelist(Payment)).content.decode()
    text = f"Thanks {in_groups(creditor_reference(str(invoice.number)))}"

    answer = operator.post(
        reverse(FORM),
        {"amount": "60.00", "currency": "usd", "reference": text, "received_at": "2026-03-30"},
        follow=True,
    )

    payment = Payment.objects.get()
    assert answer.redirect_chain == [(change(payment), 302)]
    assert [str(it) for it in answer.context["messages"]] == [
        f"60.00 USD of carol recorded for {invoice.number}."
    ]
    assert state(invoice) == ("PAID", "0.00")
    me = User.objects.get(email="root@example.org")
    assert (payment.gateway, payment.reference) == ("bank_transfer", text)
    assert (payment.created_by, f"{payment.received_at:%Y-%m-%d}") == (
        f"user:{me.pk}",
        "2026-03-30",
    )


def test_a_transfer_that_names_nothing_keeps_what_was_entered(
    world: World, carol: Customer, operator: Client
) -> None:
    invoice = bill(world, carol, "60.00")
    entered = {"amount": "60.00", "currency": "USD", "reference": "hello"}

    page = operator.post(reverse(FORM), entered)

    assert "Name the customer: the reference names no open invoice" in text_of(page.content)
    assert 'value="hello"' in page.content.decode()
    entered |= {"reference": str(invoice.number), "received_at": "2026-05-01"}
    later = text_of(operator.post(reverse(FORM), entered).content)
    assert "Money that is still to come is not recorded." in later
    assert not Payment.objects.exists()


def test_who_has_no_right_records_nothing(world: World, carol: Customer, guest: Client) -> None:
    entered = {"amount": "1.00", "currency": "USD", "reference": "x"}

    assert guest.get(reverse(FORM)).status_code == 403
    assert guest.post(reverse(FORM), entered).status_code == 403
