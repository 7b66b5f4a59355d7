"""`/billing/customer`, `/billing/organization`: who pays, in the contract's notation.

Wherever an address names a customer, it is by their own id or by their organization's.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock, tasks
from billing.api.customers import customer_called
from billing.api.openapi import problems
from billing.api.plans import visible_plan
from billing.api.prism import accounts
from billing.api.prism.bodies import (
    PrismCustomerChange,
    PrismCustomerInput,
    PrismSubscriptionInput,
)
from billing.api.prism.endpoint import PrismEndpoint
from billing.api.prism.shapes import CustomerOutput
from billing.api.tokens import caller
from billing.models.portal import PortalPurpose
from billing.services import customers, portal, subscriptions
from customers.models import Customer

_CUSTOMER_ID, _ORG_ID = (
    OpenApiParameter(
        name, str, OpenApiParameter.PATH, description="The organization's id, or the customer's."
    )
    for name in ("customer_id", "org_id")
)
_JOHN: Final = {
    "name": "John Doe",
    "email": "john.doe@example.com",
    "line1": "123 Main St",
    "city": "Anytown",
    "country": "Country",
    "postal_code": "12345",
    "phone": "1234567890",
}


class PrismCustomers(PrismEndpoint):
    """All customers."""

    operator_only = frozenset({"POST"})

    @extend_schema(
        operation_id="createPrismCustomer",
        summary="Make a customer",
        description="Operators only. One for each organization; a second one is a conflict.",
        request=PrismCustomerInput,
        responses={201: CustomerOutput, **problems(400, 403, 409, 422)},
        examples=[
            OpenApiExample(
                "John Doe",
                {"organization_id": "8b131663-058d-4e8f-8ccb-cc83c3f9e694", **_JOHN},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(PrismCustomerInput)
        customer = customers.create(
            fields.pop("organization_id"), fields=fields, by=caller(request).name, now=clock.now()
        )
        return Response(_show(request, customer), status=201)


class _CustomerChange(PrismEndpoint):
    """One customer, at either address."""

    def patch(self, request: Request, customer_id: str) -> Response:
        """Change it."""
        customer = customer_called(request, customer_id)
        customers.update(
            customer.pk,
            fields=self.read(PrismCustomerChange),
            by=caller(request).name,
            now=clock.now(),
        )
        return Response(_show(request, customer_called(request, customer_id)))


_CHANGE: Final[dict[str, Any]] = {
    "description": "What is not named stays. A customer's own token may do this.",
    "request": PrismCustomerChange,
    "parameters": [_CUSTOMER_ID],
    "responses": {200: CustomerOutput, **problems(400, 403, 404, 409)},
    "examples": [
        OpenApiExample(
            "John Dozen",
            {**_JOHN, "name": "John Dozen", "email": "john.dozen@example.com", "state": "State"},
            request_only=True,
        )
    ],
}


@extend_schema_view(
    patch=extend_schema(operation_id="updatePrismCustomer", summary="Change a customer", **_CHANGE)
)
class OnePrismCustomer(_CustomerChange):
    """One customer."""


@extend_schema_view(
    patch=extend_schema(
        operation_id="updatePrismOrganizationCustomer",
        summary="Change an organization's customer",
        **_CHANGE,
    )
)
class OneOrganizationCustomer(_CustomerChange):
    """An organization's customer: the contract has both addresses."""


class PrismSubscriptions(PrismEndpoint):
    """A customer's subscription to be."""

    @extend_schema(
        operation_id="createPrismSubscription",
        summary="Put a customer on a plan",
        description=(
            "On the plan's terms as they are now. Billing begins at once if there is a payment "
            "method or the plan is free; else the subscription is `incomplete` until there is one."
        ),
        request=PrismSubscriptionInput,
        parameters=[_ORG_ID],
        responses={201: CustomerOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Subscribe",
                {"plan_id": "8b131663-058d-4e8f-8ccb-cc83c3f9e694"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, org_id: str) -> Response:
        """Start it."""
        customer = customer_called(request, org_id)
        plan = visible_plan(request, self.read(PrismSubscriptionInput)["plan_id"])
        subscriptions.start(customer.pk, plan, by=caller(request).name, now=clock.now())
        tasks.collect_open(customer.pk)
        return Response(_show(request, customer), status=201)


class PrismCheckout(PrismEndpoint):
    """Where an organization's customer enters how they pay."""

    @extend_schema(
        operation_id="getPrismCheckout",
        summary="Read an organization's customer, and go to the checkout",
        description=(
            "A browser follows `Location`, a link that opens once, within ten minutes; an "
            "integration reads the body."
        ),
        parameters=[
            _ORG_ID,
            OpenApiParameter(
                "Location",
                str,
                OpenApiParameter.HEADER,
                description="Where the customer enters how they pay.",
                response=[302],
            ),
        ],
        responses={302: CustomerOutput, **problems(404, 409)},
    )
    def get(self, request: Request, org_id: str) -> Response:
        """Both at once."""
        customer = customer_called(request, org_id)
        headers = {"Location": _checkout_url(request, customer)}
        return Response(_show(request, customer), status=302, headers=headers)


def _checkout_url(request: Request, customer: Customer) -> str:
    """Where that customer enters how they pay: a page of ours, which a link opens once.

    A token that only reads makes no link, for whoever has one may write: they sign in.
    """
    page = f"{settings.PUBLIC_URL}{reverse('payment_methods')}"
    if caller(request).token.is_read_only:
        return page
    _, url = portal.open_session(
        customer,
        purpose=PortalPurpose.PAYMENT_METHOD,
        return_url=page,
        by=caller(request).name,
        now=clock.now(),
    )
    return url


def _show(request: Request, customer: Customer) -> dict[str, Any]:
    return CustomerOutput.of(accounts.of(customer), reader=caller(request))
