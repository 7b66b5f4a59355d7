"""`/checkout-sessions`: send a customer to a page to enter a payment method, or pay an invoice."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api import idempotency
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Instant, ReturnUrl, Strict, Text, Word
from billing.api.openapi import problems
from billing.api.permissions import find, found, own
from billing.api.plans import visible_plan
from billing.api.tokens import caller
from billing.models import CheckoutSession, Invoice, PortalSession, Subscription
from billing.models.payment import CheckoutStatus
from billing.queries import checkouts
from billing.services import payment_methods, portal, subscriptions
from billing.services.choosing import Wanted
from billing.services.payment_methods import ReturnUrls
from customers.models import Customer
from plans.models import Plan


class CheckoutInput(Strict):
    """Whom, what for, and where they are sent back to."""

    customer = serializers.UUIDField()
    plan_id = serializers.UUIDField(
        allow_null=True, default=None, required=False, help_text="Subscribe them to it first."
    )
    invoice_id = serializers.UUIDField(
        allow_null=True,
        default=None,
        required=False,
        help_text="Let them pay this one on our page, instead of setting a payment method up.",
    )
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
    success_url = ReturnUrl(help_text="`{session}` becomes its id.")
    cancel_url = ReturnUrl()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An invoice is paid on our page, where they choose how: it goes with nothing else."""
        if attrs["invoice_id"] is not None:
            too_much = [name for name in ("plan_id", "gateway", "kind") if attrs[name]]
            if too_much:
                faults = {name: ["Not together with `invoice_id`."] for name in too_much}
                raise serializers.ValidationError(faults, "not_with_invoice")
        return attrs


@extend_schema_serializer(component_name="CheckoutSession")
class CheckoutOutput(Answer):
    """A visit to a page. Send the customer to `url` while it is `open`.

    A payment method is set up on the gateway's page; a kind that asks nothing of the customer (a
    transfer) at once: `completed`. An `invoice` is paid on ours, and it is `completed` when that is
    paid: then `gateway` and `kind` are empty, and `url` is told only to whoever begins it.
    """

    id = serializers.UUIDField()
    url = serializers.CharField()
    customer = serializers.UUIDField(source="customer_id")
    invoice = serializers.UUIDField(source="invoice_id", allow_null=True, default=None)
    gateway = serializers.CharField()
    kind = serializers.CharField()
    route_reason = serializers.CharField(help_text="Why this gateway was chosen.")
    status = Word(CheckoutStatus)
    failure = serializers.CharField()
    payment_method = serializers.UUIDField(source="payment_method_id", allow_null=True)
    created_at = Instant()
    expires_at = Instant(
        allow_null=True,
        default=None,
        help_text="Of an invoice: until when `url` opens, and then how long the visit may last.",
    )


class CheckoutSessions(Endpoint):
    """Visits to begin. A repetition goes on with the one that was begun."""

    is_atomic = False

    @extend_schema(
        operation_id="startCheckout",
        summary="Begin a checkout session",
        description=(
            "With `plan_id`, the customer is put on that plan first, unless they are on it "
            "already; billing begins when the payment method is there. With `invoice_id` they pay "
            "that invoice on our page, whose `url` is a credential: it opens once, within ten "
            "minutes. 400 where an origin is not allowed (`return_url_not_allowed`), where there "
            "is no such gateway (`unknown_gateway`) or kind (`unknown_kind`), the gateway asked "
            "for will not do (`no_gateway`), or an invoice is to be paid and something else is "
            "asked too (`not_with_invoice`); 409 where nothing is to be paid "
            "(`nothing_to_charge`); 503 where no gateway may be asked now (`no_gateway`) or it "
            "does not answer (`gateway_unavailable`)."
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
                "An invoice",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "invoice_id": "0198d5a2-0000-7000-8000-000000000002",
                    "success_url": "https://shop.example.com/thanks",
                    "cancel_url": "https://shop.example.com/orders",
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
        urls = ReturnUrls(fields["success_url"], fields["cancel_url"])
        if fields["invoice_id"] is not None:
            return _pay(request, customer, fields["invoice_id"], urls)
        if fields["plan_id"] is not None:
            _subscribe(request, customer, visible_plan(request, fields["plan_id"]))
        settled = payment_methods.start_checkout(
            customer,
            urls=urls,
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
        description=(
            "What the gateway has told of it so far; of an invoice, whether it is paid, without "
            "the link."
        ),
        responses={200: CheckoutOutput, **problems(404)},
    )
    def get(self, request: Request, session_id: UUID) -> Response:
        """Read it."""
        visits = PortalSession.objects.readable().exclude(success_url="")
        visit = own(request, visits).filter(pk=session_id).first()
        if visit is not None:
            return Response(CheckoutOutput.of(checkouts.of_visit(visit, now=clock.now())))
        row = find(request, CheckoutSession.objects.all(), session_id, noun="checkout session")
        return Response(CheckoutOutput.of(row))


def _pay(request: Request, customer: Customer, invoice_id: UUID, urls: ReturnUrls) -> Response:
    """Make a link to pay an invoice of theirs."""
    rows = Invoice.objects.filter(customer=customer).select_related("customer")
    invoice = found(rows, invoice_id, noun="invoice")
    now = clock.now()
    visit, url = portal.open_checkout(invoice, urls=urls, by=caller(request).name, now=now)
    return Response(CheckoutOutput.of(checkouts.of_visit(visit, now=now, url=url)), status=201)


def _subscribe(request: Request, customer: Customer, plan: Plan) -> None:
    """Put them on the plan; who is on it already goes on to the gateway."""
    live = Subscription.objects.live().filter(customer=customer, plan_version__plan=plan)
    if not live.exists():
        subscriptions.start(customer.pk, plan, by=caller(request).name, now=clock.now())
        tasks.collect_open(customer.pk)
