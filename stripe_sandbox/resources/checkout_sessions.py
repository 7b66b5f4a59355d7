"""Checkout Sessions: a hosted page on which a card is saved or a payment made."""

from __future__ import annotations

from stripe_sandbox import errors, ids
from stripe_sandbox.bodies import Json
from stripe_sandbox.call import Call
from stripe_sandbox.fields import carried, merged
from stripe_sandbox.payments import checkout, money
from stripe_sandbox.resources import prices
from stripe_sandbox.routes import included, operation
from stripe_sandbox.sdk import shapes
from stripe_sandbox.wire.paging import listed

KIND = checkout.KIND
_NOT_YET = (
    "discounts", "optional_items", "shipping_options", "custom_fields", "invoice_creation",
    "subscription_data", "payment_method_data",
)  # fmt: skip
_HALF_AN_HOUR = 1800
_DAY = 24 * 3600


@operation("POST", "/v1/checkout/sessions")
def create(call: Call) -> Json:
    """Open a session."""
    errors.not_yet(call.params, _NOT_YET)
    mode = _mode(call.params)
    if "customer" in call.params:
        call.fetch("customer", call.params["customer"], "customer")
    session_id = f"cs_test_{ids.word(58)}"
    if "currency" in call.params:
        call.params["currency"] = money.require_currency(call.params["currency"])
    items = [_line_item(call, item, at) for at, item in enumerate(_wanted_items(call.params))]
    body: Json = {
        "id": session_id,
        "billing_address_collection": None,
        "custom_text": {},
        "customer_creation": _customer_creation(call.params),
        "expires_at": _expiry(call),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "ui_mode": "hosted_page",
        **carried(KIND, call.params, drop=("line_items",)),
        "mode": mode,
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "status": "open",
        "url": f"{call.base_url}/c/pay/{session_id}",
        **_totals(items),
    }
    _require_way_back(body)
    checkout.require_kinds(body["payment_method_types"], mode, body.get("currency"))
    if mode == "setup":
        wanted = call.params.get("setup_intent_data", {})
        body["setup_intent"] = checkout.new_setup_intent(call, body, wanted)["id"]
    notes = {"line_items": items, "payment_intent_data": call.params.get("payment_intent_data", {})}
    return call.create(KIND, body, notes=notes)


@operation("GET", "/v1/checkout/sessions/{session}")
def retrieve(call: Call) -> Json:
    """Return a session."""
    return checkout.current(call, call.target(KIND))


@operation("POST", "/v1/checkout/sessions/{session}")
def update(call: Call) -> Json:
    """Change a session's metadata."""
    errors.not_yet(call.params, (*_NOT_YET, "line_items"))
    before = checkout.current(call, call.target(KIND))
    return call.change(before, merged(before, call.params, drop=("line_items",)))


@operation("POST", "/v1/checkout/sessions/{session}/expire")
def expire(call: Call) -> Json:
    """Close a session."""
    return checkout.expire(call, call.target(KIND))


@operation("GET", "/v1/checkout/sessions/{session}/line_items")
def list_line_items(call: Call) -> Json:
    """Return what a session sells."""
    return _line_items(call, call.target(KIND))


@operation("GET", "/v1/checkout/sessions")
def list_all(call: Call) -> Json:
    """Return sessions, newest first."""
    params = {**call.params}
    where = []
    details = params.pop("customer_details", None)
    if details:
        where.append(("json_extract(body, '$.customer_details.email') = ?", details["email"]))
    return listed(call.state.objects, KIND, params, url=call.path, where=where)


@included(KIND, "line_items")
def line_items(call: Call, session: Json) -> Json | None:
    """Return a session's line items, which are told only when expanded; setting up has none."""
    return None if session["mode"] == "setup" else _line_items(call, session)


def _line_items(call: Call, session: Json) -> Json:
    items = call.state.objects.notes(session["id"])["line_items"]
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": items, "has_more": False, "url": url}


def _mode(params: Json) -> str:
    mode = params.get("mode")
    if mode is None:
        raise errors.missing("mode")
    if mode == "subscription":
        raise errors.ApiError(
            "This stand-in has no subscriptions yet: use the modes payment and setup.", param="mode"
        )
    if mode == "setup" and "line_items" in params:
        raise errors.ApiError("You can not pass `line_items` in `setup` mode.", param="line_items")
    if mode == "setup" and not ("currency" in params or "payment_method_types" in params):
        raise errors.ApiError(
            "You must provide `currency` in `setup` mode when `payment_method_types` is not set.",
            code="parameter_missing",
            param="currency",
        )
    if mode == "payment" and not params.get("line_items"):
        raise errors.missing("line_items")
    return str(mode)


def _customer_creation(params: Json) -> str | None:
    """Payments without a customer make one if they need one; nothing else does by itself."""
    return "if_required" if params["mode"] == "payment" and "customer" not in params else None


def _require_way_back(session: Json) -> None:
    if session["ui_mode"] != "hosted_page":
        raise errors.ApiError("This stand-in has hosted pages only.", param="ui_mode")
    if not session.get("success_url"):
        raise errors.missing("success_url")
    for name in ("success_url", "cancel_url"):
        url = session.get(name)
        if url and not url.startswith(("http://", "https://")):
            raise errors.ApiError(
                f"Invalid URL: {url}. URLs must begin with http or https.",
                code="url_invalid",
                param=name,
            )


def _expiry(call: Call) -> int:
    now = call.now(call.params.get("customer"))
    wanted = int(call.params.get("expires_at", now + _DAY))
    if not now + _HALF_AN_HOUR - 60 <= wanted <= now + _DAY + 60:
        raise errors.ApiError(
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from "
            "Checkout Session creation.",
            param="expires_at",
        )
    return wanted


def _wanted_items(params: Json) -> list[Json]:
    found: list[Json] = params.get("line_items", [])
    return found


def _line_item(call: Call, wanted: Json, at: int) -> Json:
    param = f"line_items[{at}]"
    price = _price(call, wanted, param)
    if price["type"] == "recurring":
        raise errors.ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param=f"{param}[price]",
        )
    quantity = wanted.get("quantity", 1)
    product = call.fetch("product", price["product"], f"{param}[price]")
    total = (price["unit_amount"] or 0) * quantity
    return shapes.complete(
        "item",
        {
            "id": ids.new("li"),
            "amount_discount": 0,
            "amount_subtotal": total,
            "amount_tax": 0,
            "amount_total": total,
            "currency": price["currency"],
            "description": product["name"],
            "price": price,
            "quantity": quantity,
        },
    )


def _price(call: Call, wanted: Json, param: str) -> Json:
    if "price" in wanted:
        return call.fetch("price", wanted["price"], f"{param}[price]")
    if "price_data" not in wanted:
        raise errors.missing(f"{param}[price]")
    return prices.made(call, wanted["price_data"])


def _totals(items: list[Json]) -> Json:
    """Return what a session comes to.

    :raises ApiError: if that cannot be charged, or is in two currencies.
    """
    if not items:
        return {}
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise errors.ApiError(
            "All line items of a Checkout Session must have the same currency.", param="line_items"
        )
    total = sum(item["amount_total"] for item in items)
    currency = currencies.pop()
    money.require_chargeable(total, currency)
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": currency,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }
