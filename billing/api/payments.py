"""`/payments`: money that was received, and what it settles."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Exact, Instant, Strict, Text, currency
from billing.api.openapi import problems
from billing.api.pages import PageQuery, listing, page
from billing.api.payment_shapes import MoneyOutput, payments
from billing.api.permissions import find, own
from billing.api.tokens import caller
from billing.core.money import Money
from billing.models import Payment
from billing.services import incoming, reversals
from billing.services.incoming import Incoming

_BY_HAND = "bank_transfer"


class PartInput(Strict):
    """An invoice, and how much of the payment is for it; as much as it needs without one."""

    id = serializers.UUIDField()
    amount = Exact(required=False, allow_null=True)


class PaymentInput(Strict):
    """Money that came another way than through a gateway."""

    customer = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Left out, whose open invoices the `reference` names.",
    )
    amount = Exact()
    currency = Text(validators=[currency])
    gateway = Text(
        max_length=32,
        default=_BY_HAND,
        required=False,
        help_text="The way it came: `bank_transfer`, `cash`, `cheque`, …",
    )
    reference = Text(
        max_length=255,
        allow_blank=True,
        default="",
        required=False,
        help_text="What the bank says. The same one is refused a second time.",
    )
    received_at = Instant(required=False, allow_null=True, help_text="Null: now.")
    invoices: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=PartInput(),
        required=False,
        allow_null=True,
        max_length=1000,
        help_text=(
            "What it settles. Left out, the invoices that are due first are settled first, or "
            "those that the `reference` names where no customer is; with an empty list, all of "
            "it becomes credit."
        ),
    )


class AllocationInput(Strict):
    """An invoice that what is credit of the payment shall settle."""

    invoice = serializers.UUIDField()
    amount = Exact(required=False, allow_null=True, help_text="Null: as much as it needs.")


class ReversalInput(Strict):
    """What shall be undone."""

    invoice = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The invoice that the payment is taken off; null: all of the payment.",
    )
    reason = Text(max_length=255)


class PaymentQuery(PageQuery):
    """Which payments."""

    customer = serializers.UUIDField(required=False)
    gateway = Text(max_length=32, required=False)
    reference = Text(max_length=255, required=False)


class Payments(Endpoint):
    """All payments."""

    operator_only = frozenset({"POST"})
    filters = PaymentQuery

    @extend_schema(
        operation_id="listPayments",
        summary="List payments",
        description="Newest first; of one customer, gateway or reference, where asked.",
        parameters=[PaymentQuery],
        responses={200: listing("payments", MoneyOutput, "Payment"), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, payments()).order_by("-received_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        for name in ("gateway", "reference"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        return page("payments", rows, query, show=MoneyOutput.all_of)

    @extend_schema(
        operation_id="recordPayment",
        summary="Record a payment",
        description=(
            "Operators only: money that came by bank transfer, in cash, or in any other way but a "
            "gateway. One payment may settle several invoices, and one invoice take several "
            "payments. What is over becomes the customer's credit; what is missing stays owed, "
            "unless the seller lets so little go. Without a customer, the payer is found by the "
            "`reference`, which names open invoices by their `payment_reference` or their number: "
            "400 `no_match` where it names none, or those of several customers."
        ),
        request=PaymentInput,
        responses={201: MoneyOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "A transfer for two invoices",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "amount": "150.00",
                    "currency": "EUR",
                    "reference": "SEPA 2026-04-11/42",
                    "received_at": "2026-04-11T09:00:00Z",
                    "invoices": [
                        {"id": "0198d5a2-0000-7000-8000-000000000003", "amount": "100.00"},
                        {"id": "0198d5a2-0000-7000-8000-000000000004", "amount": "50.00"},
                    ],
                },
                request_only=True,
            ),
            OpenApiExample(
                "A transfer, by what its text says",
                {"amount": "100.00", "currency": "EUR", "reference": "RF54 INV2 0260 0004 2"},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Enter it."""
        fields = self.read(PaymentInput)
        code = fields["currency"]
        amount = Money.parse(fields["amount"], code)
        payer, parts = _payer(request, fields)
        payment = incoming.record(
            payer,
            amount,
            Incoming(
                gateway=fields["gateway"],
                reference=fields["reference"],
                received_at=fields.get("received_at"),
                invoices=parts,
            ),
            by=caller(request).name,
            now=clock.now(),
        )
        return Response(_shown(payment.pk), status=201)


