"""The mirror: dj-stripe's tables, kept for the operators' eyes. Nothing is decided from it.

Only what `fetch` reads is mirrored: whatever the other verbs bring about, Stripe announces, and
the announcement is fetched. Faults of dj-stripe 2.11 are worked around here and nowhere else:

* It looks up related objects over the network inside its transaction. They are mirrored first, or
  left out where they are not worth a request (`_NOT_WORTH_A_REQUEST`); a product, whose features
  it always asks for, gets its row beforehand, for it opens no transaction around a known one.
* It keeps the secret key in a table to find the account that an object belongs to. An object that
  names its account (`_Payload.stripe_account`) is spared that.
* It fails on a customer with a discount, on an invoice's lines and discounts, on a subscription's
  items, and stores parts of others by ways of their own: these are held back while it works
  (`_HELD_BACK`) and put into `stripe_data` afterwards.

What people tell Stripe about themselves on its pages is blanked before it is stored.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import stripe
from django.conf import settings
from django.db import transaction
from djstripe import models

from billing.gateways.stripe import client as clients

logger = logging.getLogger(__name__)

_MODELS: Final[Mapping[str, Any]] = {  # dj-stripe has no types
    "balance_transaction": models.BalanceTransaction,
    "charge": models.Charge,
    "checkout.session": models.Session,
    "coupon": models.Coupon,
    "customer": models.Customer,
    "dispute": models.Dispute,
    "invoice": models.Invoice,
    "payment_intent": models.PaymentIntent,
    "payment_method": models.PaymentMethod,
    "price": models.Price,
    "product": models.Product,
    "refund": models.Refund,
    "setup_intent": models.SetupIntent,
    "subscription": models.Subscription,
    "tax_rate": models.TaxRate,
}
_TYPES: Final = {model: object_type for object_type, model in _MODELS.items()}

# `default_payment_method` would lead from a customer to a method and back again.
_NOT_WORTH_A_REQUEST: Final = frozenset(
    {"balance_transaction", "failure_balance_transaction", "default_payment_method"}
)

# What dj-stripe must not see, and what it sees instead.
_HELD_BACK: Final[Mapping[str, Mapping[str, Any]]] = {
    "charge": {"refunds": None},
    "customer": {"discount": None, "sources": None},
    "dispute": {"balance_transactions": []},
    "invoice": {"lines": [], "discounts": [], "default_tax_rates": []},
    "subscription": {"items": None, "default_tax_rates": []},
}

_PERSONAL: Final = frozenset(
    "address billing_details business_name collected_information customer_address"
    " customer_details customer_email customer_name customer_phone customer_shipping"
    " email evidence individual_name ip_address phone receipt_email shipping user_agent"
    " verified_address verified_email verified_name verified_phone".split()
)
_SECRET: Final = frozenset({"client_secret"})


class _Payload(dict[str, Any]):
    """An object's JSON that names the account it belongs to, as dj-stripe asks for it."""

    def __init__(self, fields: Mapping[str, Any], stripe_account: str) -> None:
        super().__init__(fields)
        self.stripe_account = stripe_account


class Mirror:
    """Writes what Stripe said into dj-stripe's tables. Impatient: it never retries."""

    def __init__(self) -> None:
        self._client = clients.build(timeouts=clients.BRIEF, max_network_retries=0)
        self._account: _Payload | None = None

    def keep(self, thing: stripe.StripeObject) -> None:
        """Mirror an object. Whatever goes wrong is logged and forgotten: the money goes first."""
        try:
            self._keep(thing)
        except Exception as error:  # noqa: BLE001  # this is the one place where it ends
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.warning(
                "Not mirrored: %s (%s at %s:%s)",
                getattr(thing, "id", "?"),
                type(error).__name__,  # its text may quote the object
                place.name,
                place.lineno,
            )

    def _keep(self, thing: stripe.StripeObject) -> None:
        fields = redacted(thing.to_dict(for_json=True))
        object_type = fields.get("object", "")
        if object_type not in _MODELS:
            return
        model, account = _MODELS[object_type], self._own_account()
        for name, related in _relations(model):
            self._prepare(fields, name, related)
        held = {k: fields[k] for k in _HELD_BACK.get(object_type, {}) if fields.get(k)}
        payload = _Payload({**fields, **_instead(object_type, held)}, account)
        with _writing(model, payload):
            row = model.sync_from_stripe_data(payload, api_key=settings.STRIPE_SECRET_KEY)
            if held:
                row.stripe_data |= held
                row.save(update_fields=["stripe_data"])

    def _prepare(self, fields: dict[str, Any], name: str, related: Any) -> None:
        """See that dj-stripe finds the related object in its tables, or does not look for it."""
        found = fields.get(name)
        if isinstance(found, dict):
            found = fields[name] = found.get("id")
        if not found or related.objects.filter(id=found).exists():
            return
        if related in _TYPES and name not in _NOT_WORTH_A_REQUEST:
            self._keep(clients.retrieve(self._client, _TYPES[related], found))
        else:
            fields[name] = None
