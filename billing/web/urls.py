"""The pages' addresses."""

from __future__ import annotations

from django.urls import path

from billing.web import cards, details, home, invoices, landing, sandbox

urlpatterns = [
    path("", landing.landing, name="landing"),
    path("plans/", landing.plans, name="plans"),
    path("plans/<uuid:plan_id>/start/", landing.start, name="start_plan"),
    path("billing/", home.home, name="billing_home"),
    path("billing/switch/", home.switch, name="switch_customer"),
    path("billing/details/", details.details, name="billing_details"),
    path("billing/payment-methods/", cards.listed, name="payment_methods"),
    path("billing/payment-methods/add/", cards.add, name="payment_method_add"),
    path(
        "billing/payment-methods/confirming/<uuid:session_id>/",
        cards.confirming,
        name="payment_method_confirming",
    ),
    path(
        "billing/payment-methods/<uuid:method_id>/default/",
        cards.make_default,
        name="payment_method_default",
    ),
    path(
        "billing/payment-methods/<uuid:method_id>/removal/",
        cards.confirm_removal,
        name="payment_method_removal",
    ),
    path(
        "billing/payment-methods/<uuid:method_id>/remove/",
        cards.remove,
        name="payment_method_remove",
    ),
    path("billing/invoices/", invoices.listed, name="invoices"),
    path("billing/invoices/<uuid:invoice_id>/", invoices.shown, name="invoice"),
    path("billing/invoices/<uuid:invoice_id>/pay/", invoices.pay, name="invoice_pay"),
    path("billing/sandbox/advance/", sandbox.advance, name="sandbox_advance"),
]
