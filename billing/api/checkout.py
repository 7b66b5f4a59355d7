"""`/checkout-sessions`: send a customer to the gateway's page to enter a payment method."""

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
from billing.api.fields import Answer, Instant, Neutral, Strict, Text, Word, web_address
from billing.api.openapi import problems
from billing.api.permissions import find
from billing.api.plans import visible_plan
from billing.api.tokens import caller
from billing.models import CheckoutSession, Subscription
from billing.models.payment import CheckoutStatus
from billing.services import payment_methods, subscriptions
from billing.services.choosing import Wanted
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from plans.models import Plan


class CheckoutInput(Strict):
    """Whom, and where the gateway's page sends them back to."""

    customer = serializers.UUIDField()
    plan_id = serializers.UUIDField(
        allow_null=True, default=None, required=False, help_text="Subscribe them to it first."
    )
    invoice_id = Neutral(None)
    gateway = Text(
        max_length=32,
        default="",
        required=False,
        help_text="By its name; left out, the first that fits, by its route.",
    )
    kind = Text(
        max_length=32,
        default="",
        required=False,
        help_text="`card`, `sepa_debit`, `pix`, …; left out, the first of the gateway's.",
    )
    success_url = serializers.URLField(
        max_length=2000, validators=[web_address], help_text="`{session}` becomes its id."
    )
    cancel_url = serializers.URLField(max_length=2000, validators=[web_address])


@extend_schema_serializer(component_name="CheckoutSession")
class CheckoutOutput(Answer):
    """A visit to the gateway's page. Send the customer to `url` while it is `open`.

    A kind that asks nothing of the customer (a transfer) is set up at once: `completed`.
    """

    id = serializers.UUIDField()
    url = serializers.CharField()
    customer = serializers.UUIDField(source="customer_id")
    gateway = serializers.CharField()
    kind = serializers.CharField()
    route_reason = serializers.CharField(help_text="Why this gateway was chosen.")
    status = Word(CheckoutStatus)
    failure = serializers.CharField()
    payment_method = serializers.UUIDField(source="payment_method_id", allow_null=True)
    created_at = Instant()


class CheckoutSessions(Endpoint):
    """Visits to begin. A repetition goes on with the one that was begun."""

    is_atomic = False

    @extend_schema(
        operation_id="startCheckout",
        summary="Begin a checkout session",
        description=(
            "With `plan_id`, the customer is put on that plan first, unless they are on it "
            "already; billing begins when the payment method is there. 400 where there is no such "
            "gateway (`unknown_gateway`) or kind (`unknown_kind`), or the gateway asked for will "
            "not do (`no_gateway`); 503 where none may be asked now (`no_gateway`) or it does not "
            "answer (`gateway_unavailable`)."
        ),
        request=CheckoutInput,
        responses={201: CheckoutOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "A card",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "success_url": "https://shop.example.com/thanks?session={session}",
                    "cancel_url": "https://shop.example.com/plans",
                },
                request_only=True,
            ),
            OpenApiExample(
                "Transfers",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "kind": "bank_transfer",
                    "success_url": "https://shop.example.com/thanks",
                    "cancel_url": "https://shop.example.com/plans",
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Begin one."""
        fields = self.read(CheckoutInput)
        customer = customer_named(request, fields["customer"])
        if fields["plan_id"] is not None:
            _subscribe(request, customer, visible_plan(request, fields["plan_id"]))
        settled = payment_methods.start_checkout(
            customer,
            urls=ReturnUrls(fields["success_url"], fields["cancel_url"]),
            now=clock.now(),
            wanted=Wanted(fields["gateway"], fields["kind"]),
            session_id=idempotency.effect_id(request),
        )
        tasks.collect_soon(settled.attempts)
        return Response(CheckoutOutput.of(settled.session), status=201)


class OneCheckoutSession(Endpoint):
    """One visit."""

    @extend_schema(
        operation_id="getCheckout",
        summary="Read a checkout session",
        description="What the gateway has told of it so far.",
        responses={200: CheckoutOutput, **problems(404)},
    )
    def get(self, request: Request, session_id: UUID) -> Response:
        """Read it."""
        row = find(request, CheckoutSession.objects.all(), session_id, noun="checkout session")
        return Response(CheckoutOutput.of(row))


def _subscribe(request: Request, customer: Customer, plan: Plan) -> None:
    """Put them on the plan; who is on it already goes on to the gateway."""
    live = Subscription.objects.live().filter(customer=customer, plan_version__plan=plan)
    if not live.exists():
        subscriptions.start(customer.pk, plan, by=caller(request).name, now=clock.now())
        tasks.collect_open(customer.pk)
