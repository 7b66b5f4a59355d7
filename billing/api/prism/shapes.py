"""What the contract's answers look like: its names, its case, its order, its spellings."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from billing.api.fields import Answer, Flag, Json
from billing.api.plan_shapes import Limits, listed_for
from billing.api.prism.accounts import Account, Bill
from billing.api.prism.notation import NEVER, NOT_YET, Moment, Number
from billing.api.tokens import Caller
from billing.core import figures
from billing.core.lifecycle import AttemptStatus, InvoiceStatus
from billing.core.money import Money
from billing.models import PaymentAttempt, Subscription
from plans.models import Plan

_NO_PLAN: Final[dict[str, Any]] = {
    **dict.fromkeys(("id", "name", "pa_plan_id", "amount", "currency"), ""),
    "limits": None,
    "metadata": None,
}
_NO_INVOICE: Final[dict[str, Any]] = {
    **dict.fromkeys(("id", "status", "hosted_invoice_url", "pdf"), ""),
    **dict.fromkeys(("amount_due", "amount_paid", "amount_remaining", "total"), 0),
    "paid": False,
}
_NO_CHARGE: Final[dict[str, Any]] = {
    **dict.fromkeys(("id", "client_secret", "status"), ""),
    **dict.fromkeys(("amount", "amount_capturable", "amount_received"), 0),
}
_INSTANTS: Final = (
    "CreatedAt",
    "CurrentPeriodEnd",
    "CurrentPeriodStart",
    "CancelAt",
    "CanceledAt",
    "BillingCycleAnchor",
    "TrailStart",
    "TrailEnd",
)
_NO_SUBSCRIPTION: Final[dict[str, Any]] = {
    **dict.fromkeys(("ID", "PASubID", "Name", "Status", "Currency"), ""),
    **dict.fromkeys(_INSTANTS, NEVER),
    "CancelAtPeriodEnd": False,
    "Plan": _NO_PLAN,
    "LatestInvoice": _NO_INVOICE,
    "PaymentIndent": _NO_CHARGE,
}


@extend_schema_serializer(component_name="PrismSubscribedPlan")
class SubscribedPlanOutput(Answer):
    """A plan, as a customer is on it; empty where they are on none."""

    id = serializers.CharField()
    name = serializers.CharField()
    pa_plan_id = serializers.CharField()
    amount = serializers.CharField(help_text="In major units, without trailing zeros.")
    currency = serializers.CharField()
    limits = Limits(allow_null=True)
    metadata = Json(allow_null=True)


@extend_schema_serializer(component_name="PrismPlan")
class PlanOutput(SubscribedPlanOutput):
    """A plan in its current version."""

    public_plan = Flag()
    allowed_organizations = serializers.ListField(child=serializers.CharField(), allow_null=True)
    disable = Flag()
    created_by = serializers.CharField()
    created_at = Moment()
    updated_at = Moment(help_text=f"`{NEVER}` where it never was.")
    updated_by = serializers.CharField()

    def to_representation(self, plan: Plan) -> dict[str, Any]:
        """As much of it as the caller may know."""
        reader: Caller = self.context["reader"]
        listed = listed_for(reader.organization_id, plan)
        return super().to_representation(
            {
                **listed,
                "amount": figures.plain(plan.terms.amount),
                "currency": plan.terms.currency,
                "limits": plan.terms.limits,
                "updated_at": plan.updated_at or NEVER,
            }
        )


@extend_schema_serializer(component_name="PrismDetails")
class DetailsOutput(Answer):
    """The person or company, as it was given."""

    name = serializers.CharField()
    email = serializers.CharField()
    line1 = serializers.CharField()
    line2 = serializers.CharField()
    state = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    postal_code = serializers.CharField()
    phone = serializers.CharField()


@extend_schema_serializer(component_name="PrismLatestInvoice")
class LatestInvoiceOutput(Answer):
    """The newest invoice: what credit leaves due of its total, and what of that is paid."""

    id = serializers.CharField()
    status = serializers.CharField()
    hosted_invoice_url = serializers.CharField()
    pdf = serializers.CharField()
    amount_due = Number()
    amount_paid = Number()
    amount_remaining = Number()
    paid = Flag()
    total = Number()


@extend_schema_serializer(component_name="PrismPaymentIndent")
class PaymentIndentOutput(Answer):
    """The newest charge of that invoice. There is no client secret: we take cards on no page."""

    id = serializers.CharField()
    amount = Number()
    amount_capturable = Number()
    amount_received = Number()
    client_secret = serializers.CharField()
    status = serializers.CharField()


@extend_schema_serializer(component_name="PrismSubscription")
class SubscriptionOutput(Answer):
    """The newest subscription. An instant that it does not have is 1 January 1970."""

    ID = serializers.CharField()
    PASubID = serializers.CharField()
    Name = serializers.CharField()
    Status = serializers.CharField()
    Plan = SubscribedPlanOutput()
    CreatedAt = Moment()
    Currency = serializers.CharField()
    CurrentPeriodEnd = Moment()
    CurrentPeriodStart = Moment()
    CancelAt = Moment()
    CancelAtPeriodEnd = Flag()
    CanceledAt = Moment()
    BillingCycleAnchor = Moment()
    TrailStart = Moment()
    TrailEnd = Moment()
    LatestInvoice = LatestInvoiceOutput()
    PaymentIndent = PaymentIndentOutput()


@extend_schema_serializer(component_name="PrismCustomer")
class CustomerOutput(Answer):
    """A customer with their subscription. Nothing is ever null that is empty."""

    id = serializers.CharField()
    organization_id = serializers.CharField()
    pa_customer_id = serializers.CharField(help_text="What a payment gateway calls them.")
    details = DetailsOutput()
    sub_id = serializers.CharField()
    sub_status = serializers.CharField()
    subscription = SubscriptionOutput()
    plan_id = serializers.CharField()
    plan = SubscribedPlanOutput()
    created_by = serializers.CharField()
    created_at = Moment()
    updated_by = serializers.CharField()
    updated_at = Moment()

    def to_representation(self, account: Account) -> dict[str, Any]:
        """Of who did it, a customer's token is told no name but its own."""
        customer, subscription = account.customer, account.subscription
        reader: Caller = self.context["reader"]
        shown, plan = _NO_SUBSCRIPTION, _NO_PLAN
        if subscription is not None:
            plan = _plan(subscription, reader)
            shown = _subscription(account, subscription, plan)
        return super().to_representation(
            {
                "id": customer.pk,
                "organization_id": customer.organization_id,
                "pa_customer_id": account.gateway_id,
                "details": customer.details,
                "sub_id": shown["ID"],
                "sub_status": shown["Status"],
                "subscription": shown,
                "plan_id": plan["id"],
                "plan": plan,
                "created_by": _told(customer.created_by, reader),
                "created_at": customer.created_at,
                "updated_by": _told(customer.updated_by, reader),
                "updated_at": customer.updated_at or NEVER,
            }
        )


