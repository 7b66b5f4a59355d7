"""Customers, products, prices and features."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


def test_a_customer_is_what_it_was_made_of(api: stripe.V1Services) -> None:
    wish: Any = {
        "name": "Alice",
        "email": "alice@example.test",
        "address": {"country": "DE", "city": "Jena"},
        "preferred_locales": ["de"],
        "invoice_settings": {"footer": "Danke"},
        "balance": -500,
        "tax_exempt": "reverse",
    }
    alice = api.customers.create(wish).to_dict()

    assert {name: alice[name] for name in wish if name not in ("address", "invoice_settings")} == {
        name: wish[name] for name in wish if name not in ("address", "invoice_settings")
    }
    assert alice["address"] == {
        "city": "Jena", "country": "DE", "line1": None, "line2": None, "postal_code": None,
        "state": None,
    }  # fmt: skip
    assert alice["invoice_settings"]["footer"] == "Danke"
    assert alice["id"].startswith("cus_")


def test_a_default_payment_method_must_be_ones_own(
    api: stripe.V1Services, alice: stripe.Customer, visa: stripe.PaymentMethod
) -> None:
    bob = api.customers.create({})
    wish: Any = {"invoice_settings": {"default_payment_method": visa.id}}

    assert api.customers.update(alice.id, wish)["invoice_settings"]["default_payment_method"] == (
        visa.id
    )
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        api.customers.update(bob.id, wish)
    footer = api.customers.update(alice.id, {"invoice_settings": {"footer": "Thanks"}})
    assert footer["invoice_settings"]["default_payment_method"] == visa.id


def test_a_customer_may_come_with_a_payment_method(api: stripe.V1Services) -> None:
    alice = api.customers.create({"payment_method": "pm_card_visa"})

    method = api.customers.payment_methods.list(alice.id).data[0]
    assert api.customers.payment_methods.retrieve(alice.id, method.id).id == method.id


def test_detaching_is_for_good(
    api: stripe.V1Services, alice: stripe.Customer, visa: stripe.PaymentMethod
) -> None:
    api.payment_methods.update(visa.id, {"metadata": {"nick": "work"}})
    gone = api.payment_methods.detach(visa.id)

    assert (gone.customer, gone.to_dict()["metadata"]) == (None, {"nick": "work"})
    assert api.payment_methods.list({"customer": alice.id}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        api.payment_methods.attach(visa.id, {"customer": alice.id})
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        api.payment_methods.detach(visa.id)


def test_a_payment_method_has_one_owner(api: stripe.V1Services, visa: stripe.PaymentMethod) -> None:
    bob = api.customers.create({})

    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        api.payment_methods.attach(visa.id, {"customer": bob.id})


def test_a_deleted_customer_is_gone(
    api: stripe.V1Services, alice: stripe.Customer, visa: stripe.PaymentMethod
) -> None:
    api.customers.delete(alice.id)

    assert api.customers.list().data == []
    assert api.payment_methods.retrieve(visa.id).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        api.customers.update(alice.id, {"description": "still here?"})


def test_a_product_is_made_changed_and_deleted(api: stripe.V1Services) -> None:
    honey = api.products.create(
        {"id": "honey", "name": "Honey", "marketing_features": [{"name": "sweet"}]}
    )
    with pytest.raises(stripe.InvalidRequestError) as twice:
        api.products.create({"id": "honey", "name": "Honey"})
    renamed = api.products.update("honey", {"name": "Wild honey", "active": False})

    assert honey.active is True
    assert twice.value.code == "resource_already_exists"
    assert (renamed.name, renamed.active) == ("Wild honey", False)
    assert api.products.delete("honey").deleted is True
    with pytest.raises(stripe.InvalidRequestError):
        api.products.retrieve("honey")


def test_a_product_with_prices_stays(api: stripe.V1Services) -> None:
    honey = api.products.create(
        {"name": "Honey", "default_price_data": {"currency": "usd", "unit_amount": 900}}
    )

    assert str(honey.default_price).startswith("price_")
    with pytest.raises(stripe.InvalidRequestError, match="one or more"):
        api.products.delete(honey.id)


def test_a_price_says_what_it_costs_once(api: stripe.V1Services) -> None:
    named: Any = {"currency": "USD", "product_data": {"name": "Honey"}}

    def price(**more: Any) -> stripe.Price:
        return api.prices.create(named | more)

    exact = price(unit_amount_decimal="12.50")
    whole = price(unit_amount_decimal="1200")

    assert (exact.unit_amount, str(exact.unit_amount_decimal)) == (None, "12.5")
    assert (whole.unit_amount, str(whole.unit_amount_decimal)) == (1200, "1200")
    assert (whole.currency, whole.type) == ("usd", "one_time")
    wrong_ones: list[dict[str, Any]] = [
        {},
        {"unit_amount": 1, "unit_amount_decimal": "1"},
        {"billing_scheme": "tiered"},
    ]
    for wrong in wrong_ones:
        with pytest.raises(stripe.InvalidRequestError):
            price(**wrong)


def test_tiers_are_told_when_asked_for(api: stripe.V1Services) -> None:
    stepped = api.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": "Calls"},
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "recurring": {"interval": "month", "usage_type": "metered"},
            "tiers": [{"up_to": 100, "unit_amount": 5}, {"up_to": "inf", "unit_amount": 3}],
        }
    )
    full = api.prices.retrieve(stepped.id, {"expand": ["tiers"]})

    assert stepped.tiers is None
    assert stepped.recurring is not None
    assert (stepped.recurring.usage_type, stepped.recurring.interval_count) == ("metered", 1)
    assert full.tiers is not None
    assert [(tier.up_to, tier.unit_amount) for tier in full.tiers] == [(100, 5), (None, 3)]


def test_a_lookup_key_moves_only_when_told_to(api: stripe.V1Services) -> None:
    named: Any = {
        "currency": "usd",
        "unit_amount": 1,
        "lookup_key": "honey",
        "product_data": {"name": "Honey"},
    }
    first = api.prices.create(named)

    with pytest.raises(stripe.InvalidRequestError, match="already uses"):
        api.prices.create(named)
    second = api.prices.create(named | {"transfer_lookup_key": True})

    assert second.lookup_key == "honey"
    assert api.prices.retrieve(first.id).lookup_key is None


def test_features_come_with_products(api: stripe.V1Services) -> None:
    hive = api.entitlements.features.create({"name": "Hive", "lookup_key": "hive"})
    honey = api.products.create({"name": "Honey"})

    attached = api.products.features.create(honey.id, {"entitlement_feature": hive.id})

    assert attached.entitlement_feature.id == hive.id
    assert [found.id for found in api.products.features.list(honey.id).data] == [attached.id]
    assert api.products.features.delete(honey.id, attached.id).deleted is True
    assert api.products.features.list(honey.id).data == []
    api.entitlements.features.update(hive.id, {"active": False})
    assert api.entitlements.features.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="exists already"):
        api.entitlements.features.create({"name": "Hive", "lookup_key": "hive"})


def test_the_account_is_one(api: stripe.V1Services) -> None:
    account = api.accounts.retrieve_current()

    assert api.accounts.retrieve(account.id).to_dict() == account.to_dict()
    assert account.charges_enabled is True
