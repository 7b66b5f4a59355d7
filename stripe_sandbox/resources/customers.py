"""Customers, and the payment methods that are theirs."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import methods
from stripe_sandbox.routes import operation
from stripe_sandbox.wire.paging import listed

_NOT_YET = ("source", "tax", "tax_id_data", "cash_balance", "default_source")


@operation("POST", "/v1/customers")
def create(call: Call) -> Json:
    """Create a customer, attaching the payment method it comes with."""
    errors.not_yet(call.params, _NOT_YET)
    clock = call.params.get("test_clock")
    body = {
        "id": ids.short("cus"),
        "balance": 0,
        "created": call.fetch("test_helpers.test_clock", clock, "test_clock")["frozen_time"]
        if clock
        else call.now(),
        "delinquent": False,
        "invoice_prefix": ids.word(8).upper(),
        "invoice_settings": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **carried("customer", call.params),
    }
    customer = call.create("customer", body, event="customer.created")
    given = call.params.get("payment_method")
    if given:
        method = methods.resolve(call, given)
        methods.attach(call, method, customer["id"])
    _check_default(call, customer)
    return customer


@operation("GET", "/v1/customers/{customer}")
def retrieve(call: Call) -> Json:
    """Return a customer, or the marker of a deleted one."""
    found = call.state.objects.find(call.args["customer"], "customer")
    if found is None:
        raise errors.no_such("customer", call.args["customer"], "id", status=404)
    return found


@operation("POST", "/v1/customers/{customer}")
def update(call: Call) -> Json:
    """Change a customer."""
    errors.not_yet(call.params, _NOT_YET)
    before = call.target("customer")
    changes = merged(before, call.params)
    _check_default(call, before | changes)
    return call.change(before, changes, event="customer.updated")


@operation("DELETE", "/v1/customers/{customer}")
def delete(call: Call) -> Json:
    """Delete a customer; its payment methods can no longer be used."""
    customer = call.target("customer")
    owned = listed(
        call.state.objects,
        "payment_method",
        {"customer": customer["id"], "limit": 100},
        url=call.path,
    )
    for method in owned["data"]:
        methods.detach(call, method)
    return call.remove(customer, event="customer.deleted")


@operation("GET", "/v1/customers")
def list_all(call: Call) -> Json:
    """Return customers; those on a test clock only when asked for by it."""
    where: list[tuple[str, object]] = []
    if "test_clock" not in call.params:
        where.append(("json_extract(body, '$.test_clock') IS NULL", []))
    return listed(call.state.objects, "customer", call.params, url=call.path, where=where)


@operation("GET", "/v1/customers/{customer}/payment_methods")
def list_payment_methods(call: Call) -> Json:
    """Return a customer's payment methods."""
    params = call.params | {"customer": call.target("customer")["id"]}
    return listed(call.state.objects, "payment_method", params, url=call.path)


@operation("GET", "/v1/customers/{customer}/payment_methods/{payment_method}")
def retrieve_payment_method(call: Call) -> Json:
    """Return one of a customer's payment methods."""
    customer = call.target("customer", "customer")
    method = call.target("payment_method", "payment_method")
    if method["customer"] != customer["id"]:
        raise errors.no_such("PaymentMethod", method["id"], "payment_method", status=404)
    return method


def _check_default(call: Call, customer: Json) -> None:
    """Refuse a default payment method that is not the customer's own."""
    default = (customer["invoice_settings"] or {}).get("default_payment_method")
    if not default:
        return
    param = "invoice_settings[default_payment_method]"
    if call.fetch("payment_method", default, param)["customer"] != customer["id"]:
        raise errors.ApiError(
            f"The customer does not have a payment method with the ID {default}. The payment "
            "method must be attached to the customer.",
            code="resource_missing",
            param=param,
        )
