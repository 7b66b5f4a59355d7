"""What a charge looks like in bodies (api.md, section 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import Amount, Answer, Instant, Word
from billing.core.lifecycle import ActionKind, AttemptStatus
from billing.core.money import Money
from billing.models import Invoice, PaymentAttempt
from billing.models.gateway import CallOutcome

# Leads from a charge to its customer.
OWNER: Final = "invoice__customer"


class ActionOutput(Answer):
    """What the payer has to do.

    `page`: go to the gateway's page, whose `url` `resume` answers while they are there. `code`:
    pay with the `code`. `transfer`: send the money with the invoice's `payment_reference`.
    """

    kind = Word(ActionKind)
    url = serializers.CharField(help_text="Empty where there is none, or none yet.")
    code = serializers.CharField(help_text="Empty where there is none.")
    expires_at = Instant(allow_null=True, help_text="When the gateway gives it up by itself.")


@extend_schema_serializer(component_name="Charge")
class ChargeOutput(Answer):
    """A charge at a gateway, from being written down to its outcome.

    What nothing is due on, or credit settles, is paid without one: `id`, `payment_method` and
    `gateway` are null then.
    """

    id = serializers.UUIDField(allow_null=True)
    invoice_id = serializers.UUIDField()
    customer = serializers.UUIDField()
    payment_method = serializers.UUIDField(allow_null=True)
    gateway = serializers.CharField(allow_null=True)
    route_reason = serializers.CharField(help_text="Why this payment method was chosen.")
    amount = Amount()
    currency = serializers.CharField()
    status = Word(AttemptStatus)
    action = ActionOutput(allow_null=True, help_text="While it is `action_required`.")
    expires_at = Instant(
        allow_null=True, help_text="Until when it waits for the payer; null: for ever, or not."
    )
    decline_code = serializers.CharField()
    decline_message = serializers.CharField()
    external_id = serializers.CharField(help_text="What the gateway calls it; empty: nothing yet.")
    needs_decision = serializers.BooleanField(
        help_text="The gateway gives no answer; an operator says what became of it."
    )
    created_at = Instant()
    settled_at = Instant(allow_null=True)

    def to_representation(self, row: PaymentAttempt | dict[str, Any]) -> dict[str, Any]:
        """An attempt, or what `without_charge` says."""
        return super().to_representation(row if isinstance(row, dict) else _shown(row))


class CallOutput(Answer):
    """One question to the gateway about a charge, and what came of it.

    `unreached`: it certainly did not hear it. `no_answer`: it may have. `refused`: it will not.
    """

    verb = serializers.CharField()
    outcome = Word(CallOutcome)
    detail = serializers.CharField()
    took_ms = serializers.IntegerField()
    at = Instant(source="called_at")


def charges() -> QuerySet[PaymentAttempt]:
    """With everything that is shown at hand."""
    return PaymentAttempt.objects.select_related("invoice")


def without_charge(invoice: Invoice, now: datetime) -> dict[str, Any]:
    """What is shown of an invoice that is paid without one."""
    return {
        **dict.fromkeys(_SAID, ""),
        **dict.fromkeys(("id", "payment_method", "gateway", "action", "expires_at")),
        "invoice_id": invoice.pk,
        "customer": invoice.customer_id,
        "amount": Money.zero(invoice.currency),
        "currency": invoice.currency,
        "status": AttemptStatus.SUCCEEDED,
        "needs_decision": False,
        "created_at": now,
        "settled_at": now,
    }


def _shown(row: PaymentAttempt) -> dict[str, Any]:
    same = ("gateway", "amount", "currency", "status", "expires_at")
    return {
        **{name: getattr(row, name) for name in (*same, *_SAID, "created_at", "settled_at")},
        "id": row.pk,
        "invoice_id": row.invoice_id,
        "customer": row.invoice.customer_id,
        "payment_method": row.payment_method_id,
        "needs_decision": row.is_undecided,
        "action": _action(row.action),
    }


def _action(said: dict[str, Any] | None) -> dict[str, Any] | None:
    if said is None:
        return None
    ends = said["expires_at"]
    return {**said, "expires_at": None if ends is None else datetime.fromisoformat(ends)}


_SAID: Final = ("route_reason", "decline_code", "decline_message", "external_id")
