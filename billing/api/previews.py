"""`/invoice-previews`: the invoices that would come, storing nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.change_shapes import ChangeInput
from billing.api.changes import wish_of
from billing.api.countries import country
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Amount, Answer, Instant, Quantities, Strict, Text, Word, zone
from billing.api.invoice_shapes import LineOutput, TaxOutput, foreseen_line, foreseen_tax
from billing.api.openapi import problems
from billing.api.permissions import find
from billing.api.plan_shapes import PlanInput, terms_of
from billing.api.plans import visible_plan
from billing.core import changes
from billing.core.agreement import SubscribedPlan
from billing.core.changes import Act, Change
from billing.core.errors import InvalidError
from billing.core.forecast import Foreseen
from billing.core.money import exponent, total
from billing.models import Subscription
from billing.queries import agreements, previews, taxes
from billing.queries.previews import Supposed, Wanted
from billing.services import coupons
from customers.models import Customer
from plans.terms import MAX_QUANTITY, InvalidTermsError


class SupposedPlanInput(PlanInput):
    """A plan in the body; only `currency` and `amount` are required."""

    name = Text(max_length=120, required=False, default="Plan")


class SupposedChangeInput(ChangeInput):
    """A change to suppose: as in `POST /subscriptions/{id}/changes`, or one of what is done
    elsewhere, or to a plan in the body.
    """

    plan = SupposedPlanInput(required=False, allow_null=True, default=None)
    act = Word(Act, required=False, allow_null=True, default=None)


class PreviewInput(Strict):
    """What to suppose: a subscription, or a plan by its id or in the body."""

    customer = serializers.UUIDField(required=False, allow_null=True, default=None)
    plan = SupposedPlanInput(required=False, allow_null=True, default=None)
    plan_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    subscription = serializers.UUIDField(required=False, allow_null=True, default=None)
    change = SupposedChangeInput(required=False, allow_null=True, default=None)
    quantity = serializers.IntegerField(
        min_value=1, max_value=MAX_QUANTITY, required=False, allow_null=True, default=None
    )
    usage = Quantities(
        required=False,
        default=dict,
        help_text="Meter, or component, → what the period counts by its end.",
    )
    period_start = Instant(
        required=False,
        allow_null=True,
        default=None,
        help_text=(
            "Alone: a whole period is running since then, and what was charged ahead for it is "
            "paid. With `started_at`: invoices before it are left out."
        ),
    )
    period_end = Instant(
        required=False,
        allow_null=True,
        default=None,
        help_text=(
            "Invoices after it are left out; beside `period_start` alone, when the running period "
            "ends."
        ),
    )
    started_at = Instant(
        required=False, allow_null=True, default=None, help_text="When it begins; null for now."
    )
    coupon = Text(max_length=64, required=False, allow_null=True, default=None)
    country = Text(
        required=False,
        allow_null=True,
        default=None,
        validators=[country],
        help_text="Where the buyer is. Tax is reckoned for a customer, or for this country.",
    )
    timezone = Text(
        required=False,
        allow_null=True,
        default=None,
        max_length=64,
        validators=[zone],
        help_text="Instead of the customer's; UTC without either.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One thing to suppose, not several."""
        if sum(attrs[name] is not None for name in ("plan", "plan_id", "subscription")) != 1:
            raise serializers.ValidationError(
                {"plan": ["Exactly one of plan, plan_id and subscription."]}, "required"
            )
        return attrs


@extend_schema_serializer(component_name="ForeseenInvoice")
class ForeseenOutput(Answer):
    """An invoice that would come, and when."""

    at = Instant()
    currency = serializers.CharField()
    lines = LineOutput(many=True)
    subtotal = Amount()
    discount = Amount()
    tax = Amount()
    taxes = TaxOutput(many=True)
    total = Amount()
    period_start = Instant(allow_null=True)
    period_end = Instant(allow_null=True)

    def to_representation(self, foreseen: Foreseen) -> dict[str, Any]:
        """The bill, as an invoice would show it."""
        bill = foreseen.bill
        shown = {
            "at": foreseen.at,
            "currency": bill.total.currency,
            "lines": [foreseen_line(line) for line in bill.lines],
            "subtotal": bill.subtotal,
            "discount": bill.discount,
            "tax": bill.tax,
            "taxes": [foreseen_tax(row) for row in bill.tax_totals],
            "total": bill.total,
            "period_start": bill.period and bill.period.start,
            "period_end": bill.period and bill.period.end,
        }
        return super().to_representation(shown)


class PreviewOutput(Answer):
    """The invoices that would come, in order, and what they ask for together."""

    currency = serializers.CharField()
    total = Amount()
    invoices = ForeseenOutput(many=True)


