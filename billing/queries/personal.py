"""Everything that is held on a customer, for them to have (GDPR, articles 15 and 20)."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Model, QuerySet

from billing.core import figures
from billing.core.exporting.values import instant
from billing.models import (
    Allocation,
    ApiToken,
    BillingPeriod,
    BillingProfile,
    CheckoutSession,
    CreditDraw,
    CreditGrant,
    CreditNote,
    CreditNoteLine,
    CustomerNotice,
    Deferral,
    Delivery,
    DeliveryTry,
    Dispute,
    DisputeEvidence,
    DunningNotice,
    DunningRun,
    EntitlementState,
    GatewayCustomer,
    Instalment,
    Invoice,
    InvoiceLine,
    JournalEntry,
    JournalLine,
    OutgoingEvent,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PortalSession,
    Redemption,
    Refund,
    RejectedUsage,
    ScheduledChange,
    Subscription,
    UsageDay,
    UsageEvent,
    UsageTotal,
    UsageValue,
)
from billing.queries import exports
from customers.models import BillingDetails, Customer, CustomerUser, TaxId, User


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one table that are about a customer.

    :param path: how a row leads to its customer.
    :param secret: columns that are nobody's to read.
    """

    name: str
    model: type[Model]
    path: str = "customer"
    secret: frozenset[str] = field(default_factory=frozenset)

    def of(self, customer_id: UUID) -> QuerySet[Any]:
        """The customer's rows, in the order of their keys."""
        rows = self.model._default_manager.filter(**{self.path: customer_id})  # noqa: SLF001  # Django's documented way
        return rows.order_by("pk")

    @property
    def columns(self) -> list[str]:
        """What is told of each row."""
        fields = self.model._meta.concrete_fields  # noqa: SLF001  # as above
        return [column.attname for column in fields if column.attname not in self.secret]


SECTIONS: Final = (
    Section("customer", Customer, "pk"),
    Section("details", BillingDetails),
    Section("tax_ids", TaxId),
    Section("users", User, "memberships__customer", frozenset({"password"})),
    Section("email_addresses", EmailAddress, "user__memberships__customer"),
    Section("memberships", CustomerUser),
    Section("api_tokens", ApiToken, secret=frozenset({"digest"})),
    Section("profile", BillingProfile),
    Section("subscriptions", Subscription),
    Section("scheduled_changes", ScheduledChange, "subscription__customer"),
    Section("coupons", Redemption, "subscription__customer"),
    Section("billing_periods", BillingPeriod),
    Section("invoices", Invoice),
    Section("invoice_lines", InvoiceLine),
    Section("instalments", Instalment, "invoice__customer"),
    Section("credit_notes", CreditNote),
    Section("credit_note_lines", CreditNoteLine, "credit_note__customer"),
    Section("deferrals", Deferral),
    Section("payment_methods", PaymentMethod),
    Section("gateway_customers", GatewayCustomer),
    Section("checkout_sessions", CheckoutSession),
    Section("portal_sessions", PortalSession, secret=frozenset({"browser_digest"})),
    Section("payment_attempts", PaymentAttempt, "invoice__customer"),
    Section("payments", Payment),
    Section("allocations", Allocation, "payment__customer"),
    Section("refunds", Refund),
    Section("disputes", Dispute),
    Section("dispute_evidence", DisputeEvidence, "dispute__customer"),
    Section("credit_grants", CreditGrant),
    Section("credit_draws", CreditDraw, "grant__customer"),
    Section("dunning_runs", DunningRun),
    Section("dunning_notices", DunningNotice, "run__customer"),
    Section("notices", CustomerNotice),
    Section("notifications", OutgoingEvent),
    Section("deliveries", Delivery, "event__customer"),
    Section("delivery_tries", DeliveryTry, "delivery__event__customer"),
    Section("entitlements", EntitlementState),
    Section("usage_totals", UsageTotal, "period__customer"),
    Section("usage_values", UsageValue, "period__customer"),
    Section("usage_days", UsageDay),
    Section("usage_events", UsageEvent),
    Section("rejected_usage", RejectedUsage),
    Section("journal", JournalEntry),
    Section("journal_lines", JournalLine, "entry__customer"),
)


def export(customer_id: UUID, *, now: datetime) -> Iterator[bytes]:
    """One JSON object, a list of rows for each section, streamed from one snapshot."""
    return exports.chunked(_texts(customer_id, now))


def _texts(customer_id: UUID, now: datetime) -> Generator[str]:
    yield f'{{"exported_at":"{instant(now)}"'
    with exports.snapshot():
        for section in SECTIONS:
            yield f',\n"{section.name}":['
            rows = section.of(customer_id).values(*section.columns)
            for number, row in enumerate(rows.iterator(chunk_size=exports.AT_ONCE)):
                yield ",\n" if number else "\n"
                yield json.dumps(row, ensure_ascii=False, default=_plain)
            yield "]"
    yield "}\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return figures.plain(value) if isinstance(value, Decimal) else str(value)
