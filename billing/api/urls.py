"""The addresses under `/api/v1/`."""

from __future__ import annotations

from django.urls import path, re_path

from billing.api import openapi as _openapi  # noqa: F401  # makes the bearer scheme known
from billing.api.api_tokens import OneToken, TokenRotation, Tokens
from billing.api.changes import Changes, OneChange, RetryChange, TrialEnd
from billing.api.charge_steps import (
    ChargeCalls,
    ChargeDecision,
    ChargeQuestion,
    ChargeResumption,
    ChargeWithdrawal,
)
from billing.api.charges import Charges, OneCharge
from billing.api.checkout import CheckoutSessions, OneCheckoutSession
from billing.api.coupons import Coupons, OneCoupon
from billing.api.credit_notes import CreditNotes, OneCreditNote
from billing.api.credits import Credits, OneCredit
from billing.api.customers import Customers, OneCustomer
from billing.api.deferred_revenue import DeferredRevenue
from billing.api.deliveries import EndpointDeliveries, OneDelivery, Resend, ResendRange
from billing.api.disputes import DisputeEvidences, Disputes, OneDispute
from billing.api.dunning import DunningPolicies, DunningRuns, OneDunningPolicy, OneDunningRun
from billing.api.endpoint import Nowhere
from billing.api.entitlements import EntitlementChecks, Entitlements, OneEntitlement
from billing.api.erasure import EraseCustomer, ExportedCustomer
from billing.api.exports import ExportedDocuments, ExportedJournal, ExportedTotals
from billing.api.gateways import Gateways, OneGateway
from billing.api.instalments import Instalments
from billing.api.invoice_files import CreditNotePdf, CreditNoteXml, InvoicePdf, InvoiceXml
from billing.api.invoice_items import InvoiceItems, OneInvoiceItem
from billing.api.invoices import FinalInvoice, Invoices, OneInvoice
from billing.api.journal import Journal
from billing.api.meters import Features, Meters
from billing.api.moves import Moves
from billing.api.payment_methods import OnePaymentMethod, PaymentMethods
from billing.api.payments import OnePayment, PaymentAllocations, PaymentReversals, Payments
from billing.api.payouts import OnePayout, Payouts
from billing.api.plans import OnePlan, PlanRetirement, Plans, PlanVersions
from billing.api.portal import OnePortalSession, PortalSessions
from billing.api.previews import InvoicePreviews
from billing.api.profiles import OneBillingProfile
from billing.api.refunds import OneRefund, Refunds
from billing.api.reports import Ageing, Mrr
from billing.api.statement import CustomerStatement
from billing.api.status import CustomerStatus
from billing.api.subscriptions import Cancel, OneSubscription, Pause, Resume, Subscriptions
from billing.api.test_clocks import Advance, OneTestClock, TestClocks
from billing.api.transactions import Transactions
from billing.api.usage import OneUsageEvent, UsageEvents
from billing.api.usage_buckets import CustomerUsage
from billing.api.usage_rejections import (
    OneUsageRejection,
    UsageRejectionRetries,
    UsageRejectionRetry,
    UsageRejections,
)
from billing.api.webhook_endpoints import (
    OneWebhookEndpoint,
    WebhookEndpoints,
    WebhookEndpointSecret,
    WebhookEndpointTest,
)

