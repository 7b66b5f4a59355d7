"""`/customers`: who pays."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.countries import country
from billing.api.endpoint import Endpoint
from billing.api.errors import ForbiddenError
from billing.api.fields import Answer, Instant, Json, Strict, Text, Word, currency
from billing.api.openapi import IF_MATCH, problems
from billing.api.pages import PageQuery, listing, page
from billing.api.permissions import OPERATOR_ONLY, find, found, own
from billing.api.preconditions import expected_version
from billing.api.tokens import caller
from billing.core.errors import InvalidError, NotFoundError
from billing.services import customers, test_clocks
from customers import vat
from customers.models import Customer, TaxIdStatus, TestClock, ids_among
from customers.services import TAX_IDS

MAX_TAX_IDS: Final = 10
# What decides money, days and time is not the customer's to change.
_FOR_OPERATORS: Final = frozenset(
    {"currency", "timezone", "metadata", "tax_exemption", "test_clock"}
)


class TaxIdInput(Strict):
    """A tax number, in any notation."""

    type = serializers.ChoiceField(list(vat.KINDS), help_text="As Stripe calls it.")
    value = Text(max_length=64, help_text="An EU number begins with its country: “DE136695976”.")

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """Check its form, check digits included."""
        try:
            vat.parsed(attrs["type"], attrs["value"])
        except ValidationError as fault:
            raise serializers.ValidationError({"value": fault.messages}, fault.code) from None
        return attrs


class DetailsInput(Strict):
    """The person or company behind a customer, but for their country."""

    name = Text(max_length=255, allow_blank=True, required=False)
    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    phone = Text(max_length=64, allow_blank=True, required=False)
    line1 = Text(max_length=255, allow_blank=True, required=False)
    line2 = Text(max_length=255, allow_blank=True, required=False)
    city = Text(max_length=255, allow_blank=True, required=False)
    state = Text(max_length=255, allow_blank=True, required=False)
    postal_code = Text(max_length=32, allow_blank=True, required=False)


class CustomerChange(DetailsInput):
    """What can be changed of a customer."""

    country = Text(allow_blank=True, required=False, validators=[country], help_text="ISO 3166.")
    tax_ids = serializers.ListField(
        child=TaxIdInput(),
        required=False,
        max_length=MAX_TAX_IDS,
        help_text="All of them; those that are not named are removed.",
    )
    tax_exemption = Text(
        max_length=255,
        allow_blank=True,
        required=False,
        help_text="Why no tax is charged to them, as documents say it; empty where it is.",
    )
    currency = Text(required=False, validators=[currency])
    locale = serializers.RegexField(
        r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=16, required=False
    )
    timezone = Text(
        max_length=64, required=False, help_text="An IANA zone; days are counted in it."
    )
    metadata = Json(required=False)
    test_clock = serializers.UUIDField(
        allow_null=True, required=False, help_text="Sandboxes only: the clock they live by."
    )


class CustomerInput(CustomerChange):
    """A new customer."""

    organization_id = Text(max_length=255)


class DetailsOutput(Answer):
    """The person or company behind a customer."""

    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    line1 = serializers.CharField()
    line2 = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField(
        source="country_code", help_text="ISO 3166; empty where what was given is no country."
    )


class TaxIdOutput(Answer):
    """A tax number, and what its register last said of it.

    `unchecked` is not confirmed by anybody yet. With `is_stale` the register was to be asked
    again and did not answer.
    """

    type = serializers.CharField(source="kind")
    value = serializers.CharField()
    country = serializers.CharField(help_text="Whose it is; XI is Northern Ireland.")
    status = Word(TaxIdStatus)
    is_stale = serializers.BooleanField()
    checked_at = Instant(allow_null=True)


@extend_schema_serializer(component_name="Customer")
class CustomerOutput(Answer):
    """A customer. `anonymous_id` is the only name of theirs that a gateway is ever told."""

    id = serializers.UUIDField()
    organization_id = serializers.CharField()
    anonymous_id = serializers.CharField()
    details = DetailsOutput()
    tax_ids = TaxIdOutput(many=True, source="tax_ids.all")
    tax_exemption = serializers.CharField()
    currency = serializers.CharField()
    locale = serializers.CharField()
    timezone = serializers.CharField()
    metadata = Json()
    test_clock = serializers.UUIDField(source="test_clock_id", allow_null=True)
    version = serializers.IntegerField()
    created_at = Instant()
    updated_at = Instant(allow_null=True)


class CustomerQuery(PageQuery):
    """Which customers."""

    organization_id = Text(max_length=255, required=False)


class Customers(Endpoint):
    """All customers."""

    operator_only = frozenset({"POST"})
    filters = CustomerQuery

    @extend_schema(
        operation_id="listCustomers",
        summary="List customers, or find one by its organization",
        description="Newest first. A customer's token sees that customer only.",
        parameters=[CustomerQuery],
        responses={200: listing("customers", CustomerOutput, "Customer"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List them."""
        query = self.filtered()
        rows = own(request, _readable(), by="pk").order_by("-created_at", "-pk")
        if "organization_id" in query:
            rows = rows.filter(organization_id=query["organization_id"])
        return page("customers", rows, query, show=CustomerOutput.all_of)

    @extend_schema(
        operation_id="createCustomer",
        summary="Make a customer",
        description="Operators only. One for each organization; a second one is a conflict.",
        request=CustomerInput,
        responses={201: CustomerOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "Alice",
                {
                    "organization_id": "org_alice",
                    "name": "Alice Liddell",
                    "email": "alice@example.org",
                    "line1": "1 Rabbit Hole",
                    "city": "Oxford",
                    "postal_code": "OX1 1AA",
                    "country": "GB",
                    "currency": "USD",
                    "timezone": "Europe/London",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = _read(self, CustomerInput)
        organization_id = fields.pop("organization_id")
        test_clock = _clock(fields.pop("test_clock", None))
        customer = customers.create(
            organization_id,
            fields=fields,
            by=caller(request).name,
            now=clock.now(),
            test_clock=test_clock,
        )
        return Response(CustomerOutput.of(customer), status=201)


class OneCustomer(Endpoint):
    """One customer."""

    @extend_schema(
        operation_id="getCustomer",
        summary="Read a customer",
        description="With the details they gave.",
        responses={200: CustomerOutput, **problems(404)},
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Read it."""
        return Response(CustomerOutput.of(customer_named(request, customer_id)))

    @extend_schema(
        operation_id="updateCustomer",
        summary="Change a customer",
        description=(
            "What is not named stays. A customer's own token changes details and locale; currency, "
            "time zone, metadata, tax exemption and test clock are for operators."
        ),
        request=CustomerChange,
        parameters=IF_MATCH,
        responses={200: CustomerOutput, **problems(400, 403, 404, 409, 412)},
        examples=[
            OpenApiExample("Moved", {"city": "London"}, request_only=True),
            OpenApiExample(
                "A business",
                {"tax_ids": [{"type": "eu_vat", "value": "DE136695976"}]},
                request_only=True,
            ),
        ],
    )
    def patch(self, request: Request, customer_id: UUID) -> Response:
        """Change it."""
        customer_named(request, customer_id)
        fields = _read(self, CustomerChange)
        forbidden = _FOR_OPERATORS & fields.keys()
        if forbidden and not caller(request).is_operator:
            raise ForbiddenError(
                f"Only an operator may change: {', '.join(sorted(forbidden))}.", code=OPERATOR_ONLY
            )
        now = clock.now()
        with transaction.atomic():  # leaving a clock and changing the rest are two commands
            if fields.get("test_clock", True) is None:
                test_clocks.release(customer_id, now=now)
            elif "test_clock" in fields:
                fields["test_clock"] = _clock(fields["test_clock"])
            customers.update(
                customer_id,
                fields=fields,
                by=caller(request).name,
                now=now,
                expected_version=expected_version(request),
            )
        return Response(CustomerOutput.of(customer_named(request, customer_id)))


def customer_named(request: Request, customer_id: UUID) -> Customer:
    """A customer that the caller may know of, with details and clock.

    :raises NotFoundError: if there is none.
    """
    return find(request, _readable(), customer_id, by="pk", noun="customer")


def require_own(request: Request, customer_id: UUID) -> None:
    """Refuse a customer's token another customer, as if there were none.

    :raises NotFoundError: then.
    """
    if caller(request).customer_id not in {None, customer_id}:
        raise NotFoundError(f"There is no customer {customer_id}.", code="not_found")


def customer_called(request: Request, name: str) -> Customer:
    """A customer by their id or, where it is nobody's, by their organization's.

    :raises NotFoundError: if there is none that the caller may know of.
    """
    rows = own(request, _readable(), by="pk")
    found = rows.filter(pk__in=ids_among([name])).first()
    if found is None and "\0" not in name:  # which the database takes in no text
        found = rows.filter(organization_id=name).first()
    if found is None:
        raise NotFoundError(f"There is no customer {name}.", code="not_found")
    return found


def _readable() -> QuerySet[Customer]:
    return Customer.objects.readable().prefetch_related("tax_ids")


def _read(endpoint: Endpoint, shape: type[CustomerChange]) -> dict[str, Any]:
    """The body, with tax numbers as services take them."""
    fields: dict[str, Any] = endpoint.read(shape)
    if TAX_IDS in fields:
        fields[TAX_IDS] = [(each["type"], each["value"]) for each in fields[TAX_IDS]]
    return fields


def _clock(clock_id: UUID | None) -> TestClock | None:
    """The test clock of that id; sandboxes have them, production doesn't."""
    if clock_id is None:
        return None
    if not settings.TEST_CLOCKS:
        raise InvalidError("There are no test clocks here.", code="not_supported")
    return found(TestClock.objects.all(), clock_id, noun="test clock")
