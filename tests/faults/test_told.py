"""Notifications that come before the answer, ten at once, reversed, a day late, or never."""

from __future__ import annotations

from typing import Any, Final

import pytest

from billing import tasks
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.gateways.stripe.gateway import StripeGateway
from billing.models import CheckoutSession, GatewayEvent, Invoice, JournalEntry, Refund
from billing.models.payment import CheckoutStatus
from billing.services import payment_methods
from billing.services.choosing import Wanted
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from tests.faults.conftest import Stripe
from tests.faults.shop import Shop, states
from tests.faults.telling import hear, told
from tests.faults.verbs import STRIPE, VERBS, Verb
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WORDS: Final = {"charge": "charge", "refund": "refund", "setup": "start_setup"}


@pytest.fixture
def row(request: pytest.FixtureRequest, shop: Shop, stripe: Stripe) -> Verb:
    """A verb, begun."""
    shop.offers(stripe.gateway)
    verb = VERBS[request.param](shop, STRIPE, stripe.till)
    verb.begins()
    return verb


def lost(stripe: Stripe, row: Verb, name: str) -> None:
    """It is done, and the answer never comes."""
    stripe.stand_in.fail(STRIPE.paths[name], action="cut", moment="after", times=3)
    row.happens()


def visit(shop: Shop, customer: Customer, kind: str) -> CheckoutSession:
    """Send somebody to Stripe's page."""
    urls = ReturnUrls("http://localhost/{session}/", "http://localhost/")
    return payment_methods.start_checkout(
        customer, urls=urls, now=shop.now, wanted=Wanted("stripe", kind)
    ).session


every_verb = pytest.mark.parametrize(
    ("row", "name"), [(verb, verb) for verb in VERBS], indirect=["row"]
)


def is_quiet(shop: Shop) -> bool:
    """Whether nothing moves any more, however long one waits."""
    before = JournalEntry.objects.count()
    shop.later(days=1)
    shop.works()
    return JournalEntry.objects.count() == before


@every_verb
def test_told_before_the_answer_it_is_done_once(
    shop: Shop, stripe: Stripe, row: Verb, name: str
) -> None:
    usual = getattr(StripeGateway, WORDS[name])

    def overtaken(self: StripeGateway, request: Any) -> Any:
        answer = usual(self, request)
        hear(shop, told(stripe))
        return answer

    with shop.patching() as patch:
        patch.setattr(StripeGateway, WORDS[name], overtaken)
        row.happens()

    row.ends()
    assert is_quiet(shop)


@every_verb
def test_told_ten_times_at_once_it_is_done_once(
    shop: Shop, stripe: Stripe, row: Verb, name: str
) -> None:
    lost(stripe, row, name)
    heard = told(stripe)

    outcomes = at_once(*(lambda: hear(shop, heard) for _ in range(10)))

    assert outcomes == [None] * 10
    row.ends()
    assert GatewayEvent.objects.count() == len(heard)
    assert is_quiet(shop)


@every_verb
def test_told_in_reverse_it_is_done_once(shop: Shop, stripe: Stripe, row: Verb, name: str) -> None:
    lost(stripe, row, name)

    hear(shop, reversed(told(stripe)))
    shop.works()

    row.ends()
    assert is_quiet(shop)


@every_verb
def test_told_a_day_late_it_is_done_once(shop: Shop, stripe: Stripe, row: Verb, name: str) -> None:
    lost(stripe, row, name)
    shop.later(days=1)

    hear(shop, told(stripe))

    row.ends()
    assert is_quiet(shop)


@every_verb
def test_told_a_day_late_of_what_is_known_nothing_is_done(
    shop: Shop, stripe: Stripe, row: Verb, name: str
) -> None:
    lost(stripe, row, name)
    row.goes_on()
    row.ends()
    facts = JournalEntry.objects.exclude(kind="PAYMENT_METHOD_ADDED").count()
    shop.later(days=1)

    hear(shop, told(stripe))
    hear(shop, reversed(told(stripe)))

    row.ends()
    assert JournalEntry.objects.exclude(kind="PAYMENT_METHOD_ADDED").count() == facts


@every_verb
def test_never_told_it_is_found_by_comparing(
    shop: Shop, stripe: Stripe, row: Verb, name: str
) -> None:
    lost(stripe, row, name)
    shop.later(hours=1)

    tasks.reconcile()

    row.ends()
    assert is_quiet(shop)