def _told(name: str, reader: Caller) -> str:
    return name if reader.is_operator or name == reader.name else ""


def _plan(subscription: Subscription, reader: Caller) -> dict[str, Any]:
    """The plan, in the version that they are on."""
    terms, plan = subscription.plan_terms, subscription.plan_version.plan
    return {
        "id": plan.pk,
        "name": subscription.plan_name,
        "pa_plan_id": plan.pa_plan_id,
        "amount": figures.plain(terms.amount),
        "currency": terms.currency,
        "limits": terms.limits,
        "metadata": listed_for(reader.organization_id, plan)["metadata"],
    }


def _subscription(
    account: Account, subscription: Subscription, plan: dict[str, Any]
) -> dict[str, Any]:
    """Its plan stands in it without limits and metadata, its currency in lower case."""
    code, period = subscription.plan_terms.currency.lower(), account.period
    ends_at = None if period is None else period.ends_at
    said = {
        "CreatedAt": subscription.created_at,
        "CurrentPeriodEnd": ends_at,
        "CurrentPeriodStart": None if period is None else period.starts_at,
        "CancelAt": subscription.cancel_at,
        "CanceledAt": subscription.canceled_at,
        "BillingCycleAnchor": subscription.billing_anchor,
        "TrailStart": subscription.trial_start,
        "TrailEnd": subscription.trial_end,
    }
    bill = account.bill
    return {
        "ID": subscription.pk,
        "PASubID": subscription.pk,
        "Name": "",
        "Status": subscription.status.lower(),
        "Plan": {**plan, "currency": code, "limits": None, "metadata": None},
        "Currency": code,
        "CancelAtPeriodEnd": ends_at is not None and subscription.cancel_at == ends_at,
        **{name: instant or NOT_YET for name, instant in said.items()},
        "LatestInvoice": _NO_INVOICE if bill is None else _invoice(bill),
        "PaymentIndent": _charge(None if bill is None else bill.charge),
    }


def _invoice(bill: Bill) -> dict[str, Any]:
    invoice = bill.invoice
    return {
        "id": invoice.pk,
        "status": invoice.status.lower(),
        "hosted_invoice_url": _absolute(reverse("invoice", args=[invoice.pk])),
        "pdf": _absolute(f"/api/v1/invoices/{invoice.pk}/pdf"),
        "amount_due": bill.paid + bill.owed,
        "amount_paid": bill.paid,
        "amount_remaining": bill.owed,
        "paid": invoice.status == InvoiceStatus.PAID,
        "total": invoice.total,
    }


def _charge(charge: PaymentAttempt | None) -> dict[str, Any]:
    if charge is None:
        return _NO_CHARGE
    amount = Money(charge.amount_minor, charge.currency)
    is_taken = charge.status == AttemptStatus.SUCCEEDED
    return {
        **_NO_CHARGE,
        "id": charge.pk,
        "amount": amount,
        "amount_received": amount if is_taken else 0,
        "status": charge.status.lower(),
    }


def _absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
