"""Who may do what, as a table: an operation's row says what each caller is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.api.stage import Stage

CALLERS = ("nobody", "stranger", "reader", "owner", "operator")


@dataclass(frozen=True)
class Row:
    """An operation on Alice's things, and what each of `CALLERS` is answered."""

    statuses: tuple[int, int, int, int, int]
    body: Callable[[Stage], Any] = lambda _: None
    query: Callable[[Stage], str] = lambda _: ""


def _same(body: Any) -> Callable[[Stage], Any]:
    return lambda _: body


def _whose(stage: Stage) -> str:
    return f"?customer={stage.alice.pk}"


_READ = (401, 404, 200, 200, 200)  # something of Alice's
_SHARED = (401, 200, 200, 200, 200)  # the catalogue, and lists, in which everybody finds theirs
_OPERATORS_READ = (401, 403, 403, 403, 200)
_OPERATORS_MAKE = (401, 403, 403, 403, 201)
EVENT = {"id": "e1", "customer": "alice", "meter": "api_calls", "quantity": "1"}
_URLS = {"success_url": "https://example.com/ok", "cancel_url": "https://example.com/no"}
PLAN = {"name": "Free", "currency": "USD", "amount": "0.00"}

TABLE: dict[str, Row] = {
    "GET meters": Row(_SHARED),
    "POST meters": Row(_OPERATORS_MAKE, _same({"code": "storage"})),
    "GET features": Row(_SHARED),
    "POST features": Row(_OPERATORS_MAKE, _same({"code": "sso"})),
    "GET plans": Row(_SHARED),
    "POST plans": Row(_OPERATORS_MAKE, _same(PLAN)),
    "GET plans/{plan_id}": Row(_SHARED),
    "PATCH plans/{plan_id}": Row((401, 403, 403, 403, 200), _same({"tier": 3})),
    "DELETE plans/{plan_id}": Row((401, 403, 403, 403, 204)),
    "GET plans/{plan_id}/versions": Row(_OPERATORS_READ),
    "GET plans/{plan_id}/retirement": Row(_OPERATORS_READ),
    "POST plans/{plan_id}/moves": Row((401, 403, 403, 403, 200), _same({"when": "period_end"})),
    "GET coupons": Row(_OPERATORS_READ),
    "POST coupons": Row(_OPERATORS_MAKE, _same({"code": "SPRING", "percent_off": "10"})),
    "GET coupons/{code}": Row(_OPERATORS_READ),
    "DELETE coupons/{code}": Row((401, 403, 403, 403, 204)),
    "GET customers": Row(_SHARED),
    "POST customers": Row(_OPERATORS_MAKE, _same({"organization_id": "dora"})),
    "GET customers/{customer_id}": Row(_READ),
    "PATCH customers/{customer_id}": Row((401, 404, 403, 200, 200), _same({"city": "London"})),
    "GET customers/{customer_id}/entitlements": Row(_READ),
    "GET customers/{customer_id}/entitlements/{feature}": Row(_READ),
    "POST entitlement-checks": Row(
        (401, 200, 200, 200, 200),
        lambda stage: {"checks": [{"customer": "alice", "feature": "sso"}]},
    ),
    "GET customers/{customer_id}/credits": Row(_READ),
    "POST customers/{customer_id}/credits": Row(
        _OPERATORS_MAKE, _same({"amount": "5.00", "currency": "USD"})
    ),
    "DELETE customers/{customer_id}/credits/{credit_id}": Row((401, 403, 403, 403, 204)),
    "GET customers/{customer_id}/usage": Row(_READ, query=lambda _: "?meter=api_calls"),
    "GET customers/{customer_id}/export": Row(_READ),
    "POST customers/{customer_id}/erase": Row((401, 403, 403, 403, 409)),
    "GET customers/{customer_id}/billing-profile": Row(_READ),
    "PATCH customers/{customer_id}/billing-profile": Row(
        (401, 403, 403, 403, 200), _same({"is_dunned": False})
    ),
    "GET customers/{customer_id}/statement": Row(_READ),
    "GET customers/{customer_id}/status": Row(_READ),
    "GET subscriptions": Row(_SHARED),
    "POST subscriptions": Row(
        (401, 404, 403, 409, 409),
        lambda s: {"customer": str(s.alice.pk), "plan_id": str(s.plan.pk)},
    ),
    "GET subscriptions/{subscription_id}": Row(_READ),
    "GET subscriptions/{subscription_id}/changes": Row(_READ),
    "POST subscriptions/{subscription_id}/changes": Row(
        (401, 404, 403, 201, 201),
        lambda s: {"plan_id": str(s.other_plan.pk), "when": "now"},
    ),
    "GET subscriptions/{subscription_id}/changes/{change_id}": Row(_READ),
    "DELETE subscriptions/{subscription_id}/changes/{change_id}": Row((401, 404, 403, 204, 204)),
    "POST subscriptions/{subscription_id}/changes/{change_id}/retry": Row(
        (401, 403, 403, 403, 409)
    ),
    "POST subscriptions/{subscription_id}/cancel": Row((401, 404, 403, 409, 409), _same({})),
    "POST subscriptions/{subscription_id}/pause": Row((401, 404, 403, 409, 409), _same({})),
    "POST subscriptions/{subscription_id}/resume": Row((401, 404, 403, 409, 409), _same({})),
    "POST subscriptions/{subscription_id}/trial-end": Row(
        (401, 403, 403, 403, 200), _same({"at": "2026-04-03T00:00:00Z"})
    ),
    "POST invoice-previews": Row(
        (401, 404, 200, 200, 200), lambda s: {"subscription": str(s.subscription.pk)}
    ),
    "GET usage-events": Row(_SHARED),
    "POST usage-events": Row((401, 202, 403, 202, 202), _same(EVENT)),
    "PUT usage-events/{event_id}": Row(
        (401, 404, 403, 200, 200),
        _same({"customer": "alice", "meter": "api_calls", "quantity": "2"}),
    ),
    "DELETE usage-events/{event_id}": Row((401, 404, 403, 204, 204), query=_whose),
    "GET usage-rejections": Row(_OPERATORS_READ),
    "GET usage-rejections/{rejection_id}": Row(_OPERATORS_READ),
    "DELETE usage-rejections/{rejection_id}": Row((401, 403, 403, 403, 204)),
    "POST usage-rejections/{rejection_id}/retry": Row((401, 403, 403, 403, 200), _same({})),
    "POST usage-rejections/retry": Row((401, 403, 403, 403, 200), _same({})),
    "GET invoices": Row(_SHARED),
    "POST invoices": Row(
        _OPERATORS_MAKE,
        lambda s: {
            "customer": str(s.alice.pk),
            "currency": "USD",
            "items": [{"description": "Set-up", "quantity": "1", "unit_amount": "9"}],
        },
    ),
    "GET invoices/{invoice_id}": Row(_READ),
    "PATCH invoices/{invoice_id}": Row((401, 404, 403, 403, 200), _same({"status": "canceled"})),
    "POST invoices/{invoice_id}/finalize": Row((401, 403, 403, 403, 200)),
    "GET invoices/{invoice_id}/pdf": Row(_READ),
    "GET invoices/{invoice_id}/xml": Row(_READ),
    "POST invoices/{invoice_id}/items": Row(
        _OPERATORS_MAKE, _same({"description": "More", "quantity": "1", "unit_amount": "1"})
    ),
    "PATCH invoices/{invoice_id}/items/{item_id}": Row(
        (401, 403, 403, 403, 200), _same({"quantity": "3"})
    ),
    "DELETE invoices/{invoice_id}/items/{item_id}": Row((401, 403, 403, 403, 200)),
    "GET invoices/{invoice_id}/instalments": Row(_READ),
    "POST invoices/{invoice_id}/instalments": Row(
        _OPERATORS_MAKE,
        _same({"count": 2, "first_due_at": "2026-05-01T00:00:00Z", "interval": "month"}),
    ),
    "DELETE invoices/{invoice_id}/instalments": Row((401, 403, 403, 403, 204)),
    "GET payments": Row(_SHARED),
    "POST payments": Row(
        _OPERATORS_MAKE,
        lambda s: {"customer": str(s.alice.pk), "amount": "5.00", "currency": "USD"},
    ),
    "GET payments/{payment_id}": Row(_READ),
    "POST payments/{payment_id}/allocations": Row(
        _OPERATORS_MAKE, lambda s: {"invoice": str(s.invoice.pk)}
    ),
    "POST payments/{payment_id}/reversals": Row(_OPERATORS_MAKE, _same({"reason": "bounced"})),
    "POST charges": Row((401, 404, 403, 202, 202), lambda s: {"invoice_id": str(s.invoice.pk)}),
    "GET charges": Row(_SHARED),
    "GET charges/{charge_id}": Row(_READ),
    "POST charges/{charge_id}/resume": Row(
        (401, 404, 403, 200, 200), _same({"return_url": "https://example.com/back"})
    ),
    "POST charges/{charge_id}/withdraw": Row((401, 404, 403, 200, 200)),
    "POST charges/{charge_id}/decision": Row(
        (401, 403, 403, 403, 409), _same({"was_taken": False})
    ),
    "POST charges/{charge_id}/ask": Row((401, 403, 403, 403, 202)),
    "GET charges/{charge_id}/calls": Row(_OPERATORS_READ),
    "GET credit-notes": Row(_SHARED),
    "POST credit-notes": Row(_OPERATORS_MAKE, lambda s: {"invoice": str(s.invoice.pk)}),
    "GET credit-notes/{credit_note_id}": Row(_READ),
    "GET credit-notes/{credit_note_id}/pdf": Row(_READ),
    "GET credit-notes/{credit_note_id}/xml": Row(_READ),
    "GET refunds": Row(_SHARED),
    "POST refunds": Row((401, 404, 403, 409, 409), lambda s: {"invoice": str(s.invoice.pk)}),
    "GET refunds/{refund_id}": Row(_READ),
    "PATCH refunds/{refund_id}": Row(
        (401, 404, 403, 403, 409), _same({"status": "succeeded", "reference": "1"})
    ),
    "GET disputes": Row(_SHARED),
    "GET disputes/{dispute_id}": Row(_READ),
    "PATCH disputes/{dispute_id}": Row((401, 404, 403, 403, 200), _same({"status": "won"})),
    "POST disputes/{dispute_id}/evidence": Row(
        (401, 403, 403, 403, 409), _same({"text": "Theirs"})
    ),
    "GET dunning-policies": Row(_OPERATORS_READ),
    "POST dunning-policies": Row(_OPERATORS_MAKE, _same({"name": "strict"})),
    "GET dunning-policies/{policy_id}": Row(_OPERATORS_READ),
    "PATCH dunning-policies/{policy_id}": Row((401, 403, 403, 403, 200), _same({"grace_days": 3})),
    "GET dunning-runs": Row(_SHARED),
    "GET dunning-runs/{run_id}": Row(_READ),
    "PATCH dunning-runs/{run_id}": Row((401, 403, 403, 403, 200), _same({"status": "stopped"})),
    "GET payment-methods": Row(_SHARED),
    "POST payment-methods": Row(
        (401, 404, 403, 201, 201),
        lambda s: {"customer": str(s.alice.pk), "gateway": "sandbox", "token": "tok_ok"},
    ),
    "GET payment-methods/{method_id}": Row(_READ),
    "PATCH payment-methods/{method_id}": Row(
        (401, 404, 403, 200, 200), _same({"is_default": True})
    ),
    "DELETE payment-methods/{method_id}": Row((401, 404, 403, 204, 204)),
    "POST checkout-sessions": Row(
        (401, 404, 403, 201, 201), lambda s: {"customer": str(s.alice.pk), **_URLS}
    ),
    "GET checkout-sessions/{session_id}": Row(_READ),
    "POST portal-sessions": Row(
        (401, 404, 403, 201, 201),
        lambda s: {"customer": str(s.alice.pk), "return_url": "https://example.com/back"},
    ),
    "GET portal-sessions/{portal_session_id}": Row(_READ),
    "GET gateways": Row(_OPERATORS_READ),
    "GET gateways/{name}": Row(_OPERATORS_READ),
    "PATCH gateways/{name}": Row((401, 403, 403, 403, 200), _same({"enabled": False})),
    "GET payouts": Row(_OPERATORS_READ),
    "GET payouts/{payout_id}": Row(_OPERATORS_READ),
    "GET transactions": Row(_SHARED),
    "GET reports/ageing": Row(_OPERATORS_READ),
    "GET reports/mrr": Row(_OPERATORS_READ),
    "GET reports/deferred-revenue": Row(_OPERATORS_READ),
    "GET webhook-endpoints": Row(_OPERATORS_READ),
    "POST webhook-endpoints": Row(_OPERATORS_MAKE, _same({"url": "https://a.example/hooks"})),
    "GET webhook-endpoints/{endpoint_id}": Row(_OPERATORS_READ),
    "PATCH webhook-endpoints/{endpoint_id}": Row(
        (401, 403, 403, 403, 200), _same({"enabled": False})
    ),
    "DELETE webhook-endpoints/{endpoint_id}": Row((401, 403, 403, 403, 204)),
    "POST webhook-endpoints/{endpoint_id}/secret": Row((401, 403, 403, 403, 200), _same({})),
    "POST webhook-endpoints/{endpoint_id}/test": Row((401, 403, 403, 403, 202)),
    "GET webhook-endpoints/{endpoint_id}/deliveries": Row(_OPERATORS_READ),
    "POST webhook-endpoints/{endpoint_id}/resend": Row(
        (401, 403, 403, 403, 200),
        _same({"from": "2026-04-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}),
    ),
    "GET deliveries/{delivery_id}": Row(_OPERATORS_READ),
    "POST deliveries/{delivery_id}/resend": Row((401, 403, 403, 403, 202)),
    "GET journal": Row(_OPERATORS_READ),
    "GET exports/journal": Row(_OPERATORS_READ),
    "GET exports/totals": Row(_OPERATORS_READ, query=lambda _: "?month=2026-04"),
    "GET exports/invoices": Row(_OPERATORS_READ),
    "GET tokens": Row(_SHARED),
    "POST tokens": Row(
        (401, 404, 403, 201, 201),
        lambda s: {"name": "shop", "role": "customer", "customer": str(s.alice.pk)},
    ),
    "GET tokens/{token_id}": Row(_READ),
    "DELETE tokens/{token_id}": Row((401, 404, 403, 204, 204)),
    "POST tokens/{token_id}/rotate": Row((401, 404, 403, 201, 201), _same({})),
    "GET test-clocks": Row(_OPERATORS_READ),
    "POST test-clocks": Row(_OPERATORS_MAKE, _same({"now": "2026-01-01T00:00:00Z"})),
    "GET test-clocks/{clock_id}": Row(_OPERATORS_READ),
    "POST test-clocks/{clock_id}/advance": Row(
        (401, 403, 403, 403, 200), _same({"now": "2026-04-02T00:00:00Z"})
    ),
    "GET /billing/plans": Row(_SHARED),
    "POST /billing/plans": Row(_OPERATORS_MAKE, _same(PLAN)),
    "PATCH /billing/plans/{plan_id}": Row((401, 403, 403, 403, 200), _same({"amount": "6"})),
    "DELETE /billing/plans/{plan_id}": Row((401, 403, 403, 403, 204)),
    "POST /billing/customer": Row(_OPERATORS_MAKE, _same({"organization_id": "dora"})),
    "PATCH /billing/customer/{customer_id}": Row(
        (401, 404, 403, 200, 200), _same({"city": "London"})
    ),
    "PATCH /billing/organization/customer/{customer_id}": Row(
        (401, 404, 403, 200, 200), _same({"city": "London"})
    ),
    "POST /billing/customer/{org_id}/subscription": Row(
        (401, 404, 403, 409, 409), lambda s: {"plan_id": str(s.plan.pk)}
    ),
    "GET /billing/organization/{org_id}": Row((401, 404, 302, 302, 302)),
}
