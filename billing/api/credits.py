"""`/customers/{id}/credits`: credit that customers have, are given and buy."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.charge_shapes import ChargeOutput
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Exact, Flag, Instant, Strict, Text, Word, currency
from billing.api.openapi import problems
from billing.api.pages import PageQuery, page
from billing.api.payment_shapes import BalanceOutput, CreditOutput, credits_given
from billing.api.permissions import found
from billing.api.tokens import caller
from billing.core.money import Money
from billing.models import CreditGrant
from billing.models.credit import GrantKind
from billing.queries import credit as queries
from billing.services import credit_sales, grants
from billing.services.credit import USUAL_PRIORITY, Gift
from billing.services.incoming import Incoming

_OF_A_PAYMENT = ("gateway", "reference")


class CreditInput(Strict):
    """Credit to be given, or sold."""

    amount = Exact()
    currency = Text(validators=[currency])
    kind = Word(
        GrantKind,
        default=GrantKind.PROMOTIONAL,
        required=False,
        help_text="`promotional`: a present. `paid`: the customer pays or has paid for it.",
    )
    expires_at = Instant(required=False, allow_null=True, help_text="Null: never.")
    priority = serializers.IntegerField(
        min_value=0, max_value=2**15 - 1, default=USUAL_PRIORITY, required=False
    )
    reason = Text(max_length=255, allow_blank=True, default="", required=False)
    gateway = Text(
        max_length=32, required=False, help_text="Of paid credit: the way its money came."
    )
    reference = Text(
        max_length=255, required=False, help_text="Of paid credit: what the bank says."
    )
    charge = Flag(
        default=False,
        required=False,
        help_text="Sell it: an invoice over it is charged to the customer's default method.",
    )
    settles_open = Flag(
        default=False,
        required=False,
        help_text="Whether it also settles invoices that are open; those to come it always does.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What only paid credit has, and what is known only of money that is here."""
        is_paid = attrs["kind"] == GrantKind.PAID
        is_told = any(name in attrs for name in _OF_A_PAYMENT)
        if (attrs["charge"] or is_told) and not is_paid:
            raise serializers.ValidationError({"kind": ["Only paid credit is paid for."]})
        late = is_told or attrs["settles_open"] or attrs["priority"] != USUAL_PRIORITY
        if attrs["charge"] and late:
            raise serializers.ValidationError(
                {"charge": ["Credit to be charged has an amount and an expiry, nothing else."]}
            )
        return attrs


class VoidQuery(Strict):
    """Why."""

    reason = Text(max_length=255, required=False)


class Credits(Endpoint):
    """One customer's credit."""

    operator_only = frozenset({"POST"})
    filters = PageQuery

    @extend_schema(
        operation_id="listCredits",
        summary="A customer's credit",
        description=(
            "The balance in each currency, and every grant with what was drawn from it and for "
            "which document; oldest first. Grants are drawn in order of expiry, then of priority."
        ),
        parameters=[PageQuery],
        responses={
            200: inline_serializer(
                name="CreditList",
                fields={
                    "total": serializers.IntegerField(),
                    "limit": serializers.IntegerField(),
                    "offset": serializers.IntegerField(),
                    "credits": CreditOutput(many=True),
                    "balances": BalanceOutput(many=True),
                },
            ),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """List it."""
        customer = customer_named(request, customer_id)
        balances = queries.balances(customer, now=customer.lives_at(clock.now()))
        rows = credits_given().filter(customer=customer)
        answer = page("credits", rows, self.filtered(), show=CreditOutput.all_of)
        answer.data["balances"] = BalanceOutput.all_of(balances)
        return answer

    @extend_schema(
        operation_id="giveCredit",
        summary="Give or sell credit",
        description=(
            "Operators only. A present is there at once, as is credit that was paid for another "
            "way, whose payment is recorded with it. With `charge` the credit is sold: an invoice "
            "over it is charged by a worker, and the credit is there when that is paid; the "
            "answer is the charge (202). No tax is due before credit is used."
        ),
        request=CreditInput,
        responses={
            201: CreditOutput,
            202: ChargeOutput,
            **problems(400, 403, 404, 409, 422),
        },
        examples=[
            OpenApiExample(
                "A present",
                {
                    "amount": "20.00",
                    "currency": "EUR",
                    "expires_at": "2026-12-31T23:00:00Z",
                    "reason": "Sorry for the outage",
                },
                request_only=True,
            ),
            OpenApiExample(
                "Credit to be charged",
                {"amount": "100.00", "currency": "EUR", "kind": "paid", "charge": True},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Give or sell it."""
        fields = self.read(CreditInput)
        customer = customer_named(request, customer_id)
        amount = Money.parse(fields["amount"], fields["currency"])
        by, now = caller(request).name, clock.now()
        if fields["charge"]:
            attempt = credit_sales.sell(
                customer.pk, amount, expires_at=fields.get("expires_at"), by=by, now=now
            )
            transaction.on_commit(partial(tasks.collect_soon, [attempt.pk]))
            return Response(ChargeOutput.of(attempt), status=202)
        gift = Gift(
            fields["kind"], fields["reason"], fields.get("expires_at"), fields["priority"], by
        )
        given = grants.grant(
            customer.pk,
            amount,
            gift,
            now=now,
            paid_by=_paid_by(fields),
            settles_open=fields["settles_open"],
        )
        return Response(CreditOutput.of(credits_given().get(pk=given.pk)), status=201)


class OneCredit(Endpoint):
    """One grant."""

    operator_only = frozenset({"DELETE"})
    filters = VoidQuery
    filtered_methods = frozenset({"DELETE"})

    @extend_schema(
        operation_id="voidCredit",
        summary="Take back what is left of a present",
        description=(
            "Operators only. What was used of it by now is drawn first. Credit that a customer "
            "paid for is refunded, or its payment undone, instead (409 `paid_credit`)."
        ),
        request=None,
        parameters=[VoidQuery],
        responses={204: None, **problems(400, 403, 404, 409)},
    )
    def delete(self, request: Request, customer_id: UUID, credit_id: UUID) -> Response:
        """Take it back."""
        customer = customer_named(request, customer_id)
        mine = CreditGrant.objects.filter(customer=customer)
        grant = found(mine, credit_id, noun="credit")
        reason = self.filtered().get("reason", "")
        grants.void(grant.pk, by=caller(request).name, reason=reason, now=clock.now())
        return Response(status=204)


def _paid_by(fields: dict[str, Any]) -> Incoming | None:
    if fields["kind"] != GrantKind.PAID:
        return None
    return Incoming(fields.get("gateway", "bank_transfer"), fields.get("reference", ""))
