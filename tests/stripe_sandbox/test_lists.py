"""Lists, their cursors and filters; and `expand`."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import Clock


@pytest.fixture
def crowd(api: stripe.V1Services, clock: Clock) -> list[str]:
    """Twelve customers, oldest first, an hour apart."""
    made = []
    for at in range(12):
        clock.now += 3600
        made.append(api.customers.create({"email": f"{at % 3}@example.test"}).id)
    return made


def ids(page: stripe.ListObject[Any]) -> list[str]:
    return [item.id for item in page.data]


def test_the_newest_come_first_ten_at_a_time(api: stripe.V1Services, crowd: list[str]) -> None:
    page = api.customers.list()

    assert ids(page) == crowd[:1:-1]
    assert page.has_more
    assert page.url == "/v1/customers"


def test_a_cursor_leads_on_and_back(api: stripe.V1Services, crowd: list[str]) -> None:
    newest_first = crowd[::-1]

    older = api.customers.list({"limit": 3, "starting_after": newest_first[2]})
    newer = api.customers.list({"limit": 2, "ending_before": newest_first[5]})
    last = api.customers.list({"limit": 5, "starting_after": newest_first[8]})

    assert (ids(older), older.has_more) == (newest_first[3:6], True)
    assert (ids(newer), newer.has_more) == (newest_first[3:5], True)
    assert (ids(last), last.has_more) == (newest_first[9:], False)


def test_the_sdk_pages_through_everything(api: stripe.V1Services, crowd: list[str]) -> None:
    found = [item.id for item in api.customers.list({"limit": 5}).auto_paging_iter()]

    assert found == crowd[::-1]


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_has_one_to_a_hundred(api: stripe.V1Services, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.list({"limit": limit})

    assert (refusal.value.code, refusal.value.param) == ("parameter_invalid_integer", "limit")


def test_a_cursor_must_exist(api: stripe.V1Services) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_0'"):
        api.customers.list({"starting_after": "cus_0"})


def test_filters_follow_from_the_parameters(api: stripe.V1Services, crowd: list[str]) -> None:
    start = api.customers.retrieve(crowd[0]).created

    by_mail = api.customers.list({"email": "1@example.test"})
    by_time = api.customers.list({"created": {"gte": start + 3600, "lt": start + 3 * 3600}})
    at_once = api.customers.list({"created": start})

    assert ids(by_mail) == [crowd[10], crowd[7], crowd[4], crowd[1]]
    assert ids(by_time) == [crowd[2], crowd[1]]
    assert ids(at_once) == [crowd[0]]


def test_prices_are_found_by_what_they_are(api: stripe.V1Services) -> None:
    product = api.products.create({"name": "Honey"}).id
    monthly = api.prices.create(
        {
            "product": product,
            "currency": "eur",
            "unit_amount": 900,
            "lookup_key": "honey",
            "recurring": {"interval": "month"},
        }
    )
    once = api.prices.create({"product": product, "currency": "usd", "unit_amount": 100})
    api.prices.update(once.id, {"active": False})

    assert ids(api.prices.list({"lookup_keys": ["honey", "other"]})) == [monthly.id]
    assert ids(api.prices.list({"recurring": {"interval": "month"}})) == [monthly.id]
    assert ids(api.prices.list({"active": False, "product": product})) == [once.id]
    assert ids(api.prices.list({"type": "one_time"})) == [once.id]
    assert ids(api.products.list({"ids": [product]})) == [product]


def pay(api: stripe.V1Services, customer: str, **more: Any) -> stripe.PaymentIntent:
    wish: Any = {
        "amount": 1250,
        "currency": "usd",
        "customer": customer,
        "payment_method": "pm_card_visa",
        "payment_method_types": ["card"],
        "confirm": True,
        **more,
    }
    return api.payment_intents.create(wish)


def test_everything_to_reconcile_is_listed_since_a_time(
    api: stripe.V1Services, alice: stripe.Customer, clock: Clock
) -> None:
    def happens() -> None:
        paid = pay(api, alice.id, payment_method="pm_card_createDisputeInquiry")
        api.refunds.create({"payment_intent": paid.id, "amount": 100})
        api.checkout.sessions.create(
            {"mode": "setup", "currency": "usd", "success_url": "http://shop.test/"}
        )

    happens()
    clock.now += 60
    happens()
    since: Any = {"created": {"gte": int(clock.now)}}

    for listing in (
        api.payment_intents,
        api.refunds,
        api.charges,
        api.disputes,
        api.checkout.sessions,
    ):
        found = listing.list(since).data
        assert [item.created for item in found] == [int(clock.now)]
    assert 0 < len(api.events.list(since | {"limit": 100}).data) < 20
    assert api.balance_transactions.list(since).data[0].created == int(clock.now)


def test_an_id_expands_into_its_object(api: stripe.V1Services, alice: stripe.Customer) -> None:
    paid = pay(api, alice.id, expand=["customer", "latest_charge.balance_transaction"])

    assert paid.to_dict()["customer"] == alice.to_dict()
    assert paid["latest_charge"]["balance_transaction"]["net"] == 1250 - 66
    assert isinstance(api.payment_intents.retrieve(paid.id).customer, str)


def test_lists_expand_each_of_theirs(api: stripe.V1Services, alice: stripe.Customer) -> None:
    pay(api, alice.id)
    pay(api, alice.id)

    page = api.charges.list({"expand": ["data.payment_intent.payment_method"]})

    brands = [charge["payment_intent"]["payment_method"]["card"]["brand"] for charge in page.data]
    assert brands == ["visa", "visa"]


def test_what_is_there_only_when_asked_for(api: stripe.V1Services, alice: stripe.Customer) -> None:
    charge = str(pay(api, alice.id).latest_charge)
    refund = api.refunds.create({"charge": charge, "amount": 100})

    plain = api.charges.retrieve(charge)
    full = api.charges.retrieve(charge, {"expand": ["refunds"]})

    assert plain.refunds is None
    assert full.refunds is not None
    assert ids(full.refunds) == [refund.id]


def test_null_expands_to_null(api: stripe.V1Services) -> None:
    intent = api.payment_intents.create(
        {"amount": 100, "currency": "usd", "expand": ["customer", "latest_charge.customer"]}
    )

    assert intent.customer is None


@pytest.mark.parametrize("path", ["status", "nothing", "data.customer", "a.b.c.d.e"])
def test_what_cannot_expand_is_refused_and_nothing_done(api: stripe.V1Services, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.create({"amount": 100, "currency": "usd", "expand": [path]})

    assert refusal.value.param == "expand"
    assert api.payment_intents.list().data == []
