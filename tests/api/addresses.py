"""What stands in an address: the ids of Alice's things, made where the stage has none."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from billing.core import dunning
from billing.core.invoicing import Item
from billing.core.lifecycle import PayoutStatus
from billing.core.money import Money
from billing.models import (
    CreditGrant,
    DunningPolicy,
    DunningRun,
    GatewayPayout,
    Invoice,
    Payment,
    PaymentMethod,
    PortalSession,
    RejectedUsage,
    WebhookEndpoint,
)
from billing.models.credit import GrantKind
from billing.models.portal import PortalPurpose
from billing.services import (
    credit_notes,
    disputes,
    dunning_days,
    dunning_policies,
    grants,
    incoming,
    ingestion,
    invoices,
    payments,
    portal,
    refunds,
    tokens,
    usage,
    webhook_endpoints,
)
from billing.services.credit import Gift
from billing.services.incoming import Incoming
from billing.services.usage import Report
from plans import services as plan_services
from plans.models import Coupon
from plans.services import CouponTerms
from tests.api.stage import NOW, Stage


def ids_of(stage: Stage, operation: str = "") -> dict[str, str]:
    """What stands in an address for which of Alice's things."""
    draft = _draft(stage) if "items" in operation or "finalize" in operation else None
    return {
        "plan_id": str(stage.plan.pk),
        "code": _coupon().code,
        "customer_id": str(stage.alice.pk),
        "org_id": stage.alice.organization_id,
        "feature": "api_calls",
        "subscription_id": str(stage.subscription.pk),
        "change_id": str(stage.change.pk),
        "invoice_id": str((draft or stage.invoice).pk),
        "item_id": "" if draft is None else str(draft.lines.latest("position").pk),
        "method_id": str(stage.spare_method.pk),
        "session_id": str(stage.session.pk),
        "clock_id": str(stage.clock.pk),
        "event_id": _event_id(),
        "rejection_id": _rejection_id() if "rejection_id" in operation else "",
        "credit_note_id": _credited(stage) if "credit_note_id" in operation else "",
        "refund_id": _refunded(stage) if "refund_id" in operation else "",
        "dispute_id": _contested(stage) if "dispute_id" in operation else "",
        "policy_id": str(_policy().pk) if "policy_id" in operation else "",
        "run_id": str(_run(stage).pk) if "run_id" in operation else "",
        "payment_id": str(_payment(stage).pk) if "payment_id" in operation else "",
        "credit_id": str(_credit(stage).pk) if "credit_id" in operation else "",
        "charge_id": _waiting(stage) if "charge_id" in operation else "",
        "name": "sandbox",
        "token_id": str(tokens.issue("hers", now=NOW, customer=stage.alice)[0].pk),
        "portal_session_id": str(_visit(stage).pk) if "portal" in operation else "",
        "endpoint_id": str(_endpoint().pk) if "endpoint_id" in operation else "",
        "delivery_id": _delivery() if "delivery_id" in operation else "",
        "payout_id": str(_payout().pk) if "payout_id" in operation else "",
    }


def _payment(stage: Stage) -> Payment:
    """By hand, all of it credit."""
    told = Incoming("cash", invoices=[])
    return incoming.record(stage.alice.pk, Money(500, "USD"), told, by="test", now=NOW)


def _credit(stage: Stage) -> CreditGrant:
    return grants.grant(stage.alice.pk, Money(500, "USD"), Gift(GrantKind.PROMOTIONAL), now=NOW)


def _credited(stage: Stage) -> str:
    note = credit_notes.issue(stage.invoice.pk, credit_notes.Order(), by="test", now=NOW)
    return str(note.pk)


def _paid(stage: Stage) -> Invoice:
    attempt = payments.charge(stage.invoice.pk, by="test", now=NOW)
    assert attempt is not None
    payments.collect(attempt.pk, now=NOW)
    return stage.invoice


def _refunded(stage: Stage) -> str:
    [refund] = refunds.of_invoice(_paid(stage).pk, None, refunds.Ask("test"), now=NOW)
    return str(refund.pk)


def _contested(stage: Stage) -> str:
    [dispute] = disputes.contest(_paid(stage).pk, by="test", reason="", now=NOW)
    return str(dispute.pk)


def _waiting(stage: Stage) -> str:
    """A charge that asks the payer to do something."""
    methods = PaymentMethod.objects.filter(pk=stage.spare_method.pk)
    methods.update(external_id="pm.tok_action.1")
    attempt = payments.charge(
        stage.invoice.pk, by="test", now=NOW, payment_method_id=stage.spare_method.pk
    )
    assert attempt is not None
    payments.collect(attempt.pk, now=NOW)
    return str(attempt.pk)


def _payout() -> GatewayPayout:
    """Over nothing, so that the books need not know of it."""
    return GatewayPayout.objects.create(
        gateway="sandbox",
        external_id="po_1",
        amount_minor=0,
        currency="USD",
        status=PayoutStatus.PAID,
        created_at=NOW,
    )


def _visit(stage: Stage) -> PortalSession:
    visit, _ = portal.open_session(
        stage.alice,
        purpose=PortalPurpose.PORTAL,
        return_url="https://example.com/back",
        by="test",
        now=NOW,
    )
    return visit


def _endpoint() -> WebhookEndpoint:
    endpoint, _ = webhook_endpoints.create("https://a.example/hooks", by="test", now=NOW)
    return endpoint


def _delivery() -> str:
    return str(webhook_endpoints.send_test(_endpoint().pk, now=NOW).pk)


def _policy() -> DunningPolicy:
    return dunning_policies.create(dunning.DunningPolicy(), by="test", now=NOW)


def _run(stage: Stage) -> DunningRun:
    """Of an invoice that was due at once."""
    items = [Item("Late", Decimal(1), Decimal("5.00"))]
    late = invoices.draft(
        stage.alice.pk, currency="USD", items=items, by="test", now=NOW, due_at=NOW
    )
    with transaction.atomic():
        invoices.finalize([late], now=NOW)
    dunning_days.overdue(now=NOW, clock=stage.clock)
    return DunningRun.objects.get()


def _draft(stage: Stage) -> Invoice:
    items = [Item(name, Decimal(1), Decimal(9)) for name in ("Set-up", "Hours")]
    return invoices.draft(stage.alice.pk, currency="USD", items=items, by="test", now=NOW)


def _event_id() -> str:
    event = Report("counted", "alice", "api_calls", Decimal(1))
    usage.record([event], now=NOW)
    return event.event_id


def _rejection_id() -> str:
    event = Report("not_counted", "alice", "teleports", Decimal(1))
    ingestion.take([event], by="test", now=NOW)
    return str(RejectedUsage.objects.get().pk)


def _coupon() -> Coupon:
    terms = CouponTerms(percent_off=Decimal(20))
    return plan_services.create_coupon("WELCOME", terms=terms, by="test", now=NOW)
