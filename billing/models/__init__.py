"""Tables, constraints and querysets: what must be true, and no decisions."""

from __future__ import annotations

from billing.models.credit import CreditDraw, CreditGrant
from billing.models.credit_note import CreditNote, CreditNoteLine
from billing.models.deferral import Deferral
from billing.models.dunning import (
    BillingProfile,
    DunningNotice,
    DunningPolicy,
    DunningRun,
    PlanDunning,
)
from billing.models.entitlement import EntitlementMark, EntitlementState
from billing.models.gateway import GatewayCall, GatewayMovement, GatewayPayout, GatewayRoute
from billing.models.idempotency import ApiRequest
from billing.models.inbox import GatewayEvent
from billing.models.invoice import Instalment, Invoice, InvoiceLine
from billing.models.journal import JournalEntry, JournalLine, LedgerAccount
from billing.models.notice import CustomerNotice
from billing.models.outgoing import Delivery, DeliveryTry, OutgoingEvent, WebhookEndpoint
from billing.models.payment import (
    Allocation,
    CheckoutSession,
    GatewayCustomer,
    Payment,
    PaymentAttempt,
    PaymentMethod,
)
from billing.models.portal import PortalSession
from billing.models.refund import Dispute, DisputeEvidence, Refund
from billing.models.rejection import RejectedUsage
from billing.models.schedule import Redemption, ScheduledChange
from billing.models.sealing import (
    JournalBlock,
    JournalSeal,
    ProcessorPosition,
    Projection,
    UnsealedEntry,
)
from billing.models.seller import InvoiceSeries, Seller, SellerLogo
from billing.models.subscription import BillingPeriod, Subscription
from billing.models.tax import TaxRate
from billing.models.token import ApiToken
from billing.models.usage import UsageDay, UsageEvent, UsageTotal, UsageValue

__all__ = [
    "Allocation",
    "ApiRequest",
    "ApiToken",
    "BillingPeriod",
    "BillingProfile",
    "CheckoutSession",
    "CreditDraw",
    "CreditGrant",
    "CreditNote",
    "CreditNoteLine",
    "CustomerNotice",
    "Deferral",
    "Delivery",
    "DeliveryTry",
    "Dispute",
    "DisputeEvidence",
    "DunningNotice",
    "DunningPolicy",
    "DunningRun",
    "EntitlementMark",
    "EntitlementState",
    "GatewayCall",
    "GatewayCustomer",
    "GatewayEvent",
    "GatewayMovement",
    "GatewayPayout",
    "GatewayRoute",
    "Instalment",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeries",
    "JournalBlock",
    "JournalEntry",
    "JournalLine",
    "JournalSeal",
    "LedgerAccount",
    "OutgoingEvent",
    "Payment",
    "PaymentAttempt",
    "PaymentMethod",
    "PlanDunning",
    "PortalSession",
    "ProcessorPosition",
    "Projection",
    "Redemption",
    "Refund",
    "RejectedUsage",
    "ScheduledChange",
    "Seller",
    "SellerLogo",
    "Subscription",
    "TaxRate",
    "UnsealedEntry",
    "UsageDay",
    "UsageEvent",
    "UsageTotal",
    "UsageValue",
    "WebhookEndpoint",
]