@pytest.mark.parametrize("verb", VERBS)
def test_told_with_the_answer_nothing_is_done_twice(shop: Shop, stripe: Stripe, verb: str) -> None:
    shop.offers(stripe.gateway)
    row = VERBS[verb](shop, STRIPE, stripe.till)
    row.begins()
    row.happens()
    row.ends()
    facts = JournalEntry.objects.count()
    heard = told(stripe)

    at_once(*(lambda: hear(shop, heard) for _ in range(4)))
    hear(shop, reversed(heard))

    row.ends()
    assert JournalEntry.objects.count() == facts


@pytest.mark.parametrize("told_by", ["sweeper", "comparing", "notification", "reversed"])
@pytest.mark.parametrize("ending", ["succeeded", "failed"])
def test_a_debit_that_takes_days_ends_as_the_gateway_says(
    shop: Shop, stripe: Stripe, ending: str, told_by: str
) -> None:
    shop.offers(stripe.gateway)
    alice = shop.customer()
    page = visit(shop, alice, "sepa_debit").url
    stripe.stand_in.sign_mandate(page, "AT611904300234573201")
    shop.later(minutes=3)
    shop.sweeps()
    attempt = shop.charges(alice)
    assert attempt.status == AttemptStatus.PROCESSING
    stripe.stand_in.control("payments/settle", payment_intent=attempt.external_id, status=ending)

    if told_by == "sweeper":
        shop.later(hours=7)
        shop.sweeps()
    elif told_by == "comparing":
        tasks.reconcile()
    else:
        heard = told(stripe)
        hear(shop, reversed(heard) if told_by == "reversed" else heard)

    paid = ending == "succeeded"
    assert states() == [AttemptStatus.SUCCEEDED if paid else AttemptStatus.FAILED]
    assert Invoice.objects.get().status == (
        InvoiceStatus.PAID if paid else InvoiceStatus.CHARGED_WITH_ERROR
    )


@pytest.mark.parametrize("told_by", ["sweeper", "comparing", "notification"])
@pytest.mark.parametrize("ending", ["succeeded", "failed"])
def test_a_refund_on_its_way_ends_as_the_gateway_says(
    shop: Shop, stripe: Stripe, ending: str, told_by: str
) -> None:
    shop.offers(stripe.gateway)
    alice = shop.customer()
    shop.card(alice, "pm_card_pendingRefund")
    row = shop.gives_back(shop.charges(alice).invoice)
    shop.sweeps()
    row.refresh_from_db()
    assert row.status == AttemptStatus.PROCESSING
    stripe.stand_in.control("refunds/settle", refund=row.external_id, status=ending)

    if told_by == "sweeper":
        shop.later(hours=7)
        shop.sweeps()
    elif told_by == "comparing":
        tasks.reconcile()
    else:
        hear(shop, told(stripe))

    row.refresh_from_db()
    assert row.status == (
        AttemptStatus.SUCCEEDED if ending == "succeeded" else AttemptStatus.FAILED
    )


@pytest.mark.parametrize("told_by", ["comparing", "notification"])
def test_a_refund_that_came_back_is_in_the_books_again(
    shop: Shop, stripe: Stripe, told_by: str
) -> None:
    """Stripe says that a card's refund succeeded, and takes it back days later."""
    shop.offers(stripe.gateway)
    alice = shop.customer()
    shop.card(alice, "pm_card_visa")
    row = shop.gives_back(shop.charges(alice).invoice)
    shop.sweeps()
    row.refresh_from_db()
    assert row.status == AttemptStatus.SUCCEEDED
    stripe.stand_in.control("refunds/settle", refund=row.external_id, status="failed")

    if told_by == "comparing":
        tasks.reconcile()
    else:
        hear(shop, told(stripe))
        hear(shop, told(stripe))

    assert Refund.objects.get().status == AttemptStatus.FAILED


@pytest.mark.parametrize("told_by", ["sweeper", "comparing", "notification"])
def test_a_visit_whose_customer_never_came_back_is_heard_of(
    shop: Shop, stripe: Stripe, told_by: str
) -> None:
    shop.offers(stripe.gateway)
    alice = shop.customer()
    shop.bills(alice)
    stripe.stand_in.fill_in(visit(shop, alice, "card").url, "4242 4242 4242 4242")

    if told_by == "sweeper":
        shop.later(minutes=3)
        shop.sweeps()
    elif told_by == "comparing":
        tasks.reconcile()
    else:
        hear(shop, told(stripe))
    shop.works()

    assert CheckoutSession.objects.get().status == CheckoutStatus.COMPLETED
    assert Invoice.objects.get().status == InvoiceStatus.PAID
