"""`/payment-methods`: what customers pay with, redacted."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api import idempotency
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Flag, Instant, Strict, Text
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import find, own
from billing.api.preconditions import expected_version
from billing.api.tokens import caller
from billing.core.errors import InvalidError
from billing.models import PaymentMethod
from billing.services import payment_methods


class PaymentMethodInput(Strict):
    """A method by the gateway's own token; no card number ever comes here."""

    customer = serializers.UUIDField()
    gateway = Text(max_length=32, required=False, help_text="The first that fits, by its route.")
    token = Text(max_length=255)
    is_default = Flag(required=False, help_text="The first one always is.")


class PaymentMethodChange(Strict):
    """Make it the default."""

    is_default = Flag()

    def validate_is_default(self, value: bool) -> bool:  # noqa: FBT001  # DRF calls it so
        """There is always a default while there is a method."""
        if not value:
            raise serializers.ValidationError(
                "Make another one the default instead.", "not_supported"
            )
        return value


@extend_schema_serializer(component_name="PaymentMethod")
class PaymentMethodOutput(Answer):
    """A card or account at a gateway. Only redacted details are stored or shown."""

    id = serializers.UUIDField()
    customer = serializers.UUIDField(source="customer_id")
    gateway = serializers.CharField()
    kind = serializers.CharField()
    brand = serializers.CharField()
    last4 = serializers.CharField()
    exp_month = serializers.IntegerField(allow_null=True)
    exp_year = serializers.IntegerField(allow_null=True)
    is_default = serializers.BooleanField()
    version = serializers.IntegerField()
    added_at = Instant()


class PaymentMethodQuery(PageQuery):
    """Whose."""

    customer = serializers.UUIDField(required=False)


class PaymentMethods(Endpoint):
    """All payment methods that are in use. A repetition goes on with the one that was begun."""

    filters = PaymentMethodQuery
    is_atomic = False

    @extend_schema(
        operation_id="listPaymentMethods",
        summary="List payment methods",
        description="Newest first, without those that were removed.",
        parameters=[PaymentMethodQuery],
        responses={
            200: listing("payment_methods", PaymentMethodOutput, "PaymentMethod"),
            **problems(400, 404),
        },
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, PaymentMethod.objects.usable()).order_by("-added_at", "-pk")
        if "customer" in query:
            rows = rows.filter(customer=customer_named(request, query["customer"]))
        return page("payment_methods", rows, query, show=PaymentMethodOutput.all_of)

    @extend_schema(
        operation_id="addPaymentMethod",
        summary="Set up a payment method by the gateway's token",
        description=(
            "The first one begins a subscription that was waiting for it. What is owed is charged "
            "to it at once. 402 where the gateway declines it."
        ),
        request=PaymentMethodInput,
        responses={201: PaymentMethodOutput, **problems(400, 402, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "A card",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "gateway": "stripe",
                    "token": "pm_card_visa",
                    "is_default": True,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Set one up."""
        fields = self.read(PaymentMethodInput)
        settled = payment_methods.add(
            customer_named(request, fields["customer"]),
            token=fields["token"],
            now=clock.now(),
            gateway=fields.get("gateway", ""),
            is_default=fields.get("is_default", False),
            session_id=idempotency.effect_id(request),
        )
        tasks.collect_soon(settled.attempts)
        method = settled.session.payment_method
        if method is None:
            raise InvalidError(
                "The gateway wants the customer on its page: use a checkout session.",
                code="checkout_needed",
            )
        return Response(PaymentMethodOutput.of(method), status=201)


class OnePaymentMethod(Endpoint):
    """One payment method."""

    @extend_schema(
        operation_id="getPaymentMethod",
        summary="Read a payment method",
        description="One that was removed is found no more.",
        responses={200: PaymentMethodOutput, **problems(404)},
    )
    def get(self, request: Request, method_id: UUID) -> Response:
        """Read it."""
        return Response(PaymentMethodOutput.of(_own(request, method_id)))

    @extend_schema(
        operation_id="updatePaymentMethod",
        summary="Make a payment method the default",
        description="Charges go to the default from now on.",
        request=PaymentMethodChange,
        parameters=IF_MATCH,
        responses={200: PaymentMethodOutput, **problems(400, 403, 404, 412)},
        examples=[OpenApiExample("Default", {"is_default": True}, request_only=True)],
    )
    def patch(self, request: Request, method_id: UUID) -> Response:
        """Make it the default."""
        _own(request, method_id)
        self.read(PaymentMethodChange)
        method = payment_methods.make_default(
            method_id,
            by=caller(request).name,
            now=clock.now(),
            expected_version=expected_version(request),
        )
        return Response(PaymentMethodOutput.of(method))

    @extend_schema(
        operation_id="removePaymentMethod",
        summary="Remove a payment method",
        description=(
            "The newest of the others becomes the default. The last one stays while a running "
            "subscription is paid with it: 409 `payment_method_needed`."
        ),
        request=None,
        responses={204: None, **problems(403, 404, 409)},
    )
    def delete(self, request: Request, method_id: UUID) -> Response:
        """Remove it."""
        _own(request, method_id)
        payment_methods.remove(method_id, by=caller(request).name, now=clock.now())
        return Response(status=204)


def _own(request: Request, method_id: UUID) -> PaymentMethod:
    return find(request, PaymentMethod.objects.usable(), method_id, noun="payment method")
