"""The pages' addresses."""

from __future__ import annotations

from django.urls import path

from billing.web import (
    brands,
    credit,
    details,
    files,
    home,
    invoices,
    landing,
    methods,
    paying,
    portal,
    returns,
    sandbox,
    statement,
    tokens,
)

urlpatterns = [
    path("", landing.landing, name="landing"),
    path("plans/", landing.plans, name="plans"),
    path("plans/<uuid:plan_id>/start/", landing.start, name="start_plan"),
    path("billing/", home.home, name="billing_home"),
    path("billing/switch/", home.switch, name="switch_customer"),
    path("billing/credit/", credit.credit, name="billing_credit"),
    path("billing/statement/", statement.statement, name="billing_statement"),
    path("billing/details/", details.details, name="billing_details"),
    path("billing/details/data/", details.data, name="billing_data"),
    path("billing/payment-methods/", methods.listed, name="payment_methods"),
    path("billing/payment-methods/add/", methods.add, name="payment_method_add"),
    path(
        "billing/payment-methods/confirming/<uuid:session_id>/",
        methods.confirming,
        name="payment_method_confirming",
    ),
    path(
        "billing/payment-methods/<uuid:method_id>/default/",
        methods.make_default,
        name="payment_method_default",
    ),
    path(
        "billing/payment-methods/<uuid:method_id>/removal/",
        methods.confirm_removal,
        name="payment_method_removal",
    ),
    path(
        "billing/payment-methods/<uuid:method_id>/remove/",
        methods.remove,
        name="payment_method_remove",
    ),
    path("billing/invoices/", invoices.listed, name="invoices"),
    path("billing/invoices/<uuid:invoice_id>/", invoices.shown, name="invoice"),
    path("billing/invoices/<uuid:invoice_id>/pdf/", files.invoice, name="invoice_pdf"),
    path(
        "billing/credit-notes/<uuid:credit_note_id>/pdf/",
        files.credit_note,
        name="credit_note_pdf",
    ),
    path("billing/invoices/<uuid:invoice_id>/pay/", paying.pay, name="invoice_pay"),
    path("billing/invoices/<uuid:invoice_id>/finish/", paying.finish, name="invoice_finish"),
    path("billing/invoices/<uuid:invoice_id>/back/", paying.back, name="invoice_back"),
    path("billing/invoices/<uuid:invoice_id>/withdraw/", paying.withdraw, name="invoice_withdraw"),
    path("billing/invoices/<uuid:invoice_id>/refund/", returns.refund, name="invoice_refund"),
    path("billing/invoices/<uuid:invoice_id>/contest/", returns.contest, name="invoice_contest"),
    path("billing/tokens/", tokens.listed, name="billing_tokens"),
    path("billing/tokens/<uuid:token_id>/rotate/", tokens.rotate, name="billing_token_rotation"),
    path(
        "billing/tokens/<uuid:token_id>/revocation/",
        tokens.confirm_revocation,
        name="billing_token_revocation",
    ),
    path("billing/tokens/<uuid:token_id>/revoke/", tokens.revoke, name="billing_token_revoke"),
    path("billing/enter/<str:signed>", portal.enter, name="portal_enter"),
    path("billing/leave/", portal.leave, name="portal_leave"),
    path("billing/leave/paid/", portal.paid, name="portal_paid"),
    path("brand/<uuid:seller_id>/logo", brands.logo, name="brand_logo"),
    path("brand/<uuid:seller_id>/style.css", brands.style, name="brand_style"),
    path("billing/sandbox/advance/", sandbox.advance, name="sandbox_advance"),
]
