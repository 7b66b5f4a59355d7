"""`/customers/{id}/status`: may they use the service, what do they owe, what comes next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Instant
from billing.api.openapi import problems
from billing.core.entitlements import Reason
from billing.queries import status
from billing.queries.outlook import Outlook
from billing.queries.status import Owed


class AccessOutput(Answer):
    """Whether the service may be used, and why or why not."""

    granted = serializers.BooleanField()
    reason = serializers.ChoiceField([reason.value for reason in Reason])


class OwedOutput(Answer):
    """What is owed in one currency, and what of it should have been paid by now."""

    currency = serializers.CharField()
    amount = Amount()
    overdue = Amount()
    oldest_due_at = Instant(allow_null=True)
    invoices = serializers.IntegerField()


class NextChargeOutput(Answer):
    """The next bill as it stands, with what was used until now.

    :param needs_payment_method: whether it comes only once a payment method is added.
    """

    at = Instant()
    amount = Amount()
    currency = serializers.CharField()
    period_start = Instant()
    period_end = Instant()
    needs_payment_method = serializers.BooleanField()


@extend_schema_serializer(component_name="BillingStatus")
class StatusOutput(Answer):
    """How a customer stands, at an instant of their own time."""

    customer = serializers.UUIDField()
    at = Instant()
    access = AccessOutput()
    owed = OwedOutput(many=True)
    next_charge = NextChargeOutput(allow_null=True)


class CustomerStatus(Endpoint):
    """A customer's billing status."""

    @extend_schema(
        operation_id="getBillingStatus",
        summary="May they use the service, what do they owe, what comes next",
        description=(
            "`owed` has an entry for each currency in which something is owed. `next_charge` is "
            "about what comes: usage until then is added; null where nothing is foreseeable."
        ),
        responses={200: StatusOutput, **problems(404)},
        examples=[
            OpenApiExample(
                "In good standing",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "at": "2026-04-20T09:00:00Z",
                    "access": {"granted": True, "reason": "subscribed"},
                    "owed": [
                        {
                            "currency": "USD",
                            "amount": "25.00",
                            "overdue": "0.00",
                            "oldest_due_at": "2026-04-30T09:00:00Z",
                            "invoices": 1,
                        }
                    ],
                    "next_charge": {
                        "at": "2026-05-01T00:00:00Z",
                        "amount": "180.00",
                        "currency": "USD",
                        "period_start": "2026-04-01T00:00:00Z",
                        "period_end": "2026-05-01T00:00:00Z",
                        "needs_payment_method": False,
                    },
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Say it."""
        customer = customer_named(request, customer_id)
        found = status.of(customer, now=clock.now())
        shown = {
            "customer": customer.pk,
            "at": found.present,
            "access": {"granted": found.access.is_granted, "reason": found.access.reason.value},
            "owed": [_owed(owed) for owed in found.owed],
            "next_charge": None if found.outlook is None else _next(found.outlook),
        }
        return Response(StatusOutput.of(shown))


def _owed(owed: Owed) -> dict[str, Any]:
    return {
        "currency": owed.owed.currency,
        "amount": owed.owed,
        "overdue": owed.overdue,
        "oldest_due_at": owed.oldest_due_at,
        "invoices": owed.invoices,
    }


def _next(outlook: Outlook) -> dict[str, Any]:
    return {
        "at": outlook.at,
        "amount": outlook.total,
        "currency": outlook.total.currency,
        "period_start": outlook.period.start,
        "period_end": outlook.period.end,
        "needs_payment_method": outlook.needs_method,
    }