urlpatterns = [
    path("meters", Meters.as_view()),
    path("features", Features.as_view()),
    path("plans", Plans.as_view()),
    path("plans/<uuid:plan_id>", OnePlan.as_view()),
    path("plans/<uuid:plan_id>/versions", PlanVersions.as_view()),
    path("plans/<uuid:plan_id>/retirement", PlanRetirement.as_view()),
    path("plans/<uuid:plan_id>/moves", Moves.as_view()),
    path("coupons", Coupons.as_view()),
    path("coupons/<slug:code>", OneCoupon.as_view()),
    path("customers", Customers.as_view()),
    path("customers/<uuid:customer_id>", OneCustomer.as_view()),
    path("customers/<uuid:customer_id>/entitlements", Entitlements.as_view()),
    path("customers/<uuid:customer_id>/entitlements/<str:feature>", OneEntitlement.as_view()),
    path("customers/<uuid:customer_id>/usage", CustomerUsage.as_view()),
    path("customers/<uuid:customer_id>/credits", Credits.as_view()),
    path("customers/<uuid:customer_id>/credits/<uuid:credit_id>", OneCredit.as_view()),
    path("customers/<uuid:customer_id>/billing-profile", OneBillingProfile.as_view()),
    path("customers/<uuid:customer_id>/export", ExportedCustomer.as_view()),
    path("customers/<uuid:customer_id>/erase", EraseCustomer.as_view()),
    path("customers/<uuid:customer_id>/statement", CustomerStatement.as_view()),
    path("customers/<uuid:customer_id>/status", CustomerStatus.as_view()),
    path("entitlement-checks", EntitlementChecks.as_view()),
    path("subscriptions", Subscriptions.as_view()),
    path("subscriptions/<uuid:subscription_id>", OneSubscription.as_view()),
    path("subscriptions/<uuid:subscription_id>/changes", Changes.as_view()),
    path("subscriptions/<uuid:subscription_id>/changes/<uuid:change_id>", OneChange.as_view()),
    path(
        "subscriptions/<uuid:subscription_id>/changes/<uuid:change_id>/retry",
        RetryChange.as_view(),
    ),
    path("subscriptions/<uuid:subscription_id>/cancel", Cancel.as_view()),
    path("subscriptions/<uuid:subscription_id>/pause", Pause.as_view()),
    path("subscriptions/<uuid:subscription_id>/resume", Resume.as_view()),
    path("subscriptions/<uuid:subscription_id>/trial-end", TrialEnd.as_view()),
    path("invoice-previews", InvoicePreviews.as_view()),
    path("usage-events", UsageEvents.as_view()),
    path("usage-events/<path:event_id>", OneUsageEvent.as_view()),
    path("usage-rejections", UsageRejections.as_view()),
    path("usage-rejections/retry", UsageRejectionRetries.as_view()),
    path("usage-rejections/<uuid:rejection_id>", OneUsageRejection.as_view()),
    path("usage-rejections/<uuid:rejection_id>/retry", UsageRejectionRetry.as_view()),
    path("invoices", Invoices.as_view()),
    path("invoices/<uuid:invoice_id>", OneInvoice.as_view()),
    path("invoices/<uuid:invoice_id>/finalize", FinalInvoice.as_view()),
    path("invoices/<uuid:invoice_id>/pdf", InvoicePdf.as_view()),
    path("invoices/<uuid:invoice_id>/xml", InvoiceXml.as_view()),
    path("invoices/<uuid:invoice_id>/items", InvoiceItems.as_view()),
    path("invoices/<uuid:invoice_id>/items/<uuid:item_id>", OneInvoiceItem.as_view()),
    path("invoices/<uuid:invoice_id>/instalments", Instalments.as_view()),
    path("payments", Payments.as_view()),
    path("payments/<uuid:payment_id>", OnePayment.as_view()),
    path("payments/<uuid:payment_id>/allocations", PaymentAllocations.as_view()),
    path("payments/<uuid:payment_id>/reversals", PaymentReversals.as_view()),
    path("charges", Charges.as_view()),
    path("charges/<uuid:charge_id>", OneCharge.as_view()),
    path("charges/<uuid:charge_id>/resume", ChargeResumption.as_view()),
    path("charges/<uuid:charge_id>/withdraw", ChargeWithdrawal.as_view()),
    path("charges/<uuid:charge_id>/decision", ChargeDecision.as_view()),
    path("charges/<uuid:charge_id>/ask", ChargeQuestion.as_view()),
    path("charges/<uuid:charge_id>/calls", ChargeCalls.as_view()),
    path("credit-notes", CreditNotes.as_view()),
    path("credit-notes/<uuid:credit_note_id>", OneCreditNote.as_view()),
    path("credit-notes/<uuid:credit_note_id>/pdf", CreditNotePdf.as_view()),
    path("credit-notes/<uuid:credit_note_id>/xml", CreditNoteXml.as_view()),
    path("refunds", Refunds.as_view()),
    path("refunds/<uuid:refund_id>", OneRefund.as_view()),
    path("disputes", Disputes.as_view()),
    path("disputes/<uuid:dispute_id>", OneDispute.as_view()),
    path("disputes/<uuid:dispute_id>/evidence", DisputeEvidences.as_view()),
    path("dunning-policies", DunningPolicies.as_view()),
    path("dunning-policies/<uuid:policy_id>", OneDunningPolicy.as_view()),
    path("dunning-runs", DunningRuns.as_view()),
    path("dunning-runs/<uuid:run_id>", OneDunningRun.as_view()),
    path("payment-methods", PaymentMethods.as_view()),
    path("payment-methods/<uuid:method_id>", OnePaymentMethod.as_view()),
    path("portal-sessions", PortalSessions.as_view()),
    path("portal-sessions/<uuid:portal_session_id>", OnePortalSession.as_view()),
    path("checkout-sessions", CheckoutSessions.as_view()),
    path("checkout-sessions/<uuid:session_id>", OneCheckoutSession.as_view()),
    path("gateways", Gateways.as_view()),
    path("gateways/<slug:name>", OneGateway.as_view()),
    path("payouts", Payouts.as_view()),
    path("payouts/<uuid:payout_id>", OnePayout.as_view()),
    path("transactions", Transactions.as_view()),
    path("reports/ageing", Ageing.as_view()),
    path("reports/mrr", Mrr.as_view()),
    path("reports/deferred-revenue", DeferredRevenue.as_view()),
    path("journal", Journal.as_view()),
    path("exports/journal", ExportedJournal.as_view()),
    path("exports/totals", ExportedTotals.as_view()),
    path("exports/invoices", ExportedDocuments.as_view()),
    path("tokens", Tokens.as_view()),
    path("tokens/<uuid:token_id>", OneToken.as_view()),
    path("tokens/<uuid:token_id>/rotate", TokenRotation.as_view()),
    path("webhook-endpoints", WebhookEndpoints.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>", OneWebhookEndpoint.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/secret", WebhookEndpointSecret.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/test", WebhookEndpointTest.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/deliveries", EndpointDeliveries.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/resend", ResendRange.as_view()),
    path("deliveries/<uuid:delivery_id>", OneDelivery.as_view()),
    path("deliveries/<uuid:delivery_id>/resend", Resend.as_view()),
    path("test-clocks", TestClocks.as_view()),
    path("test-clocks/<uuid:clock_id>", OneTestClock.as_view()),
    path("test-clocks/<uuid:clock_id>/advance", Advance.as_view()),
    re_path(r"", Nowhere.as_view()),
]
