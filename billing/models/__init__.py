"""Tables, constraints and querysets: what must be true, and no decisions."""

from __future__ import annotations

from billing.models.idempotency import ApiRequest
from billing.models.inbox import GatewayEvent
from billing.models.invoice import Invoice, InvoiceLine, InvoiceSeries, Seller
from billing.models.journal import JournalEntry, JournalLine, LedgerAccount
from billing.models.payment import (
    Allocation,
    CheckoutSession,
    GatewayCustomer,
    Payment,
    PaymentAttempt,
    PaymentMethod,
)
from billing.models.schedule import Redemption, ScheduledChange
from billing.models.subscription import BillingPeriod, Subscription
from billing.models.token import ApiToken
from billing.models.usage import UsageDay, UsageEvent, UsageTotal, UsageValue

__all__ = [
    "Allocation",
    "ApiRequest",
    "ApiToken",
    "BillingPeriod",
    "CheckoutSession",
    "GatewayCustomer",
    "GatewayEvent",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "JournalEntry",
    "JournalLine",
    "LedgerAccount",
    "Payment",
    "PaymentAttempt",
    "PaymentMethod",
    "Redemption",
    "ScheduledChange",
    "Seller",
    "Subscription",
    "UsageDay",
    "UsageEvent",
    "UsageTotal",
    "UsageValue",
]
