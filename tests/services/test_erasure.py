"""A person is erased from every table, and the books stay as they were."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client

from billing.core import postings
from billing.core.errors import ConflictError
from billing.core.invoicing import Item
from billing.core.lifecycle import AttemptStatus
from billing.core.money import Money
from billing.gateways import registry
from billing.gateways.base import SetupRequest
from billing.gateways.stripe.mirror import Mirror, _is_of_somebody_erased
from billing.models import (
    CheckoutSession,
    CreditGrant,
    Dispute,
    GatewayCustomer,
    Invoice,
    InvoiceLine,
    JournalEntry,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    Subscription,
)
from billing.models.credit import GrantKind
from billing.models.refund import DisputeSource
from billing.services import erasure, invoices, journal, payment_methods, subscriptions, tokens
from billing.services.journal import Fact
from customers import services as customer_services
from customers.models import BillingDetails, Customer, CustomerUser, User
from plans.models import Plan
from tests import builders
from tests.api.calling import Caller, caller
from tests.services.erasing import (
    URLS,
    Life,
    erasable,
    found,
    furnish,
    kept,
    live,
    mark,
    payment_of,
)
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.crooked_books]


@pytest.fixture(scope="module")
def _lived(lasting: None) -> Life:
    return live(World())


@pytest.fixture
def life(_lived: Life, db: None) -> Life:
    """What happened to Alice."""
    return deepcopy(_lived)


def erase(life: Life) -> Customer:
    """Erase Alice."""
    return erasure.erase(life.alice.pk, by="user:1", now=life.world.now)


def test_nothing_of_a_person_is_left_but_what_law_keeps(life: Life) -> None:
    furnish(life)
    mark(life)
    before = found()
    # What is too short for the marker, is signed, or is nothing that one can write.
    hidden = {"session_data", "session_key", "last4", "password", "country", "key"}
    assert {column for _, column in erasable() - before} <= hidden
    assert before >= kept() - {("billing_usagevalue", "value")}

    erase(life)

    assert found() <= kept()
    assert before - found() == before - kept()
    methods = PaymentMethod.objects.filter(customer=life.alice)
    known = methods.values_list("brand", "last4", "exp_month", "exp_year")
    assert set(known) == {("", "", None, None)}


def test_what_becomes_of_the_customer(life: Life) -> None:
    erased = erase(life)

    assert erased.organization_id == f"erased-{life.alice.pk}"
    assert erased.erased_at == erased.updated_at == life.world.now
    assert erased.updated_by == "user:1"
    (entry,) = JournalEntry.objects.filter(kind="CUSTOMER_ERASED")
    assert (entry.customer_id, entry.context) == (life.alice.pk, {"by": "user:1"})
    assert Plan.objects.get(pk=life.plan.pk).allowed_organizations == ["bob"]
    details = BillingDetails.objects.get(customer=life.alice)
    assert {getattr(details, name) for name in customer_services.DETAILS} == {""}
    method = PaymentMethod.objects.get(customer=life.alice)
    assert (method.removed_at, method.is_default) == (life.world.now, False)
    assert not Subscription.objects.filter(customer=life.alice, due_at__isnull=False).exists()


def test_documents_keep_their_buyer(life: Life) -> None:
    before = list(Invoice.objects.order_by("pk").values("number", "buyer", "total_minor"))

    erase(life)

    assert list(Invoice.objects.order_by("pk").values("number", "buyer", "total_minor")) == before
    assert before[0]["buyer"]["name"] == "Alice Liddell"


def test_who_acts_for_others_stays_and_whoever_does_not_is_gone(life: Life) -> None:
    staff = User.objects.create_user("staff@example.org", "secret", is_staff=True)
    customer_services.add_member(life.alice, staff)
    for user in (life.user, life.colleague):
        Client().force_login(user)

    erase(life)

    assert set(User.objects.values_list("email", flat=True)) == {
        "bob@example.org",
        "staff@example.org",
    }
    assert not EmailAddress.objects.exists()
    assert not CustomerUser.objects.filter(customer=life.alice).exists()
    (session,) = Session.objects.all()
    assert session.get_decoded()[SESSION_KEY] == str(life.colleague.pk)


def test_their_tokens_are_revoked(life: Life) -> None:
    _, text = tokens.issue("hers", now=life.world.now, customer=life.alice)
    assert Caller(text).get(f"/customers/{life.alice.pk}").status == 200

    erase(life)

    assert Caller(text).get(f"/customers/{life.alice.pk}").code == "invalid_token"


def test_again_is_the_same_as_once(life: Life) -> None:
    first = erase(life)
    second = erasure.erase(life.alice.pk, by="user:2", now=life.world.now + timedelta(days=1))

    assert (second.erased_at, second.version) == (first.erased_at, first.version)
    assert JournalEntry.objects.filter(kind="CUSTOMER_ERASED").count() == 1


def test_nothing_new_begins_with_nobody(life: Life) -> None:
    erase(life)
    now, alice = life.world.now, Customer.objects.get(pk=life.alice.pk)
    items = [Item("x", Decimal(1), Decimal(1))]

    for begin in (
        lambda: subscriptions.start(alice.pk, life.world.plans["Basic"], by="test", now=now),
        lambda: invoices.draft(alice.pk, currency="USD", items=items, by="test", now=now),
        lambda: payment_methods.start_checkout(alice, urls=URLS, now=now),
        lambda: payment_methods.add(alice, token="tok_ok", now=now, gateway=builders.sandbox()),
    ):
        with pytest.raises(ConflictError) as refused:
            begin()
        assert refused.value.code == "customer_erased"
    with pytest.raises(ValidationError, match="erased"):
        customer_services.update(alice.pk, fields={"name": "x"}, by="test", now=now)
    with pytest.raises(ValidationError, match="erased"):
        customer_services.add_member(alice, life.colleague)
    receipt = life.world.uses(alice, 1)
    assert [row.code for row in receipt.rejected] == ["unknown_customer"]


def test_a_visit_that_ends_after_erasing_adds_nothing(life: Life) -> None:
    session = CheckoutSession.objects.create(
        customer=life.alice, gateway="sandbox", created_at=life.world.now
    )
    erase(life)
    vendor = registry.get("sandbox")
    request = SetupRequest(str(session.pk), life.alice.anonymous_id)
    payment_methods.settle(session.pk, setup=vendor.start_setup(request), now=life.world.now)

    assert not PaymentMethod.objects.usable().filter(customer=life.alice).exists()


def _owes(life: Life) -> None:
    invoice = life.world.drafts(life.alice, "5.00")
    with transaction.atomic():
        invoices.finalize([invoice], now=life.world.now)


def _is_drafted(life: Life) -> None:
    life.world.drafts(life.alice, "5.00")


def _subscribes(life: Life) -> None:
    subscriptions.start(life.alice.pk, life.world.plans["Basic"], by="test", now=life.world.now)


def _waits(life: Life) -> None:
    InvoiceLine.objects.create(
        customer=life.alice, kind="ITEM", quantity=1, currency="USD", amount_minor=-5,
        created_at=life.world.now,
    )  # fmt: skip


def _is_charged(life: Life) -> None:
    PaymentAttempt.objects.filter(invoice__customer=life.alice).update(
        status=AttemptStatus.PROCESSING
    )


def _is_refunded(life: Life) -> None:
    payment = payment_of(life)
    Refund.objects.create(
        customer=life.alice, payment=payment, amount_minor=1, currency="USD",
        created_at=life.world.now,
    )  # fmt: skip


def _is_owed_a_refund(life: Life) -> None:
    post(life, postings.refund_owed(Money(100, "USD")))


def _contests(life: Life) -> None:
    Dispute.objects.create(
        customer=life.alice, payment=payment_of(life), amount_minor=1,
        currency="USD", source=DisputeSource.GATEWAY, opened_at=life.world.now,
    )  # fmt: skip


def _has_credit(life: Life) -> None:
    CreditGrant.objects.create(
        customer=life.alice, kind=GrantKind.PAID, currency="USD", amount_minor=5,
        remaining_minor=5, effective_at=life.world.now, created_at=life.world.now,
    )  # fmt: skip


def post(life: Life, found: list[postings.Posting]) -> None:
    """Enter a fact of Alice's."""
    fact = Fact("REFUND_OWED", "x", life.alice.pk, life.world.now, {}, found)
    with transaction.atomic():
        journal.post(fact)


