"""Setup tokens: a way of paying that its owner has yet to agree to."""

from __future__ import annotations

from paypal_sandbox import errors
from paypal_sandbox.call import Call, dig, text
from paypal_sandbox.payments import vault
from paypal_sandbox.routes import VAULT_KEPT, Reply, operation, shown
from stripe_sandbox.bodies import Json

_SOURCE = "/payment_source/paypal"
_CARRIED = ("description", "shipping", "usage_pattern", "usage_type", "customer_type")
_CHOICES = {
    "usage_type": ("MERCHANT", "PLATFORM"),
    "customer_type": ("CONSUMER", "BUSINESS"),
    "usage_pattern": (
        "IMMEDIATE", "DEFERRED", "RECURRING_PREPAID", "RECURRING_POSTPAID", "THRESHOLD_PREPAID",
        "THRESHOLD_POSTPAID", "SUBSCRIPTION_PREPAID", "SUBSCRIPTION_POSTPAID",
        "UNSCHEDULED_PREPAID", "UNSCHEDULED_POSTPAID", "INSTALLMENT_PREPAID",
        "INSTALLMENT_POSTPAID",
    ),
}  # fmt: skip
USAGE_PATTERNS = _CHOICES["usage_pattern"]


@operation("POST", "/v3/vault/setup-tokens", kept=VAULT_KEPT, strict=True)
def create(call: Call) -> Reply:
    """Begin to save a PayPal account."""
    given = call.params.get("payment_source")
    if not isinstance(given, dict):
        raise errors.missing("/payment_source")
    paypal = given.get("paypal")
    if not isinstance(paypal, dict):
        raise errors.not_supported("/payment_source", "only payment_source.paypal is.")
    source = {name: paypal[name] for name in _CARRIED if name in paypal}
    for name, choices in _CHOICES.items():
        if name in source and source[name] not in choices:
            raise errors.not_a_choice(f"{_SOURCE}/{name}")
    text(paypal, "description", _SOURCE, 128)
    source["permit_multiple_payment_tokens"] = bool(paypal.get("permit_multiple_payment_tokens"))
    setup = vault.open_setup(call.state, customer_id(call.params), source, _urls(paypal))
    return Reply(201, made=(vault.SETUP, setup["id"]))


@operation("GET", "/v3/vault/setup-tokens/{id}")
def get(call: Call) -> Reply:
    """Show a setup token."""
    return Reply(body=show(call, call.args["id"]))


@shown(vault.SETUP)
def show(call: Call, setup_id: str) -> Json:
    """Show a setup token as it is now."""
    found = call.state.records.get(vault.SETUP, setup_id)
    if found is None:
        raise errors.not_found()
    return vault.show_setup(call.state, found)


def customer_id(params: Json) -> str | None:
    """Return the customer that is named, if one is."""
    customer = params.get("customer")
    if not isinstance(customer, dict):
        return None
    return text(customer, "id", "/customer", 22)


def _urls(paypal: Json) -> tuple[str, str]:
    where = f"{_SOURCE}/experience_context"
    found = []
    for name in ("return_url", "cancel_url"):
        url = dig(paypal, "experience_context", name)
        if not isinstance(url, str):
            raise errors.missing(f"{where}/{name}")
        if not url.startswith(("http://", "https://")):
            raise errors.invalid(
                "INVALID_PARAMETER_SYNTAX",
                "The value of a field does not conform to the expected format.",
                f"{where}/{name}",
            )
        found.append(url)
    return found[0], found[1]
