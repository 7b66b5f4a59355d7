"""The mirror: dj-stripe's tables, kept for the operators' eyes. Nothing is decided from it.

Only what `fetch` reads is mirrored: whatever the other verbs bring about, Stripe announces, and
the announcement is fetched. Faults of dj-stripe 2.11 are worked around here and nowhere else:

* It looks up related objects over the network inside its transaction. They are mirrored first, or
  left out where they are not worth a request (`_NOT_WORTH_A_REQUEST`). A product's features, which
  it asks for in any case, it no longer does.
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
from typing import Any, Final

import stripe
from django.conf import settings
from django.db import connection, transaction
from djstripe import models
from djstripe.models.base import StripeModel

from billing.gateways.stripe import client as clients
from billing.models import GatewayCustomer

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
    "payout": models.Payout,
    "price": models.Price,
    "product": models.Product,
    "refund": models.Refund,
    "setup_intent": models.SetupIntent,
    "subscription": models.Subscription,
    "tax_rate": models.TaxRate,
}
_TYPES: Final = {model: object_type for object_type, model in _MODELS.items()}

_NOT_WORTH_A_REQUEST: Final = frozenset(
    {"balance_transaction", "failure_balance_transaction", "default_payment_method"}
)

# What dj-stripe must not see, and what it sees instead.
_HELD_BACK: Final[Mapping[str, Mapping[str, Any]]] = {
    "charge": {"refunds": None, "source": None},
    "customer": {"discount": None, "sources": None},
    "dispute": {"balance_transactions": []},
    "invoice": {"lines": [], "discounts": [], "default_tax_rates": []},
    "subscription": {"items": None, "default_tax_rates": []},
}

_PERSONAL: Final = frozenset(
    {
        "address",
        "billing_details",
        "business_name",
        "collected_information",
        "customer_address",
        "customer_details",
        "customer_email",
        "customer_name",
        "customer_phone",
        "customer_shipping",
        "email",
        "evidence",
        "individual_name",
        "ip_address",
        "phone",
        "receipt_email",
        "shipping",
        "user_agent",
        "verified_address",
        "verified_email",
        "verified_name",
        "verified_phone",
    }
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
        self._account: dict[str, Any] | None = None

    def keep(self, thing: stripe.StripeObject) -> None:
        """Mirror an object. Whatever goes wrong is logged and forgotten: the money goes first."""
        try:
            self._keep(thing)
        except Exception as error:  # this is the one place where it ends
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.warning(
                "Not mirrored: %s (%s at %s:%s)",
                getattr(thing, "id", "?"),
                type(error).__name__,  # its text may quote the object
                place.name,
                place.lineno,
            )

    def forget(self, customer_id: str) -> None:
        """Delete a customer's objects, and what hangs on them. What comes later is not kept."""
        for model in _MODELS.values():
            model.objects.filter(stripe_data__customer=customer_id).delete()
        models.Customer.objects.filter(id=customer_id).delete()

    def _keep(self, thing: stripe.StripeObject) -> None:
        fields = _redacted(thing.to_dict(for_json=True))
        object_type = fields.get("object", "")
        if object_type not in _MODELS or _is_of_somebody_erased(fields):
            return
        model, account = _MODELS[object_type], self._own_account()
        hidden = {k: v for k, v in _HELD_BACK.get(object_type, {}).items() if fields.get(k)}
        hidden |= self._unresolved(model, fields)
        payload = _Payload({**fields, **hidden}, account)
        with transaction.atomic():
            _wait_for_others(fields["id"])
            row = model.sync_from_stripe_data(payload, api_key=settings.STRIPE_SECRET_KEY)
            if hidden:
                row.stripe_data |= {name: fields[name] for name in hidden}
                row.save(update_fields=["stripe_data"])

    def _unresolved(self, model: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Mirror what the object refers to; what dj-stripe must not look for, it sees as this."""
        missing: dict[str, Any] = {
            name: None
            for name, related in _relations(model)
            if not self._has(fields, name, related)
        }
        favourite = (fields.get("invoice_settings") or {}).get("default_payment_method")
        if favourite and not models.PaymentMethod.objects.filter(id=favourite).exists():
            missing["invoice_settings"] = {}  # a customer's; the method would ask for it in turn
        return missing

    def _has(self, fields: Mapping[str, Any], name: str, related: Any) -> bool:
        """Whether dj-stripe will find the related object in its tables, or need not look."""
        found = fields.get(name)
        if not found:
            return True
        if not isinstance(found, str):  # expanded: dj-stripe would store it by ways of its own
            return False
        if related.objects.filter(id=found).exists():
            return True
        return self._fetched(related, name, found)

    def _fetched(self, related: Any, name: str, object_id: str) -> bool:
        if related not in _TYPES or name in _NOT_WORTH_A_REQUEST:
            return False
        try:
            thing = clients.retrieve(self._client, _TYPES[related], object_id)
        except stripe.InvalidRequestError as error:
            if clients.is_missing(error):
                return False
            raise
        self._keep(thing)
        return True

    def _own_account(self) -> str:
        """The account that all of it belongs to, mirrored as well."""
        if self._account is None:
            self._account = _redacted(
                self._client.v1.accounts.retrieve_current().to_dict(for_json=True)
            )
        account_id = str(self._account["id"])
        models.Account.objects.get_or_create(id=account_id, defaults={"stripe_data": self._account})
        return account_id


def _is_of_somebody_erased(fields: Mapping[str, Any]) -> bool:
    whose = fields.get("id") if fields.get("object") == "customer" else fields.get("customer")
    known = GatewayCustomer.objects.filter(gateway="stripe", customer__erased_at__isnull=False)
    return isinstance(whose, str) and known.filter(external_id=whose).exists()


def _wait_for_others(object_id: str) -> None:
    """Two notifications about one object are mirrored one after the other, to the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [object_id])


def _relations(model: Any) -> list[tuple[str, Any]]:
    """The names under which an object refers to others that have tables."""
    return [
        (field.name, field.related_model)
        for field in model._meta.get_fields()  # noqa: SLF001  # Django's documented way
        if (field.many_to_one or field.one_to_one)
        and not field.name.startswith("djstripe_")
        and issubclass(field.related_model, StripeModel)
    ]


def _redacted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what people said about themselves, and without secrets."""
    hidden = _PERSONAL | _SECRET
    if fields.get("object") == "customer":
        hidden |= {"name"}
    return {
        name: None if name in hidden else _redacted_value(value) for name, value in fields.items()
    }


def _redacted_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _redacted(value)
    return [_redacted_value(item) for item in value] if isinstance(value, list) else value


def _leave_features_alone(product: Any, api_key: str) -> None:
    """Stands in for dj-stripe's request for a product's features, made inside its transaction."""


models.Product._sync_product_features = _leave_features_alone  # noqa: SLF001
