"""The contract's addresses under `/billing/`; beside them, with a slash at their end, are pages."""

from __future__ import annotations

from django.urls import path, re_path

from billing.api.endpoint import Nowhere
from billing.api.prism.customers import (
    OneOrganizationCustomer,
    OnePrismCustomer,
    PrismCheckout,
    PrismCustomers,
    PrismSubscriptions,
)
from billing.api.prism.plans import OnePrismPlan, PrismPlans

urlpatterns = [
    path("plans", PrismPlans.as_view()),
    path("plans/<uuid:plan_id>", OnePrismPlan.as_view()),
    path("customer", PrismCustomers.as_view()),
    path("customer/<str:customer_id>", OnePrismCustomer.as_view()),
    path("customer/<str:org_id>/subscription", PrismSubscriptions.as_view()),
    path("organization/customer/<str:customer_id>", OneOrganizationCustomer.as_view()),
    path("organization/<str:org_id>", PrismCheckout.as_view()),
    re_path(r"^(?:plans/[^/]+|(?:customer|organization)(?:/.*)?)$", Nowhere.as_view()),
]
