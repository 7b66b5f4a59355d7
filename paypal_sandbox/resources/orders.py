"""Orders: here always paid at once, from a token the payer agreed to before."""

from __future__ import annotations

from paypal_sandbox import accounts, errors, ids, instants, money
from paypal_sandbox.call import Call, dig, text
from paypal_sandbox.links import link
from paypal_sandbox.payments import captures, refunds, vault
from paypal_sandbox.resources.setup_tokens import USAGE_PATTERNS
from paypal_sandbox.routes import ORDERS_KEPT, Reply, operation, shown
from stripe_sandbox.bodies import Json

KIND = "order"
_PATH = "/v2/checkout/orders"
_UNIT = "/purchase_units/0"
_CREDENTIAL = "/payment_source/paypal/stored_credential"


@operation("POST", _PATH, kept=ORDERS_KEPT, prefers=True)
def create(call: Call) -> Reply:
    """Create an order and capture its payment."""
    unit = _unit(call.params)
    token = _token(call)
    notes = call.state.records.notes(token["id"])
    account = accounts.BY_KIND[notes["account"]]
    amount = money.read(unit.get("amount"), f"{_UNIT}/amount")
    texts = {
        name: text(unit, name, _UNIT, longest)
        for name, longest in (("reference_id", 256), ("custom_id", 127), ("invoice_id", 127),
                              ("description", 127))
    }  # fmt: skip
    wish = captures.Wish(ids.transaction(), amount, texts["custom_id"], texts["invoice_id"])
    capture = captures.take(call.state, account, wish)
    shown_unit: Json = {
        "reference_id": texts.pop("reference_id") or "default",
        "amount": amount.written(),
        "payee": captures.payee(call.state),
    } | {name: value for name, value in texts.items() if value}
    payer = accounts.payer(account, notes["payer_id"])
    now = instants.written(call.now())
    order: Json = {
        "id": wish.order_id,
        "intent": "CAPTURE",
        "status": "COMPLETED",
        "payment_source": {"paypal": _paid_from(payer)},
        "purchase_units": [shown_unit],
        "payer": payer,
        "create_time": now,
        "update_time": now,
    }
    call.state.records.add(KIND, order["id"], order, notes={"capture": capture["id"]})
    return Reply(201, made=(KIND, order["id"]))


@operation("GET", _PATH + "/{id}")
def get(call: Call) -> Reply:
    """Show an order."""
    return Reply(body=show(call, call.args["id"]))


@shown(KIND)
def show(call: Call, order_id: str) -> Json:
    """Show an order with its payments as they are now."""
    records, state = call.state.records, call.state
    order = records.get(KIND, order_id)
    if order is None:
        raise errors.not_found()
    capture_id = records.notes(order_id)["capture"]
    capture = records.get(captures.KIND, capture_id) or {}
    payments: Json = {"captures": [captures.show(state, capture)]}
    given_back = [refunds.show(state, refund) for refund in refunds.of(state, capture_id)]
    if given_back:
        payments["refunds"] = given_back
    return order | {
        "purchase_units": [order["purchase_units"][0] | {"payments": payments}],
        "links": [link(call.base_url, "self", f"{_PATH}/{order_id}")],
    }


def _unit(params: Json) -> Json:
    """Return the one thing that is paid for."""
    if "intent" not in params:
        raise errors.missing("/intent")
    if params["intent"] != "CAPTURE":
        raise errors.not_supported("/intent", "only CAPTURE is.")
    units = params.get("purchase_units")
    if not isinstance(units, list) or not units or not isinstance(units[0], dict):
        raise errors.missing("/purchase_units")
    if len(units) > 1:
        raise errors.refused(
            "MERCHANT_INITIATED_WITH_MULTIPLE_PURCHASE_UNITS",
            "Merchant initiated payments are not supported from orders with more than one "
            "purchase_unit.",
            field="/purchase_units",
        )
    unit: Json = units[0]
    return unit


def _token(call: Call) -> Json:
    """Return the token to pay from."""
    paypal = dig(call.params, "payment_source", "paypal")
    vault_id = dig(paypal, "vault_id")
    if not isinstance(vault_id, str):
        raise errors.not_supported(
            "/payment_source", "only orders paid from payment_source.paypal.vault_id are."
        )
    if not call.request.headers.get("paypal-request-id"):
        raise errors.invalid(
            "PAYPAL_REQUEST_ID_REQUIRED",
            "A PayPal-Request-Id is required if you are trying to process payment for an Order. "
            "Please specify a PayPal-Request-Id or Create the Order without a 'payment_source' "
            "specified.",
            "PayPal-Request-Id",
            location="header",
        )
    _check_credential(paypal.get("stored_credential"))
    found = vault.token(call.state, vault_id)
    if found is None and call.state.records.is_gone(vault.TOKEN, vault_id):
        raise errors.refused(
            "AGREEMENT_ALREADY_CANCELLED", "The requested agreement is already canceled."
        )
    if found is None:
        raise errors.refused(
            "TOKEN_ID_NOT_FOUND",
            "Specified token was not found. Verify the token and try the request again.",
            field="/payment_source/paypal/vault_id",
        )
    return found


def _check_credential(credential: object) -> None:
    if credential is None:
        return
    if dig(credential, "payment_initiator") is None:
        raise errors.missing(f"{_CREDENTIAL}/payment_initiator")
    for name, choices in (
        ("payment_initiator", ("CUSTOMER", "MERCHANT")),
        ("usage", ("FIRST", "SUBSEQUENT", "DERIVED")),
        ("usage_pattern", USAGE_PATTERNS),
    ):
        value = dig(credential, name)
        if value is not None and value not in choices:
            raise errors.not_a_choice(f"{_CREDENTIAL}/{name}")


def _paid_from(payer: Json) -> Json:
    return {
        "email_address": payer["email_address"],
        "account_id": payer["payer_id"],
        "account_status": "VERIFIED",
        "name": payer["name"],
        "address": payer["address"],
    }