@pytest.mark.parametrize(
    ("happen", "code"),
    [
        (_subscribes, "subscription_live"),
        (_is_drafted, "invoice_unfinished"),
        (_waits, "invoice_unfinished"),
        (_is_charged, "charge_under_way"),
        (_is_refunded, "refund_under_way"),
        (_contests, "dispute_open"),
        (_owes, "money_owed"),
        (_is_owed_a_refund, "money_owed"),
        (_has_credit, "credit_left"),
    ],
)
def test_it_is_refused_while_something_is_open(life: Life, happen: Any, code: str) -> None:
    happen(life)

    with pytest.raises(ConflictError) as refused:
        erase(life)

    assert refused.value.code == code
    assert BillingDetails.objects.get(customer=life.alice).name == "Alice Liddell"


def test_over_the_api(life: Life, operator: Caller) -> None:
    refused = operator.post(f"/customers/{builders.make_customer('dora').pk}/erase", {"x": 1})
    assert refused.status == 400
    _is_drafted(life)
    assert operator.post(f"/customers/{life.alice.pk}/erase", {}).code == "invoice_unfinished"
    Invoice.objects.filter(customer=life.alice, number=None).delete()

    answer = operator.post(f"/customers/{life.alice.pk}/erase", {})

    assert answer.status == 200
    assert answer.body["organization_id"] == f"erased-{life.alice.pk}"
    changed = operator.patch(f"/customers/{life.alice.pk}", {"city": "London"})
    assert (changed.status, changed.code) == (409, "customer_erased")


def test_the_mirror_forgets_them_and_learns_nothing_more(life: Life) -> None:
    for kind, row_id, whose in (
        ("Customer", "cus_1", {}),
        ("PaymentMethod", "pm_1", {"customer": "cus_1", "card": {"last4": "4242"}}),
        ("PaymentMethod", "pm_2", {"customer": "cus_2"}),
    ):
        apps.get_model("djstripe", kind).objects.create(
            id=row_id, livemode=False, stripe_data={"id": row_id, **whose}
        )
    GatewayCustomer.objects.create(customer=life.alice, gateway="stripe", external_id="cus_1")
    assert not _is_of_somebody_erased({"object": "charge", "customer": "cus_1"})

    Mirror.forget(Mirror.__new__(Mirror), "cus_1")
    erase(life)

    assert not apps.get_model("djstripe", "Customer").objects.exists()
    rows = apps.get_model("djstripe", "PaymentMethod").objects.values_list("id", flat=True)
    assert list(rows) == ["pm_2"]
    assert _is_of_somebody_erased({"object": "charge", "customer": "cus_1"})
    assert _is_of_somebody_erased({"object": "customer", "id": "cus_1"})


@pytest.fixture
def operator(db: None) -> Caller:
    """Somebody who may do everything."""
    return caller()
