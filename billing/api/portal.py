"""`/portal-sessions`: send a product's user into the billing pages without a second login."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import clock
from billing.api.customers import customer_named
from billing.api.endpoint import Endpoint
from billing.api.fields import Answer, Instant, ReturnUrl, Strict, Word
from billing.api.openapi import problems
from billing.api.permissions import find, found
from billing.api.tokens import caller
from billing.models import Invoice, PortalSession
from billing.models.portal import PortalPurpose
from billing.services import portal


class PortalInput(Strict):
    """Whom, what for, and where they go when they are done."""

    customer = serializers.UUIDField()
    return_url = ReturnUrl()
    purpose = Word(PortalPurpose, default=PortalPurpose.PORTAL, required=False)
    invoice = serializers.UUIDField(
        allow_null=True, default=None, required=False, help_text="With the purpose `invoice`."
    )


@extend_schema_serializer(component_name="PortalSession")
class PortalOutput(Answer):
    """A visit to the billing pages by link."""

    id = serializers.UUIDField()
    customer = serializers.UUIDField(source="customer_id")
    purpose = Word(PortalPurpose)
    invoice = serializers.UUIDField(source="invoice_id", allow_null=True)
    return_url = serializers.CharField()
    created_at = Instant()
    expires_at = Instant(
        help_text="Until when the link opens; once it was opened, until when the visit may last."
    )
    opened_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)


@extend_schema_serializer(component_name="NewPortalSession")
class NewPortalOutput(PortalOutput):
    """The same with its link, which is told once: whoever has it gets in."""

    url = serializers.SerializerMethodField()

    def get_url(self, _row: PortalSession) -> str:
        """The link."""
        return str(self.context["url"])


class PortalSessions(Endpoint):
    """Visits to begin."""

    @extend_schema(
        operation_id="createPortalSession",
        summary="Make a link into the billing pages",
        description=(
            "Send the customer's person to `url` at once: it opens for ten minutes, once, and then "
            "only in that browser, for an hour at most. It acts for this customer and within its "
            "purpose: `portal` is all billing pages, `payment_method` those to set one up, "
            "`invoice` to look at one invoice and pay it. `url` is a credential: do not log it. It "
            "stands in the answer that is kept for an idempotency key too, where it is worth "
            "nothing after ten minutes. 400 `return_url_not_allowed` where the installation does "
            "not allow that origin, `invalid_purpose` where purpose and invoice contradict each "
            "other; 409 `not_finalized` for a draft, `customer_erased`."
        ),
        request=PortalInput,
        responses={201: NewPortalOutput, **problems(400, 403, 404, 409, 422)},
        examples=[
            OpenApiExample(
                "All billing pages",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "return_url": "https://app.example.com/settings",
                },
                request_only=True,
            ),
            OpenApiExample(
                "A payment method",
                {
                    "customer": "0198d5a2-0000-7000-8000-000000000001",
                    "purpose": "payment_method",
                    "return_url": "https://app.example.com/settings",
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        fields = self.read(PortalInput)
        customer = customer_named(request, fields["customer"])
        visit, url = portal.open_session(
            customer,
            purpose=fields["purpose"],
            return_url=fields["return_url"],
            by=caller(request).name,
            now=clock.now(),
            invoice=_invoice(customer.pk, fields["invoice"]),
        )
        return Response(NewPortalOutput.of(visit, url=url), status=201)


class OnePortalSession(Endpoint):
    """One visit."""

    @extend_schema(
        operation_id="getPortalSession",
        summary="Read a portal session",
        description="Without its link. It was opened at `opened_at`, and left at `ended_at`.",
        responses={200: PortalOutput, **problems(404)},
    )
    def get(self, request: Request, portal_session_id: UUID) -> Response:
        """Read it."""
        rows = PortalSession.objects.all()
        return Response(
            PortalOutput.of(find(request, rows, portal_session_id, noun="portal session"))
        )


def _invoice(customer_id: UUID, invoice_id: UUID | None) -> Invoice | None:
    """An invoice of the customer's; None where none is named."""
    if invoice_id is None:
        return None
    return found(Invoice.objects.filter(customer=customer_id), invoice_id, noun="invoice")
