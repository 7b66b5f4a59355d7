"""The addresses under `/api/v1/`."""

from __future__ import annotations

from django.urls import path, re_path

from billing.api import openapi as _openapi  # noqa: F401  # makes the bearer scheme known
from billing.api.changes import Changes, OneChange, RetryChange, TrialEnd
from billing.api.charges import Charges
from billing.api.checkout import CheckoutSessions, OneCheckoutSession
from billing.api.coupons import Coupons, OneCoupon
from billing.api.customers import Customers, OneCustomer
from billing.api.endpoint import Nowhere
from billing.api.invoices import Invoices, OneInvoice
from billing.api.journal import Journal
from billing.api.meters import Features, Meters
from billing.api.moves import Moves
from billing.api.payment_methods import OnePaymentMethod, PaymentMethods
from billing.api.plans import OnePlan, PlanRetirement, Plans, PlanVersions
from billing.api.previews import InvoicePreviews
from billing.api.rights import Entitlements, OneEntitlement, UsageByDay
from billing.api.subscriptions import Cancel, OneSubscription, Pause, Resume, Subscriptions
from billing.api.test_clocks import Advance, OneTestClock, TestClocks
from billing.api.usage import OneUsageEvent, UsageEvents

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
    path("customers/<uuid:customer_id>/usage", UsageByDay.as_view()),
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
    path("invoices", Invoices.as_view()),
    path("invoices/<uuid:invoice_id>", OneInvoice.as_view()),
    path("charges", Charges.as_view()),
    path("payment-methods", PaymentMethods.as_view()),
    path("payment-methods/<uuid:method_id>", OnePaymentMethod.as_view()),
    path("checkout-sessions", CheckoutSessions.as_view()),
    path("checkout-sessions/<uuid:session_id>", OneCheckoutSession.as_view()),
    path("journal", Journal.as_view()),
    path("test-clocks", TestClocks.as_view()),
    path("test-clocks/<uuid:clock_id>", OneTestClock.as_view()),
    path("test-clocks/<uuid:clock_id>/advance", Advance.as_view()),
    re_path(r"", Nowhere.as_view()),
]