class OnePayment(Endpoint):
    """One payment."""

    @extend_schema(
        operation_id="getPayment",
        summary="Read a payment",
        description="With what it settled, and what of it became credit and where that went.",
        responses={200: MoneyOutput, **problems(404)},
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Read it."""
        return Response(MoneyOutput.of(find(request, payments(), payment_id, noun="payment")))


class PaymentAllocations(Endpoint):
    """Putting credit of a payment on an invoice."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="allocatePayment",
        summary="Put a payment on another invoice",
        description=(
            "Operators only. What is credit of this payment, because it was paid above what was "
            "owed or was taken off an invoice, settles the one that is named."
        ),
        request=AllocationInput,
        responses={201: MoneyOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "All that it needs",
                {"invoice": "0198d5a2-0000-7000-8000-000000000003"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Put it there."""
        fields = self.read(AllocationInput)
        payment = find(request, Payment.objects.all(), payment_id, noun="payment")
        amount = fields.get("amount")
        reversals.allocate(
            payment.pk,
            fields["invoice"],
            amount=None if amount is None else Money.parse(amount, payment.currency),
            by=caller(request).name,
            now=clock.now(),
        )
        return Response(_shown(payment.pk), status=201)


class PaymentReversals(Endpoint):
    """Undoing what was entered of a payment."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="reversePayment",
        summary="Undo a payment, or what it settled of an invoice",
        description=(
            "Operators only. Taken off an invoice, the invoice is owed again and the money is the "
            "customer's credit. Undone whole, because it bounced or was entered by mistake, all "
            "that it settled is owed again; that is refused (`credit_spent`) where credit of it "
            "went on usage, a refund or lapsed, and (`charged_by_gateway`) of a gateway's charge, "
            "which is refunded instead. Nothing is deleted: what was undone says when."
        ),
        request=ReversalInput,
        responses={201: MoneyOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "The wrong invoice",
                {
                    "invoice": "0198d5a2-0000-7000-8000-000000000003",
                    "reason": "It was meant for another invoice",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Undo it."""
        fields = self.read(ReversalInput)
        find(request, Payment.objects.all(), payment_id, noun="payment")
        said: dict[str, Any] = {
            "by": caller(request).name,
            "reason": fields["reason"],
            "now": clock.now(),
        }
        if fields.get("invoice") is None:
            reversals.reverse(payment_id, **said)
        else:
            reversals.reverse_allocation(payment_id, fields["invoice"], **said)
        return Response(_shown(payment_id), status=201)


def _payer(
    request: Request, fields: dict[str, Any]
) -> tuple[UUID, list[tuple[UUID, Money | None]] | None]:
    """Who paid, and what for; where no customer is named, the reference says both."""
    parts = _parts(fields.get("invoices"), fields["currency"])
    if fields.get("customer") is not None:
        return customer_named(request, fields["customer"]).pk, parts
    payer, invoices = incoming.payer_of(fields["reference"], fields["currency"])
    return payer, [(row.pk, None) for row in invoices] if parts is None else parts


def _parts(named: list[dict[str, Any]] | None, code: str) -> list[tuple[UUID, Money | None]] | None:
    if named is None:
        return None
    return [
        (part["id"], None if part.get("amount") is None else Money.parse(part["amount"], code))
        for part in named
    ]


def _shown(payment_id: UUID) -> dict[str, Any]:
    return MoneyOutput.of(payments().get(pk=payment_id))
