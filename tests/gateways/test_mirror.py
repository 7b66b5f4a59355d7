"""The mirror, and what of dj-stripe is worked around.

The tests named after a fault of dj-stripe's show the fault itself. When one of them fails, the
fault is mended and its workaround in `mirror.py` can go.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
import stripe
from django.conf import settings
from django.db import connection
from djstripe import models

from billing.core.money import Money
from billing.gateways.base import Charge, ChargeRequest, RefundRequest, SetupRequest
from billing.gateways.stripe import client as clients
from billing.gateways.stripe import mirror
from billing.gateways.stripe.gateway import StripeGateway
from tests.gateways.cases import StandIn

pytestmark = pytest.mark.django_db


class Refusing(stripe.HTTPClient):
    """What dj-stripe would speak through: it may not."""

    name = "refusing"

    def request(self, method: str, url: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"dj-stripe asked for {method} {url}")

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def gateway(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    """Stripe, while dj-stripe cannot reach it and we may only outside of transactions."""
    gateway = StripeGateway()
    monkeypatch.setattr(stripe, "default_http_client", Refusing())
    outside, retrieve = list(connection.savepoint_ids), clients.retrieve

    def watched(*args: Any) -> stripe.StripeObject:
        assert connection.savepoint_ids == outside, "a request inside a transaction"
        return retrieve(*args)

    monkeypatch.setattr(clients, "retrieve", watched)
    return gateway


@pytest.fixture
def charge(gateway: StripeGateway) -> Charge:
    setup = gateway.start_setup(SetupRequest("s1", "anon_1", token="pm_card_visa"))
    assert setup.method is not None
    return gateway.charge(
        ChargeRequest(
            "a1", Money(1000, "EUR"), setup.customer_external_id, setup.method.external_id
        )
    )


def made(**fields: Any) -> stripe.StripeObject:
    return stripe.StripeObject.construct_from(fields, settings.STRIPE_SECRET_KEY)


def mirrored(gateway: StripeGateway) -> str:
    """The id of a customer that the mirror knows."""
    customer = gateway._client.v1.customers.create({"metadata": {"anonymous_id": "anon_1"}})
    gateway.fetch("customer", customer.id)
    return customer.id


def test_a_charge_is_mirrored_with_all_that_it_refers_to(
    gateway: StripeGateway, charge: Charge
) -> None:
    (of_stripe,) = gateway._client.v1.charges.list().data

    assert gateway.fetch("charge", of_stripe.id) == charge

    row = models.Charge.objects.get(id=of_stripe.id)
    assert row.payment_intent.id == charge.external_id
    assert row.payment_method.customer == row.customer
    assert row.customer.metadata == {"anonymous_id": "anon_1"}
    assert row.djstripe_owner_account == models.Account.objects.get()
    assert row.stripe_data["balance_transaction"] == of_stripe.balance_transaction


def test_a_refund_is_mirrored(gateway: StripeGateway, charge: Charge) -> None:
    refund = gateway.refund(RefundRequest("r1", charge.external_id, Money(300, "EUR")))

    gateway.fetch("refund", refund.external_id)

    row = models.Refund.objects.get(id=refund.external_id)
    assert (row.amount, row.charge.payment_intent.id) == (300, charge.external_id)


def test_a_payout_is_mirrored(
    gateway: StripeGateway, charge: Charge, stand_in: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    payout = stand_in.control("payouts/pay", currency="eur", include_pending=True)

    assert gateway.fetch("payout", payout["id"]) is None

    assert [line for line in caplog.records if line.name == mirror.__name__] == []
    row = models.Payout.objects.get(id=payout["id"])
    assert row.stripe_data["amount"] == payout["amount"]


def test_what_is_known_is_brought_up_to_date(gateway: StripeGateway) -> None:
    customer = mirrored(gateway)
    gateway._client.v1.customers.update(customer, {"metadata": {"more": "1"}})

    gateway.fetch("customer", customer)

    assert models.Customer.objects.get().metadata == {"anonymous_id": "anon_1", "more": "1"}


def test_a_product_and_its_price_are_mirrored(gateway: StripeGateway) -> None:
    product = gateway._client.v1.products.create({"name": "Basic"})
    price = gateway._client.v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 900}
    )

    assert gateway.fetch("price", price.id) is None

    row = models.Price.objects.get(id=price.id)
    assert (row.product.id, row.product.name) == (product.id, "Basic")


def test_what_people_tell_stripe_about_themselves_is_not_kept(gateway: StripeGateway) -> None:
    customer = mirrored(gateway)
    gateway._client.v1.customers.update(
        customer, {"name": "Alice", "email": "alice@example.org", "phone": "+4930123"}
    )

    gateway.fetch("customer", customer)

    row = models.Customer.objects.get()
    assert (row.name, row.email, row.stripe_data["phone"]) == (None, "", None)


def test_the_secret_key_and_the_clients_secrets_are_not_kept(
    gateway: StripeGateway, charge: Charge
) -> None:
    gateway.fetch("payment_intent", charge.external_id)

    assert not models.APIKey.objects.exists()
    assert models.PaymentIntent.objects.get().stripe_data["client_secret"] is None


def test_a_failing_mirror_is_logged_and_the_answer_stands(
    gateway: StripeGateway, charge: Charge, stand_in: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in.fail("/v1/account", action="500")

    with caplog.at_level(logging.WARNING):
        assert gateway.fetch("payment_intent", charge.external_id) == charge

    (line,) = [record for record in caplog.records if record.name == mirror.__name__]
    assert line.getMessage().startswith(f"Not mirrored: {charge.external_id} (APIError at ")
    assert not models.PaymentIntent.objects.exists()


def test_a_customer_with_a_discount_is_mirrored(gateway: StripeGateway) -> None:
    discount = {"object": "discount", "id": "di_1", "source": {"coupon": "c", "type": "coupon"}}
    mirror.Mirror().keep(
        made(object="customer", id="cus_1", metadata={}, livemode=False, discount=discount)
    )

    assert models.Customer.objects.get().stripe_data["discount"] == discount


def test_a_favourite_method_that_is_not_known_is_left_out(gateway: StripeGateway) -> None:
    settled = {"default_payment_method": "pm_unknown"}
    mirror.Mirror().keep(made(object="customer", id="cus_1", metadata={}, invoice_settings=settled))

    row = models.Customer.objects.get()
    assert (row.default_payment_method, row.stripe_data["invoice_settings"]) == (None, settled)


def test_an_invoice_and_a_subscription_are_mirrored_whole(gateway: StripeGateway) -> None:
    customer = mirrored(gateway)
    items = {"object": "list", "data": [{"id": "si_1", "object": "subscription_item"}]}
    lines = {"object": "list", "data": [{"id": "il_1", "object": "line_item"}]}

    keeper = mirror.Mirror()
    keeper.keep(made(object="subscription", id="sub_1", customer=customer, items=items))
    keeper.keep(
        made(object="invoice", id="in_1", customer=customer, lines=lines, discounts=["di_1"])
    )

    assert models.Subscription.objects.get().stripe_data["items"] == items
    invoice = models.Invoice.objects.get().stripe_data
    assert (invoice["lines"], invoice["discounts"]) == (lines, ["di_1"])


def test_a_dispute_is_mirrored_with_its_movements(gateway: StripeGateway) -> None:
    movements = [{"object": "balance_transaction", "id": "txn_1", "amount": -5}]
    mirror.Mirror().keep(
        made(
            object="dispute",
            id="du_1",
            amount=5,
            balance_transactions=movements,
            evidence={"customer_name": "Alice"},
            charge="ch_gone",
        )
    )

    row = models.Dispute.objects.get()
    assert (row.charge, row.stripe_data["charge"]) == (None, "ch_gone")
    assert row.stripe_data["balance_transactions"] == movements
    assert row.stripe_data["evidence"] is None


def test_fault_djstripe_fails_on_a_customer_with_a_discount(gateway: StripeGateway) -> None:
    discount = {"object": "discount", "id": "di_1", "source": {"coupon": "c", "type": "coupon"}}
    fields = {"object": "customer", "id": "cus_1", "metadata": {}, "discount": discount}
    payload = mirror._Payload(fields, gateway._mirror._own_account())

    with pytest.raises(RuntimeError, match="empty field"):
        models.Customer.sync_from_stripe_data(payload)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (models.Subscription, {"object": "subscription", "items": {"data": []}}),
        (models.Invoice, {"object": "invoice", "lines": {"data": []}}),
        (models.Invoice, {"object": "invoice", "lines": [], "discounts": ["di_1"]}),
    ],
    ids=["items", "lines", "discounts"],
)
def test_fault_djstripe_fails_on_lists_within(
    gateway: StripeGateway, model: Any, fields: dict[str, Any]
) -> None:
    customer = mirrored(gateway)
    payload = mirror._Payload(
        {"id": "x_1", "customer": customer} | fields, gateway._mirror._own_account()
    )

    with pytest.raises(AttributeError):
        model.sync_from_stripe_data(payload)


def test_fault_djstripe_asks_for_related_objects_inside_its_transaction(
    gateway: StripeGateway,
) -> None:
    fields = {"object": "payment_intent", "id": "pi_1", "customer": "cus_1"}
    payload = mirror._Payload(fields, gateway._mirror._own_account())

    with pytest.raises(AssertionError, match=r"dj-stripe asked for get .*/v1/customers/cus_1"):
        models.PaymentIntent.sync_from_stripe_data(payload)


def test_fault_djstripe_asks_for_a_products_features() -> None:
    assert models.Product._sync_product_features is mirror._leave_features_alone
    assert (
        "_sync_product_features" in models.Product._attach_objects_post_save_hook.__code__.co_names
    )


def test_fault_djstripe_keeps_the_secret_key_in_a_table(stand_in: StandIn) -> None:
    clients.build()

    models.Customer.sync_from_stripe_data({"object": "customer", "id": "cus_1", "metadata": {}})

    assert models.APIKey.objects.get().secret == settings.STRIPE_SECRET_KEY