class InvoicePreviews(Endpoint):
    """What a subscription, a plan or a change would cost."""

    is_only_reading = True

    @extend_schema(
        operation_id="previewInvoices",
        summary="Preview invoices",
        description=(
            "By the same arithmetic as the billing run, on values: nothing is stored. Answers the "
            "invoices up to `period_end`; without it, to the end of the running period or, with "
            "a change, to the first invoice that knows of it."
        ),
        request=PreviewInput,
        responses={200: PreviewOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "A plan in the body",
                {
                    "plan": {
                        "currency": "EUR",
                        "amount": "180.00",
                        "usage": [
                            {
                                "meter": "api_calls",
                                "model": "allowance",
                                "included": "400",
                                "unit_amount": "1.80",
                            }
                        ],
                    },
                    "period_start": "2026-04-01T00:00:00Z",
                    "usage": {"api_calls": "450"},
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Reckon them."""
        fields = self.read(PreviewInput)
        bills = _bills(request, fields)
        currency = bills[0].bill.total.currency if bills else _currency(request, fields)
        shown = {
            "currency": currency,
            "total": total((found.bill.total for found in bills), currency),
            "invoices": bills,
        }
        return Response(PreviewOutput.of(shown))


def _bills(request: Request, fields: dict[str, Any]) -> list[Foreseen]:
    now = clock.now()
    if fields["subscription"] is not None:
        rows = Subscription.objects.readable()
        row = find(request, rows, fields["subscription"], noun="subscription")
        return previews.of_subscription(
            row,
            wanted=_wanted(request, fields["change"], now=row.customer.lives_at(now)),
            used=fields["usage"],
            until=fields["period_end"],
        )
    customer = _customer(request, fields["customer"])
    present = now if customer is None else customer.lives_at(now)
    supposed = Supposed(
        plan=_plan(request, fields),
        zone=_zone(fields["timezone"], customer),
        quantity=fields["quantity"],
        started_at=fields["started_at"],
        period_start=fields["period_start"],
        period_end=fields["period_end"],
        coupon=None if fields["coupon"] is None else coupons.find(fields["coupon"]),
        taxation=taxes.supposed(customer, fields["country"]),
    )
    since = fields["period_start"] or fields["started_at"] or present
    return previews.of_supposed(
        supposed,
        wanted=_wanted(request, fields["change"], now=since),
        used=fields["usage"],
        now=present,
    )


def _wanted(request: Request, asked: dict[str, Any] | None, *, now: datetime) -> Wanted | None:
    """The change to suppose; `now` is when it would be made."""
    if asked is None:
        return None
    wish = wish_of(request, asked)
    plan = None if wish.plan_version is None else agreements.plan_of(wish.plan_version)
    if plan is not None:
        plan = replace(plan, is_on_sale=True)  # it is visible to the caller
    if asked["plan"] is not None:
        plan = _inline(asked["plan"], path="change.plan")
    change = Change(
        at=now,
        plan=plan,
        quantity=wish.quantity,
        anchor=wish.billing_anchor,
        act=asked["act"],
        coupon=agreements.supposed_redemption(wish.coupon) if wish.coupon else None,
        charge=wish.charge,
    )
    return lambda agreement: changes.timed(agreement, change, when=wish.when, now=now)


def _plan(request: Request, fields: dict[str, Any]) -> SubscribedPlan:
    if fields["plan"] is not None:
        return _inline(fields["plan"], path="plan")
    plan = visible_plan(request, fields["plan_id"])
    if plan.current is None:
        raise InvalidError("The plan has no version yet.", code="no_version")
    plan.current.plan = plan
    return agreements.plan_of(plan.current)


def _inline(fields: dict[str, Any], *, path: str) -> SubscribedPlan:
    """A plan that is only in the body; nothing but its terms matters to the arithmetic.

    :param path: where it stands there, for what is wrong with it.
    """
    try:
        terms = terms_of(fields)
    except InvalidTermsError as error:
        faults = {f"{path}.{name}": texts for name, texts in error.errors.items()}
        raise InvalidTermsError(faults) from None
    except serializers.ValidationError as error:
        raise serializers.ValidationError({path: error.detail}) from None
    exponent(terms.currency)
    return SubscribedPlan(
        plan="", version="", name=fields["name"], terms=terms, tier=fields.get("tier", 0)
    )


def _customer(request: Request, customer_id: UUID | None) -> Customer | None:
    return None if customer_id is None else customer_named(request, customer_id)


def _zone(name: str | None, customer: Customer | None) -> ZoneInfo:
    if name is not None:
        return ZoneInfo(name)
    return ZoneInfo("UTC") if customer is None else customer.zone


def _currency(request: Request, fields: dict[str, Any]) -> str:
    """The currency of no invoices at all."""
    if fields["subscription"] is None:
        return _plan(request, fields).terms.currency
    rows = Subscription.objects.readable()
    row = find(request, rows, fields["subscription"], noun="subscription")
    return row.plan_terms.currency
